"""The officer's word on an enrolment of a face, and what follows from it."""

from __future__ import annotations

import datetime as dt
import hashlib

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from kiosk.domain.period import local_day
from kiosk.domain.roster import TemplateSource
from kiosk.office import audit, outcomes
from kiosk.office.decision import counts
from kiosk.office.models import AuditEntry, FaceCapture, FaceEnrolment, Person, PersonTemplate, Portrait
from kiosk.office.withdrawal import may_keep


def decide_enrolment(pk: str, version: int, accepted: bool, reason: str, retire_older: bool, officer: User) -> bool:
    """False when somebody else has decided since the officer saw `version`. reason: empty when accepted.

    retire_older: terminals are to compare with the new captures alone.
    """
    state = FaceEnrolment.State.ACCEPTED if accepted else FaceEnrolment.State.REJECTED
    actor = officer.get_username()
    with transaction.atomic(durable=True):
        taken = FaceEnrolment.objects.filter(pk=pk, version=version, state=FaceEnrolment.State.PENDING).update(
            version=F("version") + 1, state=state, reason=reason, officer=officer, decided=timezone.now(),
        )
        if not taken:
            return False
        enrolment = FaceEnrolment.objects.get(pk=pk)
        retired = _take_over(enrolment, retire_older) if accepted and counts(enrolment) else 0
        if counts(enrolment):
            outcomes.note(enrolment)
        audit.append(actor, AuditEntry.Action.ENROLMENT_DECIDED, enrolment.case_number, state=state.value, enrolment=pk)
        if retired:
            audit.append(actor, AuditEntry.Action.PORTRAITS_RETIRED, enrolment.case_number, portraits=retired)
    return True


def _take_over(enrolment: FaceEnrolment, retire_older: bool) -> int:
    """Captures become portraits and terminals hear of them; returns how many older portraits were retired."""
    person = Person.objects.filter(number=enrolment.number).first()
    if person is None:
        person = Person(number=enrolment.number, name=enrolment.name, category=enrolment.category)
    person.save_changed()
    if not may_keep(enrolment):  # taken back while it waited for review
        return 0
    day = local_day(enrolment.captured)
    new = [_add(person, capture, day) for capture in enrolment.captures.all()]
    if not retire_older:
        return 0
    older = Portrait.objects.filter(person=person, retired=None).exclude(pk__in=new)
    # An enrolment decided late must not take back what a newer one has already given.
    return older.filter(Q(taken_on=None) | Q(taken_on__lte=day)).update(retired=timezone.now())


def _add(person: Person, capture: FaceCapture, day: dt.date) -> int:
    """Key of the portrait. The same picture once retired is valid again."""
    jpeg = bytes(capture.jpeg)
    portrait, _ = Portrait.objects.update_or_create(
        person=person, source_sha256=hashlib.sha256(jpeg).hexdigest(),
        defaults={"jpeg": jpeg, "source": TemplateSource.ENROLLED.value, "taken_on": day, "retired": None},
    )
    PersonTemplate.objects.update_or_create(portrait=portrait, engine=capture.engine, defaults={"vector": capture.vector})
    return portrait.pk
