"""What the office erases when, as a plan and as a run. Rows stay and say so; the chain of operations is never touched.

Pictures go so many days after the officer's word, at once where the person has taken the consent back; envelopes at the
end of the archive's time. Nothing undecided goes. An emptied envelope stays as a tombstone: the same bytes sent again get
the same receipt and raise nothing from the dead, other bytes are a conflict.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import connection, models, transaction
from django.db.models import Exists, Min, OuterRef, Q, QuerySet

from kiosk.office import audit
from kiosk.office.models import (
    AttemptClipFrame,
    AuditEntry,
    Case,
    EnrolmentClipFrame,
    Envelope,
    EnvelopePart,
    FaceCapture,
    FaceEnrolment,
    Photo,
    Withdrawal,
)

_BATCH = 50
ACTOR = "清除计划"


@dataclass(frozen=True)
class Planned:
    """what: `case_pictures`, `enrolment_pictures` or `envelopes`. first: when the first of them came or comes due."""

    what: str
    count: int
    first: dt.datetime | None


@dataclass(frozen=True)
class OfficePlan:
    at: dt.datetime
    due: tuple[Planned, ...]
    later: tuple[Planned, ...]
    waiting: int
    """Cases and enrolments nobody has decided: their pictures stay however old."""


def make_plan(now: dt.datetime) -> OfficePlan:
    kinds = _kinds(now)
    return OfficePlan(
        at=now,
        due=tuple(_planned(kind, kind.held.filter(kind.due)) for kind in kinds),
        later=tuple(_planned(kind, kind.held.exclude(kind.due)) for kind in kinds),
        waiting=sum(kind.objects.filter(decided=None).count() for kind in (Case, FaceEnrolment)),
    )


def run(now: dt.datetime) -> dict[str, int]:
    """Erases what is due, in small transactions, each with its own entry in the chain; how many of each kind."""
    counts = {}
    for kind in _kinds(now):
        keys = list(kind.held.filter(kind.due).values_list("pk", flat=True))
        for at in range(0, len(keys), _BATCH):
            some = keys[at : at + _BATCH]
            with transaction.atomic(durable=True):
                kind.empty(some, now)
                audit.append(ACTOR, AuditEntry.Action.ERASED, kind.what, count=len(some), ids=digest(some))
        counts[kind.what] = len(keys)
    empty_log()
    return counts


def covered() -> Exists:
    """Whether a withdrawal stands against a case or an enrolment: its consent is older, by its own word or by ours."""
    of_person = Withdrawal.objects.filter(number=OuterRef("number"))
    return Exists(of_person.filter(Q(at__gte=OuterRef("consent_given")) | Q(at__gte=OuterRef("envelope__received"))))


def empty_cases(keys: Sequence[str], now: dt.datetime) -> None:
    """Inside the caller's transaction."""
    Photo.objects.filter(attempt__case__in=keys).update(jpeg=b"")
    AttemptClipFrame.objects.filter(attempt__case__in=keys).update(jpeg=b"")
    Case.objects.filter(pk__in=keys, pictures_erased=None).update(pictures_erased=now)


def empty_enrolments(keys: Sequence[str], now: dt.datetime) -> None:
    """Inside the caller's transaction. Captures that were taken over are portraits by now and stay with them, unless the
    person withdrew."""
    EnrolmentClipFrame.objects.filter(enrolment__in=keys).update(jpeg=b"")
    unused = FaceEnrolment.objects.filter(Q(state=FaceEnrolment.State.REJECTED) | Q(covered()), pk__in=keys)
    FaceCapture.objects.filter(enrolment__in=list(unused.values_list("pk", flat=True))).update(jpeg=b"", vector=[])
    FaceEnrolment.objects.filter(pk__in=keys, pictures_erased=None).update(pictures_erased=now)


def empty_envelopes(keys: Sequence[str], now: dt.datetime) -> None:
    """Inside the caller's transaction; the one place where what was written once is emptied, past its own guard."""
    models.QuerySet(EnvelopePart).filter(case_id__in=keys).update(raw=b"")
    models.QuerySet(Envelope).filter(pk__in=keys, erased=None).update(raw=b"", erased=now)


def empty_log() -> None:
    """SQLite: what was overwritten leaves the write-ahead log too, unless somebody reads there just now."""
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def digest(keys: Sequence[str]) -> str:
    """SHA-256 over the ids, sorted, one a line."""
    return hashlib.sha256("\n".join(sorted(keys)).encode()).hexdigest()


@dataclass(frozen=True)
class _Kind:
    what: str
    held: QuerySet[Case] | QuerySet[FaceEnrolment] | QuerySet[Envelope]
    """What has been decided and is still there."""
    due: Q
    since: str
    """Field from which the days are counted."""
    days: int
    empty: Callable[[Sequence[str], dt.datetime], None]


def _kinds(now: dt.datetime) -> tuple[_Kind, ...]:
    pictures, envelopes = settings.OFFICE.pictures_days, settings.OFFICE.envelope_days
    decided = Q(decided__isnull=False, pictures_erased=None)
    old = Q(decided__lte=now - dt.timedelta(days=pictures))
    withdrawn = [*_withdrawn_keys(Case), *_withdrawn_keys(FaceEnrolment)]
    closed = Q(case__decided__isnull=False) | Q(faceenrolment__decided__isnull=False)
    return (
        _Kind("case_pictures", Case.objects.filter(decided), old | Q(pk__in=withdrawn), "decided", pictures, empty_cases),
        _Kind(
            "enrolment_pictures", FaceEnrolment.objects.filter(decided), old | Q(pk__in=withdrawn), "decided", pictures,
            empty_enrolments,
        ),
        _Kind(
            "envelopes", Envelope.objects.filter(closed, erased=None),
            Q(received__lte=now - dt.timedelta(days=envelopes)) | Q(pk__in=withdrawn), "received", envelopes, empty_envelopes,
        ),
    )


def _withdrawn_keys(kind: type[Case] | type[FaceEnrolment]) -> list[str]:
    """Decided, with the envelope still there: those of people who withdrew while their review was open."""
    left = kind.objects.filter(Q(covered()), decided__isnull=False, envelope__erased=None)
    return list(left.values_list("pk", flat=True))


def _planned(kind: _Kind, rows: QuerySet[Case] | QuerySet[FaceEnrolment] | QuerySet[Envelope]) -> Planned:
    oldest = rows.aggregate(first=Min(kind.since))["first"]
    return Planned(kind.what, rows.count(), oldest and oldest + dt.timedelta(days=kind.days))
