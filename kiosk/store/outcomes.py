"""What the office decided on cases handed in here. Rows and cursor are taken in one transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import Engine, delete, select
from sqlalchemy.orm import Session

from kiosk.domain.roster import OfficeDecision
from kiosk.store.models import OutcomeRow
from kiosk.store.settings import get_setting, put_setting

_VERSION = "outcomes_version"
_DECIDED = {"accepted": True, "rejected": False}


@dataclass(frozen=True, slots=True)
class CaseOutcome:
    case_id: str
    case_number: str
    state: str
    """The office's word; `accepted` and `rejected` are decisions."""
    reason: str = field(repr=False)
    decided_on: dt.date | None


class Outcomes:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reader = engine.execution_options(read_only=True)

    def version(self) -> int:
        """The office's version this terminal has; 0 before the first pull."""
        with Session(self._reader) as session, session.begin():
            return _version(session)

    def apply(self, outcomes: Iterable[CaseOutcome], after: int, version: int, replace: bool) -> bool:
        """Takes one page. False, and nothing changed, when the terminal is at another version than `after`."""
        with Session(self._engine) as session, session.begin():
            if _version(session) != after:
                return False
            _take(session, outcomes, version, replace)
        return True

    def catch_up(self, outcomes: Iterable[CaseOutcome], version: int) -> bool:
        """Takes everything there is up to `version`. False, and nothing changed, when the terminal is as far already."""
        with Session(self._engine) as session, session.begin():
            if _version(session) >= version:
                return False
            _take(session, outcomes, version, replace=True)
        return True


def start_over(session: Session) -> None:
    """The next pull asks for everything; until then the rows stay."""
    put_setting(session, _VERSION, "0")


def last_decision(session: Session, case_ids: Iterable[str]) -> OfficeDecision | None:
    """The newest decision on one of these cases; of one day, the later case's. case_ids: oldest first."""
    order = {case_id: place for place, case_id in enumerate(case_ids)}
    rows = session.scalars(select(OutcomeRow).where(OutcomeRow.case_id.in_(order), OutcomeRow.state.in_(_DECIDED)))
    decided = [(row.decided_on, order[row.case_id], row) for row in rows if row.decided_on is not None]
    if not decided:
        return None
    day, _, row = max(decided, key=lambda one: one[:2])
    return OfficeDecision(row.case_number, _DECIDED[row.state], row.reason, day)


def _take(session: Session, outcomes: Iterable[CaseOutcome], version: int, replace: bool) -> None:
    if replace:
        session.execute(delete(OutcomeRow))
    for one in outcomes:
        session.merge(OutcomeRow(
            case_id=one.case_id, case_number=one.case_number, state=one.state[:16], reason=one.reason,
            decided_on=one.decided_on,
        ))
    put_setting(session, _VERSION, str(version))


def _version(session: Session) -> int:
    return int(get_setting(session, _VERSION) or 0)
