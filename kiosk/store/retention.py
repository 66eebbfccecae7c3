"""What of this terminal's rows may be erased at a moment, and why: a plan made of values alone, without a database.

Only the office's signed word `safe` frees the bytes of a case; age alone never does, and a clock that cannot be right
frees nothing. The terminal cannot see into a sealed case, so it takes every case for one with pictures, and "no open
review" is only what the office has said: it accepted or rejected this very case.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from kiosk.config.retention import RetentionConfig
from kiosk.domain.period import LOCAL_ZONE
from kiosk.store.models import OutboxState, PrintState

COMMITTED, SAFE = "committed", "safe"
_BEHIND = dt.timedelta(days=1)
_AHEAD = dt.timedelta(days=60)
"""Longer without the office's time, and a clock that runs ahead cannot be told from a terminal left alone."""
_SENT = (PrintState.SENDING, PrintState.PRINTED, PrintState.UNKNOWN)


class Clock(StrEnum):
    OK = "ok"
    UNPROVEN = "unproven"
    """The office never told its time here."""
    BEHIND = "behind"
    AHEAD = "ahead"


class What(StrEnum):
    SEALED = "sealed"
    """The bytes of a case and its pieces. The row stays."""
    CASE_ROWS = "case_rows"
    """All that is left of the cases of one day."""
    PRINT = "print"
    DEVICE = "device"
    OUTCOME = "outcome"
    """Of a case this terminal no longer knows."""


class Why(StrEnum):
    """Why something goes or stays."""

    UNSENT = "unsent"
    HELD = "held"
    REFUSED = "refused"
    NOT_SAFE = "not_safe"
    CLOCK = "clock"
    """Safe since a time that lies in the future: the wait begins again."""
    SAFE_LONG_ENOUGH = "safe_long_enough"
    DECIDED = "decided"
    """Safe, and the office has closed its review."""
    EMPTIED = "emptied"
    OLD = "old"


@dataclass(frozen=True, slots=True)
class KeptCase:
    """A case without its bytes. decided: the office accepted or rejected it."""

    case_id: str
    day: dt.date
    created: dt.datetime
    state: str
    level: str | None
    answered_at: dt.datetime | None
    safe_at: dt.datetime | None
    purged: dt.datetime | None
    decided: bool


@dataclass(frozen=True, slots=True)
class KeptPrint:
    job: int
    kind: str
    state: str
    queued_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Holdings:
    cases: tuple[KeptCase, ...] = ()
    prints: tuple[KeptPrint, ...] = ()
    devices: tuple[tuple[str, dt.datetime], ...] = ()
    """Kind and when its row was written last."""
    strays: tuple[tuple[str, dt.date | None], ...] = ()
    """Outcomes without a case here: id and day of the decision."""


@dataclass(frozen=True, slots=True)
class Item:
    """key: id of the case or outcome, day of the rows, number of the print job, kind of the device."""

    what: What
    key: str
    why: Why
    due: dt.datetime


@dataclass(frozen=True, slots=True)
class Alarm:
    """code: `unsent` or `not_safe`, for longer than allowed. Nothing follows by itself: a person has to act."""

    code: str
    count: int
    oldest: dt.datetime


@dataclass(frozen=True, slots=True)
class Plan:
    now: dt.datetime
    clock: Clock
    due: tuple[Item, ...]
    """To erase now; empty unless the clock is OK."""
    later: tuple[Item, ...]
    """What comes due by itself, soonest first."""
    waits_anew: tuple[str, ...]
    """Safe cases whose wait has to begin again, because it began at no time or in the future."""
    kept: Mapping[Why, int]
    """Cases whose bytes stay until the office or staff does something."""
    alarms: tuple[Alarm, ...]


def clock_word(now: dt.datetime, office_time: dt.datetime | None) -> Clock:
    """office_time: the newest time the office itself told this terminal."""
    if office_time is None:
        return Clock.UNPROVEN
    if now < office_time - _BEHIND:
        return Clock.BEHIND
    return Clock.AHEAD if now > office_time + _AHEAD else Clock.OK


