"""The outbox: what is not yet proven delivered, when to try it again, and what the office answered."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass, field

from sqlalchemy import Engine, and_, func, or_, select, update
from sqlalchemy.orm import Session

from kiosk.store import audit
from kiosk.store.models import CaseRow, OutboxRow, OutboxState

HELD = "held"
"""Receipt level of bytes the office stored but could not read yet: asked again until it could."""


@dataclass(frozen=True, slots=True)
class DueCase:
    """One claimed row: exactly the bytes that were committed."""

    case_id: str
    epoch: int
    """Of the enrolment it was sealed under."""
    sealed: bytes = field(repr=False)
    digest: bytes = field(repr=False)
    signature: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class OutboxCounts:
    unsent: int
    """Pending rows."""
    held: int
    dead: int
    delivered: int
    oldest_unsent: dt.datetime | None
    """When the oldest pending case was handed in."""
    last_error: str | None
    """What happened to the pending row tried last."""


class Outbox:
    """All calls are their own transaction. Rows are never deleted."""

    def __init__(self, engine: Engine, base_s: float, cap_s: float) -> None:
        """base_s, cap_s: full-jitter back-off, uniform(0, min(cap, base * 2^attempts)) seconds."""
        self._engine = engine
        self._reader = engine.execution_options(read_only=True)
        self._base_s = base_s
        self._cap_s = cap_s

    def claim(self, now: dt.datetime) -> DueCase | None:
        """The oldest row due, with the attempt and a provisional next time already written.

        A row that kills this process is therefore not the first one after each restart. A next time further away
        than the cap comes from a clock that jumped: such a row is due.
        """
        due = or_(OutboxRow.next_at <= now, OutboxRow.next_at > now + dt.timedelta(seconds=self._cap_s))
        unproven = or_(
            OutboxRow.state == OutboxState.PENDING, and_(OutboxRow.state == OutboxState.ACKED, OutboxRow.ack_level == HELD),
        )
        oldest = select(OutboxRow).where(due, unproven).order_by(OutboxRow.epoch, OutboxRow.seq).limit(1)
        with Session(self._reader) as session, session.begin():  # idle polls take no write lock
            if session.scalars(oldest).first() is None:
                return None
        with Session(self._engine) as session, session.begin():
            row = session.scalars(oldest).first()
            if row is None:
                return None
            row.attempts += 1
            row.last_try = now
            row.next_at = now + dt.timedelta(seconds=random.uniform(0, self._ceiling(row.attempts)))
            case = session.get_one(CaseRow, row.case_id)
            return DueCase(case.id, row.epoch, case.sealed, case.digest, case.signature)

    def acked(self, case_id: str, level: str, receipt: bytes, signature: str, now: dt.datetime) -> None:
        """A verified receipt, kept exactly as signed."""
        with Session(self._engine) as session, session.begin():
            row = _row(session, case_id)
            row.state, row.ack_level, row.last_error = OutboxState.ACKED, level, None
            row.answered_at, row.answer, row.answer_signature = now, receipt, signature
            if level == HELD:
                row.next_at = now + dt.timedelta(seconds=self._cap_s)
            audit.append(session, "case_acknowledged", case=case_id, level=level)

    def dead(self, case_id: str, code: str, refusal: bytes, signature: str, now: dt.datetime) -> None:
        """A verified refusal, kept exactly as signed. The row waits for staff and holds nobody else up."""
        with Session(self._engine) as session, session.begin():
            row = _row(session, case_id)
            row.state, row.ack_level, row.last_error = OutboxState.DEAD, None, code[:300]
            row.answered_at, row.answer, row.answer_signature = now, refusal, signature
            audit.append(session, "case_refused", case=case_id, code=code)

    def unproven(self, case_id: str, error: str) -> None:
        """No usable answer: the row stays as it is and comes again at the time `claim` has set."""
        with Session(self._engine) as session, session.begin():
            _row(session, case_id).last_error = error[:300]

    def release(self, case_id: str, error: str, now: dt.datetime) -> None:
        """Not this row's fault (no connection, office busy): the attempt does not count and the row is due at once."""
        with Session(self._engine) as session, session.begin():
            row = _row(session, case_id)
            row.attempts -= 1
            row.next_at, row.last_error = now, error[:300]

    def requeue_dead(self, now: dt.datetime) -> int:
        """Staff has cleared the cause: every refused row is tried again. Returns how many."""
        with Session(self._engine) as session, session.begin():
            again = update(OutboxRow).where(OutboxRow.state == OutboxState.DEAD).values(
                state=OutboxState.PENDING, attempts=0, next_at=now,
            ).returning(OutboxRow.case_id)
            cases = session.scalars(again).all()
            if cases:
                audit.append(session, "refused_cases_requeued", count=len(cases))
            return len(cases)

    def _ceiling(self, attempts: int) -> float:
        return min(self._cap_s, self._base_s * 2.0 ** min(attempts, 60))


def count(engine: Engine) -> OutboxCounts:
    """Always from the rows themselves."""
    pending = OutboxRow.state == OutboxState.PENDING
    acked, held = OutboxRow.state == OutboxState.ACKED, OutboxRow.ack_level == HELD
    with Session(engine.execution_options(read_only=True)) as session, session.begin():
        unsent, waiting, dead, delivered = session.execute(select(
            func.count().filter(pending),
            func.count().filter(acked, held),
            func.count().filter(OutboxRow.state == OutboxState.DEAD),
            func.count().filter(acked, ~held),
        ).select_from(OutboxRow)).one()
        oldest = session.scalar(
            select(CaseRow.created).join(OutboxRow, OutboxRow.case_id == CaseRow.id).where(pending)
            .order_by(OutboxRow.epoch, OutboxRow.seq).limit(1)
        )
        error = session.scalar(
            select(OutboxRow.last_error).where(pending, OutboxRow.last_try.is_not(None))
            .order_by(OutboxRow.last_try.desc()).limit(1)
        )
        return OutboxCounts(unsent, waiting, dead, delivered, oldest, error)


def _row(session: Session, case_id: str) -> OutboxRow:
    return session.scalars(select(OutboxRow).where(OutboxRow.case_id == case_id)).one()
