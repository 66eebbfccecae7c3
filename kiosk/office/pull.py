"""What a terminal is told about the roster: page by page, in the order in which it changed, of its own districts only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Q, QuerySet

from kiosk.domain.period import local_day
from kiosk.office.models import Case, Person, Terminal
from kiosk.sync.wire.face import TemplateBody
from kiosk.sync.wire.models import DecisionBody, RosterEntryBody, RosterPull

UNKNOWN_CATEGORY = "unknown"
PAGE = 100
"""Entries per answer: with ten templates each still far below what a terminal takes."""


@dataclass(frozen=True)
class Area:
    """Whose entries a terminal has, and whose it may have had. None: everybody's."""

    now: frozenset[str] | None
    ever: frozenset[str] | None

    def has(self, person: Person) -> bool:
        return person.active and (self.now is None or person.district in self.now)

    def may_know(self, person: Person) -> bool:
        """A number the terminal never had is not told it either, not even to be forgotten."""
        return self.ever is None or bool(self.ever & {person.district, *person.former_districts})


def area_of(terminal: Terminal) -> Area:
    """An empty district of a person is everybody's; an empty former one of the terminal was the whole roster."""
    if not terminal.districts:
        return Area(None, None)
    now = frozenset({"", *terminal.districts})
    return Area(now, None if "" in terminal.former_districts else now | set(terminal.former_districts))


def roster_pull(after: int, terminal_id: str) -> RosterPull | None:
    """The page after version `after`; None when there is nothing newer."""
    # In this order: what changes after the number was read has a higher one and comes with the next page, so that a
    # page made for the terminal's former districts never stands for a version in which they have changed.
    newest = Person.roster_version()
    if after == newest:
        return None
    area = area_of(Terminal.objects.get(pk=terminal_id))
    replace = after == 0 or after > newest  # a terminal ahead of us knows an office that was since restored
    changed = Person.objects.filter(version__gt=0 if replace else after, version__lte=newest)
    page = list(
        _concerning(changed, area, replace).order_by("version").prefetch_related("portraits__templates")[: PAGE + 1]
    )
    more, page = len(page) > PAGE, page[:PAGE]
    here = [person for person in page if area.has(person)]
    decisions = _last_decisions(person.number for person in here)
    return RosterPull(
        after=after, version=page[-1].version if more else newest, replace=replace, more=more,
        entries=tuple(_entry(person, decisions.get(person.number)) for person in here),
        removed=tuple(person.number for person in page if not area.has(person) and area.may_know(person)),
    )


def _concerning(people: QuerySet[Person], area: Area, replace: bool) -> QuerySet[Person]:
    """At least everybody the terminal has to hear of."""
    if replace:
        people = people.filter(active=True)
        return people if area.now is None else people.filter(district__in=area.now)
    return people if area.ever is None else people.filter(Q(district__in=area.ever) | ~Q(former_districts=[]))


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