def judge(case: KeptCase, config: RetentionConfig, now: dt.datetime) -> tuple[Why, dt.datetime | None]:
    """Why the bytes of a case go or stay, and from when they may go; None: not by itself."""
    if case.state == OutboxState.PENDING:
        return Why.UNSENT, None
    if case.state == OutboxState.DEAD:
        return Why.REFUSED, None
    if case.level != SAFE:
        return (Why.NOT_SAFE if case.level == COMMITTED else Why.HELD), None
    if case.purged is not None:
        return Why.EMPTIED, None
    if case.safe_at is None or case.safe_at > now:
        return Why.CLOCK, None
    if config.faces_at_safe and case.decided:
        return Why.DECIDED, case.safe_at
    return Why.SAFE_LONG_ENOUGH, case.safe_at + dt.timedelta(hours=config.sealed_h)


def make_plan(
    holdings: Holdings, config: RetentionConfig, now: dt.datetime, office_time: dt.datetime | None,
) -> Plan:
    clock = clock_word(now, office_time)
    judged = [(case, *judge(case, config, now)) for case in holdings.cases]
    items = [Item(What.SEALED, case.case_id, why, at) for case, why, at in judged if at is not None]
    items += _case_rows(holdings.cases, config, now)
    items += _old_prints(holdings.prints, config)
    rows_kept = dt.timedelta(days=config.rows_days)
    items += [Item(What.DEVICE, kind, Why.OLD, at + rows_kept) for kind, at in holdings.devices]
    items += [
        Item(What.OUTCOME, case_id, Why.OLD, _midnight(day) + rows_kept) for case_id, day in holdings.strays if day is not None
    ]
    items.sort(key=lambda item: (item.due, item.what, item.key))
    kept: Counter[Why] = Counter(why for _, why, at in judged if at is None and why is not Why.EMPTIED)
    return Plan(
        now=now, clock=clock,
        due=tuple(item for item in items if item.due <= now) if clock is Clock.OK else (),
        later=tuple(item for item in items if item.due > now),
        waits_anew=tuple(case.case_id for case, why, _ in judged if why is Why.CLOCK) if clock is Clock.OK else (),
        kept=kept, alarms=tuple(_alarms(holdings.cases, config, now)),
    )


def _case_rows(cases: Iterable[KeptCase], config: RetentionConfig, now: dt.datetime) -> list[Item]:
    """Day by day, because reconciliation counts whole days; a day with a case that is not emptied stays."""
    days: dict[dt.date, list[KeptCase]] = defaultdict(list)
    for case in cases:
        days[case.day].append(case)
    return [
        Item(What.CASE_ROWS, day.isoformat(), Why.OLD, _midnight(day) + dt.timedelta(days=config.rows_days + 1))
        for day, of_day in days.items() if all(judge(case, config, now)[0] is Why.EMPTIED for case in of_day)
    ]


def _old_prints(prints: Iterable[KeptPrint], config: RetentionConfig) -> list[Item]:
    """The newest job keeps its number from being given out again, the newest one sent of each kind tells how it ended."""
    jobs = sorted(prints, key=lambda one: one.job)
    last_sent = {one.kind: one.job for one in jobs if one.state in _SENT}
    stay = {*last_sent.values(), *(one.job for one in jobs[-1:])}
    kept = dt.timedelta(days=config.print_days)
    return [Item(What.PRINT, str(one.job), Why.OLD, one.queued_at + kept) for one in jobs if one.job not in stay]


def _alarms(cases: Iterable[KeptCase], config: RetentionConfig, now: dt.datetime) -> Iterable[Alarm]:
    unsent_since = now - dt.timedelta(days=config.unsent_alarm_days)
    unsafe_since = now - dt.timedelta(hours=config.unsafe_alarm_h)
    unsent = [one.created for one in cases if one.state == OutboxState.PENDING and one.created <= unsent_since]
    unsafe = [
        one.answered_at for one in cases
        if one.state == OutboxState.ACKED and one.level != SAFE and one.answered_at and one.answered_at <= unsafe_since
    ]
    for code, times in (("unsent", unsent), ("not_safe", unsafe)):
        if times:
            yield Alarm(code, len(times), min(times))


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), LOCAL_ZONE)
