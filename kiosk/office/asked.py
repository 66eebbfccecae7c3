"""A terminal's signed GET: who asks, and the answer that only this terminal can read."""

from __future__ import annotations

import time
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from kiosk.office import signed
from kiosk.office.models import Terminal, TerminalKey
from kiosk.sync.wire import http
from kiosk.sync.wire.keys import sealing_public, signing_public
from kiosk.sync.wire.models import RefusalCode
from kiosk.sync.wire.pull import Pull, seal_pull, sign_unchanged
from kiosk.sync.wire.signing import Context, request_message, verify


@dataclass(frozen=True)
class Asked:
    terminal_id: str
    nonce: str
    sealing_key: str
    """Hex, of the newest enrolment."""


def who_asks(request: HttpRequest) -> Asked | HttpResponse:
    """The terminal, proven by the signature of its newest enrolment, or the answer that says why not."""
    terminal_id, nonce = request.headers.get(http.KIOSK, ""), request.headers.get(http.NONCE, "")
    sent, signature = request.headers.get(http.TIME, ""), request.headers.get(http.SIGNATURE, "")
    timed = sent.isascii() and sent.isdigit() and len(sent) <= 12
    if not (terminal_id and signature and timed and 0 < len(nonce) <= 64):
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
    return Asked(terminal_id, nonce, key.sealing_key)


def sealed(asked: Asked, pull: Pull | None) -> HttpResponse:
    """None: there is nothing newer, which is signed too."""
    if pull is None:
        return unchanged(asked)
    body, signature = seal_pull(pull, asked.terminal_id, sealing_public(asked.sealing_key), signed.office_keys().signing)
    return HttpResponse(body, content_type=http.ENVELOPE_TYPE, headers={http.PULL_SIGNATURE: signature})


def unchanged(asked: Asked) -> HttpResponse:
    signature = sign_unchanged(asked.nonce, signed.office_keys().signing)
    return HttpResponse(status=304, headers={http.PULL_SIGNATURE: signature})
