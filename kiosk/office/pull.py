"""What a terminal is told about the roster: page by page, in the order in which it changed."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings

from kiosk.domain.period import local_day
from kiosk.office.models import Case, Person
from kiosk.sync.wire.face import TemplateBody
from kiosk.sync.wire.models import DecisionBody, RosterEntryBody, RosterPull

UNKNOWN_CATEGORY = "unknown"
PAGE = 100
"""Entries per answer: with ten templates each still far below what a terminal takes."""


def roster_pull(after: int) -> RosterPull | None:
    """The page after version `after`; None when there is nothing newer."""
    newest = Person.roster_version()
    if after == newest:
        return None
    replace = after == 0 or after > newest  # a terminal ahead of us knows an office that was since restored
    start = 0 if replace else after
    page = list(
        Person.objects.filter(version__gt=start).order_by("version").prefetch_related("portraits__templates")[: PAGE + 1]
    )
    more, page = len(page) > PAGE, page[:PAGE]
    decisions = _last_decisions(person.number for person in page)
    return RosterPull(
        after=after, version=page[-1].version if page else newest, replace=replace, more=more,
        entries=tuple(_entry(person, decisions.get(person.number)) for person in page if person.active),
        removed=tuple(person.number for person in page if not person.active),
    )


def _entry(person: Person, decision: DecisionBody | None) -> RosterEntryBody:
    templates = tuple(
        TemplateBody(
            engine=template.engine, vector=tuple(template.vector), source=portrait.source, taken_on=portrait.taken_on,
        )
        for portrait in person.portraits.all() if portrait.retired is None for template in portrait.templates.all()
    )
    return RosterEntryBody(
        number=person.number, name=person.name, category=person.category or UNKNOWN_CATEGORY, next_due=person.next_due,
        templates=templates, decision=decision,
    )


def _last_decisions(numbers: Iterable[str]) -> dict[str, DecisionBody]:
    decided = Case.objects.filter(number__in=list(numbers)).exclude(decided=None).order_by("decided")
    if not settings.OFFICE.demo:
        decided = decided.filter(simulated=False)
    return {
        case.number: DecisionBody(
            case_number=case.case_number, accepted=case.state == Case.State.ACCEPTED, reason=case.reason,
            decided_on=local_day(case.decided),
        )
        for case in decided if case.decided
    }
