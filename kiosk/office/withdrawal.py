"""撤回同意: a person takes back the consent to keep pictures and features of the face.

Portraits and templates go at once, so that terminals drop them with their next pull; pictures of cases and enrolments go
where the review is closed, the others as soon as it is. The person stays in the roster and certifies by staff review.
What a backup still holds goes when that backup is replaced; after a restore the withdrawals on the list are run again.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from kiosk.office import audit
from kiosk.office.models import AuditEntry, Case, FaceEnrolment, Person, PersonTemplate, Portrait, Withdrawal
from kiosk.office.retention import covered, digest, empty_cases, empty_enrolments, empty_envelopes, empty_log


@dataclass(frozen=True)
class Held:
    """What the office has of one person."""

    person: Person | None
    portraits: int
    templates: int
    cases: tuple[Case, ...]
    """Decided; their pictures can go now."""
    enrolments: tuple[FaceEnrolment, ...]
    waiting: tuple[Case | FaceEnrolment, ...]
    """Review still open: decided first, emptied then."""

    @property
    def known(self) -> bool:
        return bool(self.person or self.cases or self.enrolments or self.waiting)


def held(number: str) -> Held:
    """number: the whole citizen number."""
    person = Person.objects.filter(number=number).first()
    cases = Case.objects.filter(number=number).select_related("terminal").order_by("captured")
    enrolments = FaceEnrolment.objects.filter(number=number).select_related("terminal").order_by("captured")
    return Held(
        person=person,
        portraits=Portrait.objects.filter(person__number=number).exclude(jpeg=b"").count(),
        templates=PersonTemplate.objects.filter(portrait__person__number=number).count(),
        cases=tuple(cases.exclude(decided=None)), enrolments=tuple(enrolments.exclude(decided=None)),
        waiting=(*cases.filter(decided=None), *enrolments.filter(decided=None)),
    )


def withdraw(number: str, actor: str) -> Held:
    """Does it, in one transaction; returns what there was. The chain names the person by key, never by number."""
    now = timezone.now()
    with transaction.atomic(durable=True):
        was = held(number)
        Withdrawal.objects.update_or_create(number=number, defaults={"at": now})
        if was.person is not None:
            PersonTemplate.objects.filter(portrait__person=was.person).delete()
            Portrait.objects.filter(person=was.person, retired=None).update(retired=now)
            Portrait.objects.filter(person=was.person).update(jpeg=b"")
            was.person.save_changed()
        cases, enrolments = [one.pk for one in was.cases], [one.pk for one in was.enrolments]
        empty_cases(cases, now)
        empty_enrolments(enrolments, now)
        empty_envelopes([*cases, *enrolments], now)
        subject = str(was.person.pk) if was.person is not None else "不在名册"
        audit.append(
            actor, AuditEntry.Action.WITHDRAWN, subject, portraits=was.portraits, templates=was.templates, cases=len(cases),
            enrolments=len(enrolments), waiting=len(was.waiting), ids=digest([*cases, *enrolments]),
        )
    empty_log()
    return was


def may_keep(enrolment: FaceEnrolment) -> bool:
    """Whether features of this enrolment may be kept: its consent is newer than any withdrawal."""
    return not FaceEnrolment.objects.filter(Q(covered()), pk=enrolment.pk).exists()


def has_withdrawn(number: str) -> bool:
    """Photographs from files rest on no consent of their own: none is added again."""
    return Withdrawal.objects.filter(number=number).exists()
