"""Two machines with one identity: a copied or restored disk. Noticed here, told on the desk and to the terminal.

What shows it: the same number on two different cases, a start that comes back after another one, a monotonic clock that
went back within one start, and an enrolment that lives on after a newer one was heard.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils import timezone

from kiosk.office import audit
from kiosk.office.models import AuditEntry, Envelope, Heartbeat, Terminal, TerminalBoot, TerminalKey
from kiosk.sync.wire.keys import signing_public
from kiosk.sync.wire.models import EnvelopeHeader, HeartbeatBody
from kiosk.sync.wire.signing import Context, verify

_MONO_SLACK_MS = 1000


def notice(terminal_id: str, sign: str, **detail: str | int | bool) -> None:
    """An alarm on the desk, until the terminal is enrolled anew; written to the audit once. Part of the caller's transaction."""
    with transaction.atomic():
        if Terminal.objects.filter(pk=terminal_id, clone_noticed=None).update(clone_noticed=timezone.now()):
            audit.append(terminal_id, AuditEntry.Action.CLONE, terminal_id, sign=sign, **detail)


def noticed(terminal_id: str) -> bool:
    return Terminal.objects.filter(pk=terminal_id).exclude(clone_noticed=None).exists()


def note_boot(body: HeartbeatBody, now: dt.datetime) -> None:
    """Of a heartbeat that was taken. Part of the caller's transaction."""
    if not body.boot:
        return
    boots = TerminalBoot.objects.filter(terminal_id=body.kiosk, epoch=body.epoch)
    newest = boots.order_by("-received").first()
    known = boots.filter(boot=body.boot).first()
    if known is not None and newest is not None and newest.pk != known.pk:
        notice(body.kiosk, "boot_came_back", epoch=body.epoch)
    elif known is not None and body.mono_ms + _MONO_SLACK_MS < known.mono_ms:
        notice(body.kiosk, "clock_of_boot_went_back", epoch=body.epoch)
    boots.update_or_create(
        terminal_id=body.kiosk, epoch=body.epoch, boot=body.boot, defaults={"mono_ms": body.mono_ms, "received": now},
    )


def outlived(body: HeartbeatBody, message: bytes, signature: str) -> bool:
    """Whether this is a heartbeat of an enrolment whose successor has been heard already: then two machines live.

    Before the successor is heard, its answer may only have been lost; and one sent before there was a successor is an
    old one sent again.
    """
    key = TerminalKey.objects.filter(terminal_id=body.kiosk, epoch=body.epoch, revoked=None).first()
    newest = TerminalKey.objects.filter(terminal_id=body.kiosk).order_by("-epoch").first()
    if key is None or newest is None or newest.epoch <= body.epoch or body.sent_at <= newest.enrolled:
        return False
    heard = Heartbeat.objects.filter(pk=body.kiosk, epoch=newest.epoch).exists()
    return heard and verify(Context.HEARTBEAT, message, signature, signing_public(key.signing_key))


def stands_up(header: EnvelopeHeader, hexdigest: str, vouch: str) -> bool:
    """Whether a newer enrolment vouches for this envelope: the machine that holds it has been let in again since.

    vouch: terminal id, epoch, signature. Of another terminal it counts too, as a copied machine gets a number of its own;
    only an envelope whose own key the office has lost needs one of the same terminal.
    """
    terminal_id, epoch, signature = ([*vouch.split(" "), "", "", ""])[:3]
    newest = TerminalKey.objects.filter(terminal_id=terminal_id).order_by("-epoch").first()
    if newest is None or newest.revoked is not None or str(newest.epoch) != epoch:
        return False
    same = terminal_id == header.kiosk
    if same and newest.epoch <= header.epoch:
        return False
    if not same and not TerminalKey.objects.filter(terminal_id=header.kiosk, epoch=header.epoch).exists():
        return False
    return verify(Context.VOUCH, bytes.fromhex(hexdigest), signature, signing_public(newest.signing_key))


def next_fork(header: EnvelopeHeader) -> int:
    """The first free place beside the case that has this number already."""
    same = Envelope.objects.filter(terminal_id=header.kiosk, epoch=header.epoch, seq=header.seq)
    last = same.order_by("-fork").values_list("fork", flat=True).first()
    return 0 if last is None else last + 1
