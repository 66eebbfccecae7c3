"""schemathesis before the real office: everything its OpenAPI allows and much that it does not. No 5xx of its own, no hang.

The office hides its OpenAPI; it is taken from the code, and what its views read by hand (headers, bodies) is added from the
wire models. Nobody signs here: requests with good signatures are the business of tests/office/test_office_fuzz.py.
"""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import schemathesis
from harness.campaign import Campaign, Report
from harness.town import Town
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.generation import GenerationMode

from kiosk.sync.wire import http
from kiosk.sync.wire.enrolment import ProvenEnrolRequest
from kiosk.sync.wire.models import HeartbeatBody
from kiosk.sync.wire.reconcile import ReconcileBody
from kiosk.sync.wire.renewal import RenewRequest

_SCHEMA = "import json; from kiosk.office.api import api; print(json.dumps(api.get_openapi_schema(path_prefix='')))"
_HEADERS = (http.KIOSK, http.NONCE, http.TIME, http.SIGNATURE, http.CASE, http.VOUCH, http.ENROL_PROOF)
_BODIES = {
    http.HEARTBEAT_PATH: HeartbeatBody, http.RECONCILE_PATH: ReconcileBody, http.ENROL_PATH: ProvenEnrolRequest,
    http.RENEW_PATH: RenewRequest,
}
_TIMEOUT_S = 10.0
_BUSY = 503
"""The one answer of this kind the office gives on purpose."""


def test_everything_the_openapi_allows(tmp_path: Path, campaign: Campaign, report: Report) -> None:
    asked, bad, statuses = 0, [], set()
    with Town(tmp_path / "town", campaign.random("fuzz")) as town:
        assert town.proxy.office is not None
        url = "http://{}:{}".format(*town.proxy.office)
        schema = schemathesis.openapi.from_dict(_filled(json.loads(town.ask_office(_SCHEMA))))
        operations = [found.ok() for found in schema.get_all_operations()]
        for operation in operations:
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                @seed(campaign.seed)
                @settings(
                    max_examples=campaign.many(150, 15), deadline=None, database=None, phases=[Phase.generate],
                    suppress_health_check=list(HealthCheck),
                )
                @given(case=operation.as_strategy(generation_mode=mode))
                def attacked(case: Any) -> None:
                    nonlocal asked
                    answer = case.call(base_url=url, timeout=_TIMEOUT_S)
                    asked += 1
                    statuses.add(answer.status_code)
                    if answer.status_code >= 500 and answer.status_code != _BUSY:
                        bad.append(f"{case.method} {case.path}: {answer.status_code}")

                with contextlib.suppress(Unsatisfiable):  # there is nothing wrong to say where everything is allowed
                    attacked()
        assert town.office is not None and town.office.alive
    report(
        "schemathesis", f"{asked} requests, {len(operations)} operations, answers {' '.join(map(str, sorted(statuses)))}", 0,
        other=len(bad),
    )
    assert not bad, sorted(set(bad))
    assert len(operations) >= 10


def _filled(schema: dict[str, Any]) -> dict[str, Any]:
    """With the headers and bodies the views read by hand."""
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            given_ones = [*operation.get("parameters", [])]
            given_ones += [{"in": "header", "name": name, "required": False, "schema": {"type": "string"}} for name in _HEADERS]
            operation["parameters"] = given_ones
            model = _BODIES.get(path)
            if model is not None:
                content = {http.JSON_TYPE: {"schema": _inlined(model.model_json_schema())}}
            else:
                content = {http.ENVELOPE_TYPE: {"schema": {"type": "string", "format": "binary"}}}
            if method in ("put", "post"):
                operation["requestBody"] = {"required": True, "content": content}
    return schema


def _inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """Without references: they would point outside of the OpenAPI document."""
    definitions = schema.pop("$defs", {})

    def put(part: Any) -> Any:
        if isinstance(part, dict):
            if "$ref" in part:
                return put(definitions[part["$ref"].rsplit("/", 1)[1]])
            return {name: put(value) for name, value in part.items()}
        return [put(value) for value in part] if isinstance(part, list) else part

    found: dict[str, Any] = put(schema)
    return found
