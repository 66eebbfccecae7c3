"""The officer's word on a case, and what follows from it."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from kiosk.domain.period import local_day
from kiosk.office import audit, outcomes
from kiosk.office.models import AuditEntry, Case, FaceEnrolment, Person


def decide(case_id: str, version: int, accepted: bool, reason: str, officer: User) -> bool:
    """False when somebody else has decided since the officer saw `version`. reason: empty when accepted."""
    state = Case.State.ACCEPTED if accepted else Case.State.REJECTED
    with transaction.atomic(durable=True):
        taken = Case.objects.filter(pk=case_id, version=version, state=Case.State.PENDING).update(
            version=F("version") + 1, state=state, reason=reason, officer=officer, decided=timezone.now(),
        )
        if not taken:
            return False
        case = Case.objects.get(pk=case_id)
        if counts(case):
            _tell_terminals(case)
            outcomes.note(case)
        audit.append(officer.get_username(), AuditEntry.Action.DECIDED, case.case_number, state=state.value, case=case_id)
    return True


def counts(case: Case | FaceEnrolment) -> bool:
    """Whether a decision on it says anything about a real person."""
    return not case.simulated or settings.OFFICE.demo


def _tell_terminals(case: Case) -> None:
    """Somebody the roster did not know is known from here on: the word has to reach the person at the next visit."""
    person = Person.objects.filter(number=case.number).first()
    if person is None:
        person = Person(number=case.number, name=case.name, category=case.category or "unknown")
    if case.state == Case.State.ACCEPTED:
        due = settings.OFFICE.period_rule().due_date(local_day(case.capture_moment))
        # A case decided late must not take back what a newer one, or the town's own list, has already given.
        person.next_due = max(due, person.next_due) if person.next_due else due
    person.save_changed()
