"""The terminals' side of the office: names and rules of `kiosk.sync.wire.http`."""

from __future__ import annotations

import time
import uuid

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import NinjaAPI
from pydantic import ValidationError

from kiosk.office import enrolment, heartbeat, ingest, signed
from kiosk.office.models import Terminal, TerminalKey
from kiosk.office.pull import roster_pull
from kiosk.sync.wire import http
from kiosk.sync.wire.keys import sealing_public, signing_public
from kiosk.sync.wire.models import EnrolRequest, RefusalCode
from kiosk.sync.wire.pull import seal_pull, sign_unchanged
from kiosk.sync.wire.signing import Context, request_message, verify

api = NinjaAPI(title="kiosk office", docs_url=None, openapi_url=None)


@api.put(http.CASE_PATH)
def put_case(request: HttpRequest, case_id: uuid.UUID) -> HttpResponse:
    return ingest.put(case_id, request.body, request.headers.get(http.SIGNATURE, ""))


@api.get(http.ROSTER_PATH)
def get_roster(request: HttpRequest, after: int = 0) -> HttpResponse:
    terminal_id, nonce = request.headers.get(http.KIOSK, ""), request.headers.get(http.NONCE, "")
    sent, signature = request.headers.get(http.TIME, ""), request.headers.get(http.SIGNATURE, "")
    timed = sent.isascii() and sent.isdigit() and len(sent) <= 12
    if not (terminal_id and signature and timed and 0 < len(nonce) <= 64 and after >= 0):
        return signed.unsigned(400, "the request is not signed")
    key = TerminalKey.objects.filter(terminal_id=terminal_id).order_by("-epoch").first()
    if key is None or key.revoked is not None:
        return signed.refusal(RefusalCode.DEVICE, 403, nonce)
    message = request_message("GET", request.get_full_path(), sent, nonce)
    if not verify(Context.REQUEST, message, signature, signing_public(key.signing_key)):
        return signed.refusal(RefusalCode.INVALID, 403, nonce)
    if abs(time.time() - int(sent)) > http.REQUEST_WINDOW_S:
        return signed.unsigned(401, "the terminal's clock is wrong")
    Terminal.objects.filter(pk=terminal_id).update(last_seen=timezone.now())
    pull, office = roster_pull(after), signed.office_keys().signing
    if pull is None:
        return HttpResponse(status=304, headers={http.PULL_SIGNATURE: sign_unchanged(nonce, office)})
    body, pull_signature = seal_pull(pull, terminal_id, sealing_public(key.sealing_key), office)
    return HttpResponse(body, content_type=http.ENVELOPE_TYPE, headers={http.PULL_SIGNATURE: pull_signature})


@api.put(http.HEARTBEAT_PATH)
def put_heartbeat(request: HttpRequest) -> HttpResponse:
    terminal_id, nonce = request.headers.get(http.KIOSK, ""), request.headers.get(http.NONCE, "")
    signature = request.headers.get(http.SIGNATURE, "")
    if not (terminal_id and signature and 0 < len(nonce) <= 64):
        return signed.unsigned(400, "the request is not signed")
    return heartbeat.put(terminal_id, request.body, nonce, signature)


@api.post(http.ENROL_PATH)
def post_enrol(request: HttpRequest) -> HttpResponse:
    try:
        wanted = EnrolRequest.model_validate_json(request.body)
    except ValidationError:
        return signed.unsigned(422, "this is no enrolment request")
    answer = enrolment.enrol(wanted)
    if answer is None:
        return signed.unsigned(403, "the enrolment code is unknown, spent or expired")
    return signed.enrolment(answer.to_json())


@api.get("/healthz")
def healthz(request: HttpRequest) -> HttpResponse:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM office_envelope WHERE id = ''")
    except DatabaseError:
        return signed.unsigned(503, "the database does not answer")
    return signed.unsigned(200, "ok")
