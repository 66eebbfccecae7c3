"""Letting terminals in: a one-time code from a clerk, the terminal's own keys in return."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from kiosk.domain.short_code import make_short_code
from kiosk.office import audit, signed
from kiosk.office.guesses import guesses
from kiosk.office.models import AuditEntry, EnrolmentToken, Terminal, TerminalKey
from kiosk.sync.wire import enrolment as wire
from kiosk.sync.wire.enrolment import EnrolmentCode, ProvenEnrolRequest
from kiosk.sync.wire.models import EnrolAnswer, EnrolRequest

VALID_FOR = dt.timedelta(minutes=30)


@dataclass(frozen=True)
class IssuedCodes:
    """Two ways to say one secret: whichever is used first, the other is spent with it."""

    long: EnrolmentCode = field(repr=False)
    short: str = field(repr=False)
    """Twenty digits."""


@dataclass(frozen=True)
class Admitted:
    answer: EnrolAnswer
    proof_key: bytes = field(repr=False)


def issue_codes(terminal_id: str, site: str, actor: str) -> IssuedCodes:
    """Codes for one enrolment. Makes the terminal known; raises django's ValidationError for a bad id or site."""
    terminal = Terminal(id=terminal_id, site=site)
    terminal.clean_fields(exclude=["last_seen", "clone_noticed", "head_differs", "head_differs_from"])
    short = make_short_code()
    token, now = wire.token_of(short), timezone.now()
    with transaction.atomic(durable=True):
        Terminal.objects.update_or_create(pk=terminal_id, defaults={"site": site})
        EnrolmentToken.objects.filter(expires__lte=now).exclude(proof_key="").update(proof_key="")
        EnrolmentToken.objects.create(
            sha256=wire.token_digest(token), terminal_id=terminal_id, expires=now + VALID_FOR,
            proof_key=wire.proof_key(token).hex(),
        )
        audit.append(actor, AuditEntry.Action.CODE_ISSUED, terminal_id)
    keys = signed.office_keys()
    long = EnrolmentCode(
        url=settings.OFFICE.url, token=token, signing_key=keys.signing_public, sealing_key=keys.sealing_public,
    )
    return IssuedCodes(long, short)


def issue_code(terminal_id: str, site: str, actor: str) -> EnrolmentCode:
    """The long code alone; as `issue_codes`."""
    return issue_codes(terminal_id, site, actor).long


def enrol(request: EnrolRequest) -> EnrolAnswer | None:
    """Of a terminal with software of before the proofs: its token stands in the request."""
    proven = ProvenEnrolRequest(
        token_sha256=wire.token_digest(request.token), name=request.name, signing_key=request.signing_key,
        sealing_key=request.sealing_key,
    )
    data = proven.to_json()
    admitted = enrol_proven(proven, data, wire.request_proof(wire.proof_key(request.token), data))
    return None if admitted is None else admitted.answer


def enrol_proven(request: ProvenEnrolRequest, data: bytes, proof: str) -> Admitted | None:
    """The answer for a good token, which is spent by it; None for an unknown, spent or expired one, or a wrong proof.

    data: the request as received. The same keys asking again before the code has ended get the same answer: then the
    first one was lost.
    """
    now = timezone.now()
    with transaction.atomic(durable=True):
        token = EnrolmentToken.objects.select_for_update().filter(pk=request.token_sha256, expires__gt=now).first()
        key_hex = token.proof_key if token is not None else ""
        if token is None or not key_hex or not wire.proves(wire.request_proof(bytes.fromhex(key_hex), data), proof):
            guesses.wrong()
            return None
        key = _key_for(token, request, now)
        if key is None:
            return None
        return Admitted(answer_of(key), bytes.fromhex(key_hex))


def answer_of(key: TerminalKey) -> EnrolAnswer:
    """What a terminal is told about one of its enrolments."""
    return EnrolAnswer(
        terminal_id=key.terminal_id, site=key.terminal.site, epoch=key.epoch, signing_key=key.signing_key,
        office=signed.office_keys().announced,
    )


def next_epoch(terminal_id: str) -> int:
    last = TerminalKey.objects.filter(terminal_id=terminal_id).aggregate(last=Max("epoch"))["last"]
    return (last or 0) + 1


def revoke(terminal_id: str, actor: str) -> bool:
    """Ends every enrolment and every unused code of this terminal. False when there was nothing to end."""
    now = timezone.now()
    with transaction.atomic(durable=True):
        keys = TerminalKey.objects.filter(terminal_id=terminal_id, revoked=None).update(revoked=now)
        tokens = EnrolmentToken.objects.filter(terminal_id=terminal_id, used=None, expires__gt=now).update(expires=now)
        if keys or tokens:
            audit.append(actor, AuditEntry.Action.REVOKED, terminal_id, keys=keys)
    return bool(keys or tokens)


def _key_for(token: EnrolmentToken, request: ProvenEnrolRequest, now: dt.datetime) -> TerminalKey | None:
    """A new enrolment, or the one this token has already made for the very same keys."""
    if token.used is not None:
        return TerminalKey.objects.select_related("terminal").filter(
            terminal_id=token.terminal_id, epoch=token.epoch or 0, signing_key=request.signing_key,
            sealing_key=request.sealing_key, revoked=None,
        ).first()
    key = TerminalKey.objects.create(
        terminal=token.terminal, epoch=next_epoch(token.terminal_id), name=request.name, signing_key=request.signing_key,
        sealing_key=request.sealing_key, enrolled=now,
    )
    token.used, token.epoch = now, key.epoch
    token.save(update_fields=["used", "epoch"])
    Terminal.objects.filter(pk=token.terminal_id).update(
        clone_noticed=None, head_differs=None, head_differs_from=None,
        former_districts=[],  # its first pull replaces everything it has
    )
    audit.append(token.terminal_id, AuditEntry.Action.ENROLLED, token.terminal_id, epoch=key.epoch)
    return key
