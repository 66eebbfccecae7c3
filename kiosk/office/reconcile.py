"""Telling terminals, day by day, what is here and what is in the newest verified backup (`wire.reconcile`)."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpResponse
from pydantic import ValidationError

from kiosk.office import audit, parts, signed
from kiosk.office.backup.make import held_by, newest_verified
from kiosk.office.models import AuditEntry, Backup, Envelope, TerminalKey
from kiosk.sync.wire import http
from kiosk.sync.wire.envelope import parse_header
from kiosk.sync.wire.keys import signing_public
from kiosk.sync.wire.models import RefusalCode
from kiosk.sync.wire.reconcile import DayAnswer, DayBody, DayState, ReconcileAnswer, ReconcileBody, day_digest
from kiosk.sync.wire.signing import Context, heartbeat_message, verify

_BATCH = 500


def post(terminal_id: str, data: bytes, nonce: str, signature: str) -> HttpResponse:
    """200 with the office's word, 403/422 with refusal, else unsigned."""

    def refuse(code: RefusalCode, status: int) -> HttpResponse:
        return signed.refusal(code, status, nonce, hashlib.sha256(data).hexdigest())

    if not (terminal_id and signature and 0 < len(nonce) <= 64):
        return signed.unsigned(400, "the request is not signed")
    key = TerminalKey.objects.filter(terminal_id=terminal_id).order_by("-epoch").first()
    if key is None or key.revoked is not None:
        return refuse(RefusalCode.DEVICE, 403)
    message = heartbeat_message(http.RECONCILE_PATH, nonce, data, "POST")
    if not verify(Context.RECONCILE, message, signature, signing_public(key.signing_key)):
        return refuse(RefusalCode.INVALID, 403)
    try:
        body = ReconcileBody.model_validate_json(data)
    except ValidationError:
        return refuse(RefusalCode.INVALID, 422)
    if (body.kiosk, body.epoch) != (terminal_id, key.epoch):
        return refuse(RefusalCode.INVALID, 403)
    backup = newest_verified()
    days = _days(terminal_id, body.days, backup)
    _alarm(terminal_id, body, days)
    told = ReconcileAnswer(nonce=nonce, backup="" if backup is None else backup.pk, days=days)
    return signed.reconcile(told.to_json())


def _days(terminal_id: str, asked: Sequence[DayBody], backup: Backup | None) -> tuple[DayAnswer, ...]:
    here: dict[dt.date, set[str]] = defaultdict(set)
    safe: dict[dt.date, set[str]] = defaultdict(set)
    of_days = Envelope.objects.filter(terminal_id=terminal_id, day__in={one.day for one in asked})
    in_backup = _in_backup(backup, of_days)
    for case_id, day in _whole(of_days):
        assert day is not None  # it was looked for by its day
        here[day].add(case_id)
        if case_id in in_backup:
            safe[day].add(case_id)
    told = sorted({case_id for one in asked for case_id in one.ids or ()})
    known: set[str] = set()
    saved: set[str] = set()
    for at in range(0, len(told), _BATCH):  # whichever terminal number they came under
        some = Envelope.objects.filter(pk__in=told[at : at + _BATCH])
        known |= {case_id for case_id, _ in _whole(some)}
        saved |= _in_backup(backup, some)
    return tuple(
        DayAnswer(
            day=one.day, live=_state(here[one.day], one.digest), safe=_state(safe[one.day], one.digest),
            missing=tuple(case_id for case_id in one.ids or () if case_id not in known),
            saved=tuple(case_id for case_id in one.ids or () if case_id in saved and case_id in known),
        )
        for one in asked
    )


def _state(ids: Collection[str], digest: str) -> DayState:
    return DayState.SAME if day_digest(ids) == digest else DayState.DIFFERS


def _whole(envelopes: QuerySet[Envelope]) -> Iterator[tuple[str, dt.date | None]]:
    """Id and day. Held ones and tombstones count; one without all its pieces does not."""
    for case_id, day, pieces, erased in list(envelopes.values_list("pk", "day", "pieces", "erased")):
        if pieces == 0 or erased is not None or not parts.missing(parse_header(bytes(Envelope.objects.get(pk=case_id).raw))):
            yield case_id, day


def _in_backup(backup: Backup | None, envelopes: QuerySet[Envelope]) -> set[str]:
    """Of these, what stands in that backup as well; nothing where there is none."""
    if backup is None:
        return set()
    return set(held_by(backup).filter(envelope__in=envelopes).values_list("pk", flat=True))


def _alarm(terminal_id: str, body: ReconcileBody, days: Collection[DayAnswer]) -> None:
    """What is nowhere but in the archive of envelopes: said once for the same cases."""
    purged = {one for day in body.days for one in day.purged}
    lost = sorted({one for day in days for one in day.missing} & purged)
    if not lost:
        return
    digest = hashlib.sha256("\n".join(lost).encode()).hexdigest()
    told = AuditEntry.objects.filter(action=AuditEntry.Action.MISSING, subject=terminal_id, detail__ids=digest)
    if not told.exists():
        with transaction.atomic(durable=True):
            audit.append(terminal_id, AuditEntry.Action.MISSING, terminal_id, count=len(lost), ids=digest)
