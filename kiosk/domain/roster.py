"""What the office lets a terminal know about a person who is due."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class TemplateSource(StrEnum):
    """Where the picture behind a template came from."""

    ENROLLED = "enrolled"
    """Attended enrolment at a terminal."""
    PORTRAIT = "portrait"
    """A photograph of the office's files."""
    CHIP = "chip"
    """The photograph on a card's chip: small, old and hard compressed. Never decides."""


@dataclass(frozen=True, slots=True)
class FaceTemplate:
    """One enrolled embedding. `engine` names engine, alignment and model hash: never compare across engines."""

    engine: str
    vector: tuple[float, ...] = field(repr=False)
    source: TemplateSource = TemplateSource.PORTRAIT
    taken_on: dt.date | None = None
    """None: not known."""


def needs_renewal(templates: Sequence[FaceTemplate], today: dt.date, months: int) -> bool:
    """Nothing there may still be a picture taken within that many months: the person is asked to be enrolled again.

    A photograph of a chip is no such picture; one whose day is not known is not called old. Who has no template at all
    is not enrolled, which is another matter: False.
    """
    fresh = (
        one.source is not TemplateSource.CHIP and (one.taken_on is None or today <= _months_after(one.taken_on, months))
        for one in templates
    )
    return bool(templates) and not any(fresh)


def _months_after(day: dt.date, months: int) -> dt.date:
    """The same day of that month, or its last."""
    index = day.year * 12 + day.month - 1 + months
    year, month = index // 12, index % 12 + 1
    return dt.date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


@dataclass(frozen=True, slots=True)
class OfficeDecision:
    """The outcome of an earlier case, shown at the person's next visit."""

    case_number: str
    accepted: bool
    reason: str
    """Chosen by the officer from configured, neutral sentences; empty when accepted."""
    decided_on: dt.date


@dataclass(frozen=True, slots=True)
class RosterEntry:
    number: str = field(repr=False)
    name: str = field(repr=False)
    category: str
    """人员类别, for example 居保; `unknown` where the office does not know."""
    next_due: dt.date | None
    """The office's own date; always wins over the terminal's calculation."""
    templates: tuple[FaceTemplate, ...] = ()
    decision: OfficeDecision | None = None


@dataclass(frozen=True, slots=True)
class PersonRecord:
    """What the terminal knows when a card is laid. `entry` None means unknown here, which is never a refusal."""

    entry: RosterEntry | None
    cases_this_period: int = 0
    """Cases of this person already committed on this terminal in the current certification month."""
    last_case_number: str | None = None
    enrolments_this_period: int = 0
    """The same for enrolments of the face; they are no certifications."""
    decision: OfficeDecision | None = None
    """On a case handed in on this terminal, where the roster has no newer one: known without being in the roster."""

    @property
    def last_decision(self) -> OfficeDecision | None:
        return self.decision or (self.entry.decision if self.entry else None)
