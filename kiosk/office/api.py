"""The terminals' side of the office: names and rules of `kiosk.sync.wire.http`."""

from __future__ import annotations

import uuid

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import NinjaAPI
from pydantic import ValidationError

from kiosk.office import content, enrolment, heartbeat, ingest, intake, parts, reconcile, renewal_of_keys, signed
from kiosk.office.asked import sealed, who_asks
from kiosk.office.guesses import guesses
from kiosk.office.outcomes import outcomes_pull
from kiosk.office.pull import roster_pull
from kiosk.sync.wire import http
from kiosk.sync.wire.enrolment import ProvenEnrolRequest
from kiosk.sync.wire.models import EnrolRequest

api = NinjaAPI(title="kiosk office", docs_url=None, openapi_url=None)


@api.put(http.CASE_PATH)
def put_case(request: HttpRequest, case_id: uuid.UUID) -> HttpResponse:
    headers = request.headers
    return ingest.put(case_id, request.body, headers.get(http.SIGNATURE, ""), headers.get(http.VOUCH, ""))


@api.put(http.PART_PATH)
def put_part(request: HttpRequest, sha256: str) -> HttpResponse:
    case_id, terminal_id = request.headers.get(http.CASE, ""), request.headers.get(http.KIOSK, "")
    answer = parts.put(sha256, case_id, request.body, terminal_id, request.headers.get(http.SIGNATURE, ""))
    intake.wake.set()  # it may be the last one a case waits for
    return answer


@api.get(http.ROSTER_PATH)
def get_roster(request: HttpRequest, after: int = 0) -> HttpResponse:
    asked = who_asks(request)
    if isinstance(asked, HttpResponse):
        return asked
    return sealed(asked, roster_pull(max(0, after), asked.terminal_id))


@api.get(http.OUTCOMES_PATH)
def get_outcomes(request: HttpRequest, after: int = 0) -> HttpResponse:
    asked = who_asks(request)
    if isinstance(asked, HttpResponse):
        return asked
    return sealed(asked, outcomes_pull(max(0, after), asked.terminal_id))


@api.get(http.CONTENT_PATH)
def get_content(request: HttpRequest, after: int = 0) -> HttpResponse:
    asked = who_asks(request)
    return asked if isinstance(asked, HttpResponse) else content.manifest_answer(asked, after)


@api.get(http.CONTENT_FILE_PATH)
def get_content_file(request: HttpRequest, sha256: str) -> HttpResponse:
    asked = who_asks(request)
    return asked if isinstance(asked, HttpResponse) else content.file_answer(sha256)


@api.put(http.HEARTBEAT_PATH)
def put_heartbeat(request: HttpRequest) -> HttpResponse:
    terminal_id, nonce = request.headers.get(http.KIOSK, ""), request.headers.get(http.NONCE, "")
    signature = request.headers.get(http.SIGNATURE, "")
    if not (terminal_id and signature and 0 < len(nonce) <= 64):
        return signed.unsigned(400, "the request is not signed")
    return heartbeat.put(terminal_id, request.body, nonce, signature)


@api.post(http.RECONCILE_PATH)
def post_reconcile(request: HttpRequest) -> HttpResponse:
    headers = request.headers
    return reconcile.post(
        headers.get(http.KIOSK, ""), request.body, headers.get(http.NONCE, ""), headers.get(http.SIGNATURE, ""),
    )


@api.post(http.ENROL_PATH)
def post_enrol(request: HttpRequest) -> HttpResponse:
    locked_s = guesses.locked_s()
    if locked_s > 0:
        return signed.unsigned(429, "too many wrong codes", retry_after_s=locked_s)
    proof, data = request.headers.get(http.ENROL_PROOF, ""), request.body
    try:
        if not proof:
            told = enrolment.enrol(EnrolRequest.model_validate_json(data))
            admitted = None if told is None else signed.enrolment(told.to_json())
        else:
            proven = enrolment.enrol_proven(ProvenEnrolRequest.model_validate_json(data), data, proof)
            admitted = None if proven is None else signed.enrolment(proven.answer.to_json(), proven.proof_key)
    except ValidationError:
        return signed.unsigned(422, "this is no enrolment request")
    return admitted or signed.unsigned(403, "the enrolment code is unknown, spent or expired")


@api.post(http.RENEW_PATH)
def post_renew(request: HttpRequest) -> HttpResponse:
    return renewal_of_keys.post(request.body, request.headers.get(http.SIGNATURE, ""))


@api.get(http.TIME_PATH)
def get_time(request: HttpRequest) -> HttpResponse:
    nonce = request.headers.get(http.NONCE, "")
    if not 0 < len(nonce) <= 64:
        return signed.unsigned(400, "the request has no nonce")
    return signed.time(nonce, timezone.now())


@api.get("/healthz")
def healthz(request: HttpRequest) -> HttpResponse:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM office_envelope WHERE id = ''")
    except DatabaseError:
        return signed.unsigned(503, "the database does not answer")
    return signed.unsigned(200, "ok")
