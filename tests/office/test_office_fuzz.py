"""The office's parsers before terminals gone mad: signed or not, the office answers, and never with an error of its own.

Django's test client raises what a server would answer with 500.
"""

from __future__ import annotations

import datetime as dt
import json
import time
import uuid
from collections.abc import Callable
from typing import Any

import fuzz
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from townhall import NOW, Line, body, heartbeat

from kiosk.office import intake
from kiosk.sync.wire import http
from kiosk.sync.wire.keys import public_hex
from kiosk.sync.wire.models import EnrolRequest
from kiosk.sync.wire.parts import part_digest
from kiosk.sync.wire.reconcile import DayBody, ReconcileBody, day_digest
from kiosk.sync.wire.renewal import RenewRequest
from kiosk.sync.wire.signing import Context

ALLOWED = {200, 201, 202, 304, 400, 401, 403, 404, 405, 409, 413, 422, 429, 503}
few = settings(max_examples=100, deadline=None, database=None, suppress_health_check=list(HealthCheck))


def send(line: Line, one: fuzz.Sent) -> Any:
    answer = line.client.generic(one.method, one.target, one.body, content_type=http.ENVELOPE_TYPE, headers=one.headers)
    assert answer.status_code in ALLOWED, answer.status_code
    return answer


def _case(line: Line, data: st.DataObject) -> None:
    case_id, good = line.terminal.envelope(body())
    twist = data.draw(fuzz.twisted(fuzz.header_of(good)))
    named = json.loads(twist).get("id", case_id) if data.draw(st.booleans()) else case_id
    target = named if isinstance(named, str) and _is_uuid(named) else case_id
    send(line, fuzz.put_case(fuzz.envelope(good, twist), target, line.terminal.signing))
    intake.open_due()


def _sealed_body(line: Line, data: st.DataObject) -> None:
    """What only the office can read is odd: it stays visible as not opened and holds nothing up."""
    case_id, sealed = line.terminal.envelope(data.draw(fuzz.twisted(body().to_json())))
    assert send(line, fuzz.put_case(sealed, case_id, line.terminal.signing)).status_code == 201
    intake.open_due()


def _part(line: Line, data: st.DataObject) -> None:
    piece = data.draw(st.binary(max_size=300))
    name = data.draw(st.sampled_from((part_digest(piece), "0" * 64, "x", "A" * 64, "%00", "é")))
    case_id = data.draw(st.sampled_from((str(uuid.uuid4()), "", "x", "0" * 36)))
    kiosk = data.draw(st.sampled_from((line.terminal.id, "", "ZZ99", "x" * 500)))
    send(line, fuzz.put_part(piece, name, case_id, kiosk, line.terminal.signing))


def _heartbeat(line: Line, data: st.DataObject) -> None:
    told = data.draw(fuzz.twisted(heartbeat().to_json()))
    send(line, fuzz.tell("PUT", http.HEARTBEAT_PATH, told, Context.HEARTBEAT, line.terminal.id, line.terminal.signing))


def _reconcile(line: Line, data: st.DataObject) -> None:
    ids = tuple(str(uuid.uuid4()) for _ in range(2))
    days = tuple(DayBody(day=NOW.date() - dt.timedelta(days=n), digest=day_digest(ids), ids=ids if n else None) for n in range(3))
    good = ReconcileBody(kiosk=line.terminal.id, epoch=1, days=days).to_json()
    told = data.draw(fuzz.twisted(good))
    send(line, fuzz.tell("POST", http.RECONCILE_PATH, told, Context.RECONCILE, line.terminal.id, line.terminal.signing))


def _renew(line: Line, data: st.DataObject) -> None:
    good = RenewRequest(
        kiosk=line.terminal.id, epoch=1, sent_at=NOW, signing_key="ab" * 32,
        sealing_key=public_hex(line.terminal.sealing.public_key()),
    ).to_json()
    send(line, fuzz.renew(data.draw(fuzz.twisted(good)), line.terminal.signing))


def _enrol(line: Line, data: st.DataObject) -> None:
    good = EnrolRequest(token="ab" * 20, name="n", signing_key="ab" * 32, sealing_key="cd" * 32).to_json()
    headers = data.draw(st.sampled_from(({}, {http.ENROL_PROOF: "00"}, {http.ENROL_PROOF: "x" * 3000})))
    send(line, fuzz.Sent("POST", http.ENROL_PATH, headers, data.draw(fuzz.twisted(good))))


def _pulls(line: Line, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from((http.ROSTER_PATH, http.OUTCOMES_PATH, http.CONTENT_PATH, http.CONTENT_FILE_PATH)))
    path = path.format(sha256=data.draw(st.sampled_from(("0" * 64, "x", "a" * 200))))
    after = data.draw(st.sampled_from(("", *(f"?after={one}" for one in (0, -1, 10**30, 2**63, "x", "1&after=2")))))
    sent = data.draw(st.sampled_from((str(int(time.time())), "0", "999999999999", "-1", "１")))
    send(line, fuzz.ask(path + after, line.terminal.id, sent, line.terminal.signing))


def _anything(line: Line, data: st.DataObject) -> None:
    """Bytes nobody signed, under every header."""
    method = data.draw(st.sampled_from(("GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS")))
    path = data.draw(st.sampled_from((
        http.case_path(uuid.uuid4()), http.case_path("x"), http.part_path("0" * 64), http.ROSTER_PATH, http.HEARTBEAT_PATH,
        http.RECONCILE_PATH, http.ENROL_PATH, http.RENEW_PATH, http.TIME_PATH, "/v1/", "/healthz",
    )))
    word = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=130)
    names = (http.KIOSK, http.NONCE, http.TIME, http.SIGNATURE, http.CASE, http.VOUCH, http.ENROL_PROOF)
    headers = data.draw(st.dictionaries(st.sampled_from(names), word, max_size=7))
    send(line, fuzz.Sent(method, path, headers, data.draw(st.binary(max_size=200))))


PARTS = [_case, _sealed_body, _part, _heartbeat, _reconcile, _renew, _enrol, _pulls, _anything]


@pytest.mark.parametrize("attack", PARTS, ids=[part.__name__ for part in PARTS])
def test_no_error_of_its_own(line: Line, attack: Callable[[Line, st.DataObject], None]) -> None:
    @few
    @given(st.data())
    def attacked(data: st.DataObject) -> None:
        attack(line, data)

    attacked()


@pytest.mark.faults
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("attack", PARTS, ids=[part.__name__ for part in PARTS])
def test_no_error_of_its_own_at_length(
    line: Line, attack: Callable[[Line, st.DataObject], None], request: pytest.FixtureRequest,
) -> None:
    examples = max(100, round(3000 * request.config.getoption("--scale", 1.0)))

    @settings(few, max_examples=examples)
    @given(st.data())
    def attacked(data: st.DataObject) -> None:
        attack(line, data)

    attacked()


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False
