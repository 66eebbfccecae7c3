"""Answers to terminals. Whatever decides anything is signed; an unsigned answer is a network fault to them."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpResponse

from kiosk.office import keys
from kiosk.sync.wire import http
from kiosk.sync.wire.models import Refusal, RefusalCode
from kiosk.sync.wire.signing import Context, sign

RETRY_AFTER_S = 30


def office_keys() -> keys.OfficeKeys:
    return keys.load(settings.OFFICE.data)


def receipt(body: bytes, status: int) -> HttpResponse:
    return _signed(body, status, http.RECEIPT_SIGNATURE, Context.RECEIPT)


def refusal(code: RefusalCode, status: int, request_id: str, sha256: str = "") -> HttpResponse:
    body = Refusal(id=request_id, sha256=sha256, code=code.value, kid=office_keys().signing_id).to_json()
    return _signed(body, status, http.REFUSAL_SIGNATURE, Context.REFUSAL)


def enrolment(body: bytes) -> HttpResponse:
    return _signed(body, 200, http.ENROL_SIGNATURE, Context.ENROL)


def heartbeat(body: bytes) -> HttpResponse:
    return _signed(body, 200, http.HEARTBEAT_SIGNATURE, Context.HEARTBEAT_ANSWER)


def unsigned(status: int, detail: str) -> HttpResponse:
    """The terminal keeps what it has and tries again."""
    headers = {"Retry-After": str(RETRY_AFTER_S)} if status == 503 else {}
    return HttpResponse(f"{detail}\n", status=status, content_type="text/plain; charset=utf-8", headers=headers)


def _signed(body: bytes, status: int, header: str, context: Context) -> HttpResponse:
    signature = sign(context, body, office_keys().signing)
    return HttpResponse(body, status=status, content_type=http.JSON_TYPE, headers={header: signature})
