"""What the outbox still holds, for staff: which cases wait, since when, and why. Nothing personal stands in any of it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Engine, and_, func, or_, select
from sqlalchemy.orm import Session

from kiosk.store.models import CaseRow, OutboxRow, OutboxState, PartRow
from kiosk.store.outbox import HELD


@dataclass(frozen=True, slots=True)
class WaitingCase:
    """One case the office has not proven to have taken in."""

    case_number: str
    state: str
    """`pending`, `held` (the office cannot read it yet) or `dead` (refused)"""
    attempts: int
    age_s: float
    """Since it was handed in."""
    next_in_s: float | None
    """Until the next try; None: waits for staff."""
    last_error: str | None
    pieces_done: int
    pieces: int
    """Of a case too large for one request; 0 for all others."""


def waiting_cases(engine: Engine, now: dt.datetime) -> tuple[WaitingCase, ...]:
    """Oldest first, as they are sent."""
    held = and_(OutboxRow.state == OutboxState.ACKED, OutboxRow.ack_level == HELD)
    pieces = (
        select(PartRow.case_id, func.count().label("all"), func.count(PartRow.delivered).label("done"))
        .group_by(PartRow.case_id).subquery()
    )
    rows = (
        select(
            CaseRow.case_number, CaseRow.created, OutboxRow.state, OutboxRow.attempts, OutboxRow.next_at, OutboxRow.last_error,
            func.coalesce(pieces.c.done, 0).label("done"), func.coalesce(pieces.c.all, 0).label("all"),
        )
        .join(CaseRow, CaseRow.id == OutboxRow.case_id).outerjoin(pieces, pieces.c.case_id == OutboxRow.case_id)
        .where(or_(OutboxRow.state != OutboxState.ACKED, held)).order_by(OutboxRow.epoch, OutboxRow.seq)
    )
    with Session(engine.execution_options(read_only=True)) as session, session.begin():
        return tuple(
            WaitingCase(
                case_number=row.case_number, state=HELD if row.state == OutboxState.ACKED else row.state, attempts=row.attempts,
                age_s=_seconds(now - row.created),
                next_in_s=None if row.state == OutboxState.DEAD else _seconds(row.next_at - now),
                last_error=row.last_error, pieces_done=row.done, pieces=row.all,
            )
            for row in session.execute(rows)
        )


def _seconds(span: dt.timedelta) -> float:
    """Never below 0: the clock may have been set back."""
    return max(0.0, round(span.total_seconds(), 1))
