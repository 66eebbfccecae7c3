"""Answers to terminals. Whatever decides anything is signed; an unsigned answer is a network fault to them."""

from __future__ import annotations

import datetime as dt
import math

from django.conf import settings
from django.http import HttpResponse

from kiosk.office import keys
from kiosk.sync.wire import http
from kiosk.sync.wire.clock import TimeAnswer
from kiosk.sync.wire.enrolment import answer_proof
from kiosk.sync.wire.models import Refusal, RefusalCode
from kiosk.sync.wire.signing import Context, sign

RETRY_AFTER_S = 30


def office_keys() -> keys.OfficeKeys:
    return keys.load(settings.OFFICE.data)


def receipt(body: bytes, status: int) -> HttpResponse:
    return _signed(body, status, http.RECEIPT_SIGNATURE, Context.RECEIPT)


def part_receipt(body: bytes, status: int) -> HttpResponse:
    return _signed(body, status, http.PART_SIGNATURE, Context.PART_RECEIPT)


def refusal(code: RefusalCode, status: int, request_id: str, sha256: str = "") -> HttpResponse:
    body = Refusal(id=request_id, sha256=sha256, code=code.value, kid=office_keys().signing_id).to_json()
    return _signed(body, status, http.REFUSAL_SIGNATURE, Context.REFUSAL)


def enrolment(body: bytes, proof_key: bytes | None = None) -> HttpResponse:
    """proof_key: of the code that was used, so that a terminal that knows no key of ours yet can believe us."""
    answer = _signed(body, 200, http.ENROL_SIGNATURE, Context.ENROL)
    if proof_key is not None:
        answer.headers[http.ENROL_PROOF] = answer_proof(proof_key, body)
    return answer


def time(nonce: str, now: dt.datetime) -> HttpResponse:
    body = TimeAnswer(nonce=nonce, now=now.astimezone(dt.UTC), kid=office_keys().signing_id).to_json()
    return _signed(body, 200, http.TIME_SIGNATURE, Context.TIME)


def heartbeat(body: bytes) -> HttpResponse:
    return _signed(body, 200, http.HEARTBEAT_SIGNATURE, Context.HEARTBEAT_ANSWER)


def reconcile(body: bytes) -> HttpResponse:
    return _signed(body, 200, http.RECONCILE_SIGNATURE, Context.RECONCILE_ANSWER)


def unsigned(status: int, detail: str, retry_after_s: float = RETRY_AFTER_S) -> HttpResponse:
    """The terminal keeps what it has and tries again."""
    headers = {"Retry-After": str(math.ceil(retry_after_s))} if status in (429, 503) else {}
    return HttpResponse(f"{detail}\n", status=status, content_type="text/plain; charset=utf-8", headers=headers)


def _signed(body: bytes, status: int, header: str, context: Context) -> HttpResponse:
    signature = sign(context, body, office_keys().signing)
    return HttpResponse(body, status=status, content_type=http.JSON_TYPE, headers={header: signature})
