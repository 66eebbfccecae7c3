"""Letting terminals in: a one-time code from a clerk, the terminal's own keys in return."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from kiosk.office import audit, signed
from kiosk.office.models import AuditEntry, EnrolmentToken, Terminal, TerminalKey
from kiosk.sync.wire.enrolment import EnrolmentCode
from kiosk.sync.wire.models import EnrolAnswer, EnrolRequest, OfficeKeys

TOKEN_BYTES = 20
VALID_FOR = dt.timedelta(minutes=30)


def issue_code(terminal_id: str, site: str, actor: str) -> EnrolmentCode:
    """A code for one enrolment. Makes the terminal known; raises django's ValidationError for a bad id or site."""
    token = secrets.token_hex(TOKEN_BYTES)
    terminal = Terminal(id=terminal_id, site=site)
    terminal.clean_fields(exclude=["last_seen"])
    with transaction.atomic(durable=True):
        Terminal.objects.update_or_create(pk=terminal_id, defaults={"site": site})
        EnrolmentToken.objects.create(sha256=_sha256(token), terminal_id=terminal_id, expires=timezone.now() + VALID_FOR)
        audit.append(actor, AuditEntry.Action.CODE_ISSUED, terminal_id)
    keys = signed.office_keys()
    return EnrolmentCode(url=settings.OFFICE.url, token=token, signing_key=keys.signing_public, sealing_key=keys.sealing_public)


def enrol(request: EnrolRequest) -> EnrolAnswer | None:
    """The answer for a good token, which is spent by it; None for an unknown, spent or expired one."""
    now = timezone.now()
    with transaction.atomic(durable=True):
        good = EnrolmentToken.objects.filter(pk=_sha256(request.token), used=None, expires__gt=now)
        if not good.update(used=now):
            return None
        terminal = EnrolmentToken.objects.select_related("terminal").get(pk=_sha256(request.token)).terminal
        last = TerminalKey.objects.filter(terminal=terminal).aggregate(last=Max("epoch"))["last"]
        key = TerminalKey.objects.create(
            terminal=terminal, epoch=(last or 0) + 1, name=request.name, signing_key=request.signing_key,
            sealing_key=request.sealing_key, enrolled=now,
        )
        audit.append(terminal.pk, AuditEntry.Action.ENROLLED, terminal.pk, epoch=key.epoch)
    keys = signed.office_keys()
    return EnrolAnswer(
        terminal_id=terminal.pk, site=terminal.site, epoch=key.epoch, signing_key=request.signing_key,
        office=OfficeKeys(sealing=keys.sealing_public, signing=(keys.signing_public,)),
    )


def revoke(terminal_id: str, actor: str) -> bool:
    """Ends every enrolment and every unused code of this terminal. False when there was nothing to end."""
    now = timezone.now()
    with transaction.atomic(durable=True):
        keys = TerminalKey.objects.filter(terminal_id=terminal_id, revoked=None).update(revoked=now)
        tokens = EnrolmentToken.objects.filter(terminal_id=terminal_id, used=None, expires__gt=now).update(expires=now)
        if keys or tokens:
            audit.append(actor, AuditEntry.Action.REVOKED, terminal_id, keys=keys)
    return bool(keys or tokens)


def _sha256(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
