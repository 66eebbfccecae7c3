"""What the office decided on cases of one terminal, in the order of the decisions."""

from __future__ import annotations

import datetime as dt

from pydantic import Field

from kiosk.sync.wire.base import Wire, Word
from kiosk.sync.wire.models import CaseId


class OutcomeBody(Wire):
    case_id: CaseId
    case_number: str = Field(max_length=40)
    state: Word
    """`accepted`, `rejected` or `pending`; text, because the office may be newer."""
    reason: str = Field(max_length=400)
    """For the person to read; empty for enrolments."""
    decided_on: dt.date | None


class OutcomesPull(Wire):
    """One page. Travels sealed to the terminal and signed by the office, as a RosterPull does."""

    after: int = Field(ge=0)
    """Echo of the request: applies only on top of this version."""
    version: int = Field(ge=0)
    """The version the terminal has after this page."""
    replace: bool
    """Forget everything stored before; the office sends it on the first page after 0."""
    more: bool
    """Ask again at once with `after` = `version`."""
    outcomes: tuple[OutcomeBody, ...]
