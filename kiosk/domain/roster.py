"""What the office lets a terminal know about a person who is due."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class FaceTemplate:
    """One enrolled embedding. `engine` names engine, alignment and model hash: never compare across engines."""

    engine: str
    vector: tuple[float, ...] = field(repr=False)


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
