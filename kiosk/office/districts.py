"""Which villages (村、社区) a terminal serves. Whoever leaves or enters its area is told to it anew."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.db.models import QuerySet

from kiosk.office import audit
from kiosk.office.models import AuditEntry, Person, Terminal, TerminalKey

NAME_MAX = 80


def known_districts() -> list[str]:
    """Of everybody in the roster."""
    return list(Person.objects.exclude(district="").order_by("district").values_list("district", flat=True).distinct())


def set_districts(terminal_id: str, districts: Iterable[str], actor: str) -> bool:
    """Empty: the whole roster. False when nothing changes. Raises ValueError for a name that cannot be one."""
    wanted = sorted({name.strip() for name in districts} - {""})
    if any(len(name) > NAME_MAX for name in wanted):
        raise ValueError("the name of a district is too long")
    with transaction.atomic(durable=True):
        terminal = Terminal.objects.select_for_update().get(pk=terminal_id)
        before = terminal.districts
        if sorted(before) == wanted:
            return False
        terminal.districts = wanted
        if TerminalKey.objects.filter(terminal=terminal).exists():
            terminal.former_districts = sorted({*terminal.former_districts, *(before or [""])})
        terminal.save(update_fields=["districts", "former_districts"])
        people = _concerned(set(before), set(wanted))
        Person.tell_again(people.values_list("pk", flat=True))
        audit.append(
            actor, AuditEntry.Action.DISTRICTS_CHANGED, terminal_id, before="、".join(before), after="、".join(wanted),
        )
    return True


def _concerned(before: set[str], after: set[str]) -> QuerySet[Person]:
    """Everybody who is in one of the two areas only."""
    if before and after:
        return Person.objects.filter(district__in=before ^ after)
    return Person.objects.exclude(district__in={"", *before, *after})
