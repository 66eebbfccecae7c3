"""The print journal on disk: at most once, and an honest `unknown` after anything that was not seen to end."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from kiosk.domain.slip import PrintOutcome
from kiosk.store import audit
from kiosk.store.models import PrintRow, PrintState


class PrintJournal:
    """Every call is committed when it returns, so that `sending` is on disk before the first byte."""

    def __init__(self, engine: Engine, now: Callable[[], dt.datetime]) -> None:
        self._engine = engine
        self._now = now

    def queue(self, case_number: str, kind: str, copy: int, digest: str, size: int) -> int:
        """A new job number, never used again."""
        with Session(self._engine) as session, session.begin():
            row = PrintRow(case_number=case_number, kind=kind, copy=copy, digest=digest, size=size, queued_at=self._now())
            session.add(row)
            session.flush()
            return row.job

    def sending(self, job: int) -> None:
        with Session(self._engine) as session, session.begin():
            row = session.get_one(PrintRow, job)
            row.state, row.sending_at = PrintState.SENDING, self._now()
            audit.append(
                session, "print_sent", job=job, kind=row.kind, case=row.case_number, copy=row.copy, sha256=row.digest,
            )

    def end(self, job: int, outcome: PrintOutcome, evidence: str) -> None:
        with Session(self._engine) as session, session.begin():
            self._end(session, session.get_one(PrintRow, job), PrintState(outcome.value), evidence)

    def settle_interrupted(self, kind: str) -> int:
        """At every opening of the device: `sending` becomes unknown and is counted; `queued` was never sent."""
        of_kind = select(PrintRow).where(PrintRow.kind == kind)
        with Session(self._engine) as session, session.begin():
            sending = session.scalars(of_kind.where(PrintRow.state == PrintState.SENDING)).all()
            for row in sending:
                self._end(session, row, PrintState.UNKNOWN, "interrupted")
            for row in session.scalars(of_kind.where(PrintRow.state == PrintState.QUEUED)):
                self._end(session, row, PrintState.BLOCKED, "interrupted")
            return len(sending)

    def last_is_unknown(self, kind: str) -> bool:
        """Of the jobs that were sent; those still in `sending` count as unknown."""
        sent = (PrintState.SENDING, PrintState.PRINTED, PrintState.UNKNOWN)
        states = select(PrintRow.state).where(PrintRow.kind == kind, PrintRow.state.in_(sent)).order_by(PrintRow.job.desc())
        with Session(self._engine) as session:
            return session.scalar(states.limit(1)) in (PrintState.SENDING, PrintState.UNKNOWN)

    def _end(self, session: Session, row: PrintRow, state: PrintState, evidence: str) -> None:
        row.state, row.evidence, row.ended_at = state, evidence, self._now()
        audit.append(session, "print_ended", job=row.job, outcome=state.value)
