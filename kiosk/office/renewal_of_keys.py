"""Terminals that change their keys by themselves, in time or after years offline. Never one that was revoked."""

from __future__ import annotations

import hashlib

from django.db import OperationalError, transaction
from django.http import HttpResponse
from django.utils import timezone
from pydantic import ValidationError

from kiosk.office import audit, clones, signed
from kiosk.office.enrolment import answer_of, next_epoch
from kiosk.office.models import AuditEntry, Terminal, TerminalKey
from kiosk.sync.wire.keys import signing_public
from kiosk.sync.wire.models import RefusalCode
from kiosk.sync.wire.renewal import RenewRequest
from kiosk.sync.wire.signing import Context, verify


def post(data: bytes, signature: str) -> HttpResponse:
    """200 with the office's word, 403/409/422 with refusal, else unsigned. A refusal names the request by its digest."""
    if not signature:
        return signed.unsigned(400, "the request is not signed")
    sha256 = hashlib.sha256(data).hexdigest()

    def refuse(code: RefusalCode, status: int) -> HttpResponse:
        return signed.refusal(code, status, sha256, sha256)

    try:
        request = RenewRequest.model_validate_json(data)
    except ValidationError:
        return refuse(RefusalCode.INVALID, 422)
    key = TerminalKey.objects.filter(terminal_id=request.kiosk, epoch=request.epoch, revoked=None).first()
    if key is None:
        return refuse(RefusalCode.DEVICE, 403)
    if not verify(Context.RENEW, data, signature, signing_public(key.signing_key)):
        return refuse(RefusalCode.INVALID, 403)
    try:
        with transaction.atomic(durable=True):
            renewed = _renewed(request, key)
            if renewed is None:
                clones.notice(request.kiosk, "renewed_twice", epoch=request.epoch)
    except OperationalError:
        return signed.unsigned(503, "the office's database is busy")
    return refuse(RefusalCode.CLONE, 409) if renewed is None else signed.enrolment(answer_of(renewed).to_json())


def _renewed(request: RenewRequest, key: TerminalKey) -> TerminalKey | None:
    """The enrolment these new keys belong to, made now or before; None when other keys have taken its place."""
    Terminal.objects.select_for_update().get(pk=request.kiosk)
    later = TerminalKey.objects.select_related("terminal").filter(terminal_id=request.kiosk, epoch__gt=request.epoch)
    if later.exists():
        return later.filter(signing_key=request.signing_key, sealing_key=request.sealing_key, revoked=None).first()
    renewed = TerminalKey.objects.create(
        terminal=key.terminal, epoch=next_epoch(request.kiosk), name=key.name, signing_key=request.signing_key,
        sealing_key=request.sealing_key, enrolled=timezone.now(), renewed_from=request.epoch,
    )
    audit.append(request.kiosk, AuditEntry.Action.RENEWED, request.kiosk, epoch=renewed.epoch, before=request.epoch)
    return renewed
