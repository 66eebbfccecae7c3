"""Taking heartbeats: the newest one of each terminal is kept, whatever its clock says."""

from __future__ import annotations

import datetime as dt
import hashlib

from django.db import OperationalError, transaction
from django.http import HttpResponse
from django.utils import timezone
from django.utils.crypto import salted_hmac
from pydantic import ValidationError

from kiosk.office import clones, dating, heads, signed
from kiosk.office.backup.make import newest_verified
from kiosk.office.models import DeviceReport, Heartbeat, Terminal, TerminalKey
from kiosk.sync.wire import http
from kiosk.sync.wire.keys import signing_public
from kiosk.sync.wire.models import HeartbeatAnswer, HeartbeatBody, RefusalCode
from kiosk.sync.wire.signing import Context, heartbeat_message, verify

_WINDOW = dt.timedelta(seconds=http.REQUEST_WINDOW_S)


def put(terminal_id: str, data: bytes, nonce: str, signature: str) -> HttpResponse:
    """The answer to one PUT: 200 with the office's word, 403/422 with refusal, else unsigned."""

    def refuse(code: RefusalCode, status: int) -> HttpResponse:
        return signed.refusal(code, status, nonce, hashlib.sha256(data).hexdigest())

    key = TerminalKey.objects.filter(terminal_id=terminal_id).order_by("-epoch").first()
    if key is None or key.revoked is not None:
        return refuse(RefusalCode.DEVICE, 403)
    message = heartbeat_message(http.HEARTBEAT_PATH, nonce, data)
    proven = verify(Context.HEARTBEAT, message, signature, signing_public(key.signing_key))
    try:
        body = HeartbeatBody.model_validate_json(data)
    except ValidationError:
        return refuse(RefusalCode.INVALID, 422 if proven else 403)
    if not proven or (body.kiosk, body.epoch) != (terminal_id, key.epoch):  # another one's, or of an earlier enrolment
        if body.kiosk == terminal_id and clones.outlived(body, message, signature):
            with transaction.atomic(durable=True):
                clones.notice(terminal_id, "old_enrolment_lives", epoch=body.epoch)
            return refuse(RefusalCode.CLONE, 403)
        if not proven and body.kiosk == terminal_id and body.epoch > key.epoch:  # of an enrolment that a restored office has lost
            return refuse(RefusalCode.DEVICE, 403)
        return refuse(RefusalCode.INVALID, 403)
    try:
        taken, challenge = _take(body, timezone.now())
    except OperationalError:
        return signed.unsigned(503, "the office's database is busy")
    backup = newest_verified()
    told = HeartbeatAnswer(
        nonce=nonce, taken=taken, challenge=challenge, now=timezone.now().astimezone(dt.UTC), clone=clones.noticed(terminal_id),
        audit=body.audit if taken and not heads.differs(terminal_id) else None, office=signed.office_keys().announced,
        backup="" if backup is None else backup.pk,
    )
    return signed.heartbeat(told.to_json())


def _take(body: HeartbeatBody, now: dt.datetime) -> tuple[bool, str]:
    """Whether it is kept, and the challenge that only a heartbeat made after this moment can carry.

    A heartbeat sent again must not cover a newer one. Its time proves it new only while the clock goes right, and a
    terminal whose clock was set back must not look lost: then the challenge proves it.
    """
    with transaction.atomic(durable=True):
        terminal = Terminal.objects.select_for_update().get(pk=body.kiosk)
        last = Heartbeat.objects.filter(pk=terminal.pk).first()
        challenge = _challenge(terminal.pk, last)
        newer = (last is None or body.sent_at > last.sent) and abs(body.sent_at - now) <= _WINDOW
        if not newer and body.challenge != challenge:
            return False, challenge
        kept = _keep(body, now)
        _keep_devices(body, now)
        clones.note_boot(body, now)
        dating.date_waiting(body.kiosk, body.boot)
        if body.audit is not None:
            heads.told_by_heartbeat(body.kiosk, body.epoch, body.audit, now)
        Terminal.objects.filter(pk=terminal.pk).update(last_seen=now)
    return True, _challenge(terminal.pk, kept)


def _challenge(terminal_id: str, last: Heartbeat | None) -> str:
    """Nobody else can compute it, and it changes with every heartbeat taken."""
    told = "" if last is None else f"{last.received.timestamp():.6f}"
    return salted_hmac("kiosk.heartbeat", f"{terminal_id}\n{told}", algorithm="sha256").hexdigest()


def _keep(body: HeartbeatBody, now: dt.datetime) -> Heartbeat:
    kept, _ = Heartbeat.objects.update_or_create(pk=body.kiosk, defaults={
        "received": now, "sent": body.sent_at, "epoch": body.epoch, "app_version": body.app_version,
        "terminal_seen": body.terminal_seen, "unsent": body.unsent, "held": body.held, "dead": body.dead,
        "oldest_unsent_s": body.oldest_unsent_s, "roster_version": body.roster_version, "free_mb": body.free_mb,
        "content_version": body.content_version, "office_kids": list(body.office_kids),
    })
    return kept


def _keep_devices(body: HeartbeatBody, now: dt.datetime) -> None:
    """Exactly those told; of a kind told twice the last word."""
    told = {device.kind: device for device in body.devices}
    DeviceReport.objects.filter(terminal_id=body.kiosk).exclude(kind__in=list(told)).delete()
    DeviceReport.objects.bulk_create(
        [
            DeviceReport(
                terminal_id=body.kiosk, kind=kind, state=device.state, reason=device.reason, since=device.since, received=now,
            )
            for kind, device in told.items()
        ],
        update_conflicts=True, unique_fields=["terminal", "kind"], update_fields=["state", "reason", "since", "received"],
    )
