"""The outbox: what is not yet proven delivered, when to try it again, and what the office answered."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Engine, and_, func, or_, select, update
from sqlalchemy.orm import Session

from kiosk.store import audit
from kiosk.store.damage import suspect
from kiosk.store.models import CaseRow, OutboxRow, OutboxState, PartRow

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
class Piece:
    """Of a case too large for one request."""

    sha256: str
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class OutboxCounts:
    unsent: int
    """Pending rows."""
    held: int
    dead: int
    delivered: int
    """Acknowledged and not held, whether safe or not."""
    unsafe: int
    """Of those, not yet safe."""
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

    def unsettled(self, case_id: str, receipt: bytes) -> DueCase | None:
        """A case for which this receipt, not judged yet, would be news; None: unknown here, or proven already."""
        with Session(self._reader) as session, session.begin():
            row = session.scalars(select(OutboxRow).where(OutboxRow.case_id == case_id)).first()
            if row is None or (row.state == OutboxState.ACKED and (row.ack_level != HELD or row.answer == receipt)):
                return None
            case = session.get_one(CaseRow, case_id)
            return DueCase(case.id, row.epoch, case.sealed, case.digest, case.signature)

    def next_piece(self, case_id: str) -> Piece | None:
        """The first piece not proven to be in the office; None: the case itself may go."""
        waiting = (
            select(PartRow.sha256, PartRow.body).where(PartRow.case_id == case_id, PartRow.delivered.is_(None))
            .order_by(PartRow.position).limit(1)
        )
        with Session(self._reader) as session, session.begin():
            row = session.execute(waiting).first()
            return None if row is None else Piece(row.sha256, row.body)

    def piece_delivered(self, sha256: str, now: dt.datetime) -> None:
        """A verified receipt of this piece."""
        with Session(self._engine) as session, session.begin():
            session.get_one(PartRow, sha256).delivered = now

    def pieces_lost(self, case_id: str, digests: Collection[str]) -> int:
        """The office names pieces it does not have (any more): they go again. Returns how many of them are of this case."""
        lost = update(PartRow).where(PartRow.case_id == case_id, PartRow.sha256.in_(digests)).values(delivered=None)
        with Session(self._engine) as session, session.begin():
            return len(session.scalars(lost.returning(PartRow.sha256)).all())

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

    def damaged(self, case_id: str) -> None:
        """What was read is not what was committed: the row stays, and the next opening examines the whole file."""
        suspect(Path(str(self._engine.url.database)))
        self.unproven(case_id, "damaged_here")

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
        unsent, waiting, dead, delivered, unsafe = session.execute(select(
            func.count().filter(pending),
            func.count().filter(acked, held),
            func.count().filter(OutboxRow.state == OutboxState.DEAD),
            func.count().filter(acked, ~held),
            func.count().filter(acked, OutboxRow.ack_level == "committed"),
        ).select_from(OutboxRow)).one()
        oldest = session.scalar(
            select(CaseRow.created).join(OutboxRow, OutboxRow.case_id == CaseRow.id).where(pending)
            .order_by(OutboxRow.epoch, OutboxRow.seq).limit(1)
        )
        error = session.scalar(
            select(OutboxRow.last_error).where(pending, OutboxRow.last_try.is_not(None))
            .order_by(OutboxRow.last_try.desc()).limit(1)
        )
        return OutboxCounts(unsent, waiting, dead, delivered, unsafe, oldest, error)


def _row(session: Session, case_id: str) -> OutboxRow:
    return session.scalars(select(OutboxRow).where(OutboxRow.case_id == case_id)).one()
