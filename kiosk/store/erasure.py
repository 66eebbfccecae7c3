"""Carrying the plan of `retention` out, in transactions small enough that the screen never waits for them.

What is due is judged again inside each transaction, and the entry of the audit chain stands if and only if the erasure
itself does. `secure_delete` overwrites freed pages; emptying the log afterwards leaves the old bytes in neither file.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Delete, Engine, delete, func, select, true, update
from sqlalchemy.orm import Session

from kiosk.config.retention import RetentionConfig
from kiosk.store import audit
from kiosk.store.models import CaseRow, DeviceRow, OutboxRow, OutboxState, OutcomeRow, PartRow, PrintRow, RosterRow
from kiosk.store.retention import Clock, Holdings, KeptCase, KeptPrint, Plan, What, Why, judge, make_plan

_BATCH = 20
"""Cases emptied in one transaction: some megabytes to overwrite."""
_ROWS = 500
_RECEIPTS = 50
_DECIDED = ("accepted", "rejected")


@dataclass(frozen=True, slots=True)
class Erased:
    clock: Clock
    counts: Mapping[str, int]
    """By `What`, and `pieces` of large cases."""
    log_emptied: bool
    """False: somebody still read the log; what was erased lies encrypted in it until the next run."""


def plan(engine: Engine, config: RetentionConfig, now: dt.datetime, office_time: dt.datetime | None) -> Plan:
    """Reads, and changes nothing."""
    with Session(engine.execution_options(read_only=True)) as session, session.begin():
        return make_plan(holdings(session), config, now, office_time)


def run(engine: Engine, config: RetentionConfig, now: dt.datetime, office_time: dt.datetime | None) -> Erased:
    """Erases what is due. Cut off anywhere, what was done is whole and the next run does the rest."""
    todo = plan(engine, config, now, office_time)
    counts: Counter[str] = Counter()
    if todo.clock is not Clock.OK:
        return Erased(todo.clock, counts, log_emptied=True)
    _begin_anew(engine, todo.waits_anew, now)
    keys = {what: [item.key for item in todo.due if item.what is what] for what in What}
    for ids in _pieces(keys[What.SEALED], _BATCH):
        counts.update(_empty(engine, config, ids, now))
    for day in keys[What.CASE_ROWS]:
        counts.update(_drop_day(engine, config, dt.date.fromisoformat(day), now))
    for what in (What.PRINT, What.DEVICE, What.OUTCOME):
        for some in _pieces(keys[what], _ROWS):
            with Session(engine) as session, session.begin():
                session.execute(_delete(what, some))
                _record(session, what, len(some), _digest(some))
            counts[what] += len(some)
    return Erased(todo.clock, counts, empty_log(engine))


def holdings(session: Session) -> Holdings:
    known = select(CaseRow.id)
    return Holdings(
        cases=_cases(session, true()),
        prints=tuple(
            KeptPrint(*row) for row in session.execute(
                select(PrintRow.job, PrintRow.kind, PrintRow.state, PrintRow.queued_at))
        ),
        devices=tuple((row.kind, row.updated_at) for row in session.execute(select(DeviceRow.kind, DeviceRow.updated_at))),
        strays=tuple(
            (row.case_id, row.decided_on) for row in session.execute(
                select(OutcomeRow.case_id, OutcomeRow.decided_on).where(OutcomeRow.case_id.not_in(known)))
        ),
    )


def office_time(engine: Engine) -> dt.datetime | None:
    """The newest time in the office's own receipts; None before the first one."""
    newest = (
        select(OutboxRow.answer).where(OutboxRow.state == OutboxState.ACKED, OutboxRow.answer.is_not(None))
        .order_by(OutboxRow.epoch.desc(), OutboxRow.seq.desc()).limit(_RECEIPTS)
    )
    with Session(engine.execution_options(read_only=True)) as session, session.begin():
        return max((time for answer in session.scalars(newest) if (time := _received(answer or b"")) is not None), default=None)


def unsafe_count(session: Session) -> int:
    """Cases whose bytes may exist nowhere but here: all that are not `safe`, whatever else is known of them."""
    safe = (OutboxRow.state == OutboxState.ACKED, OutboxRow.ack_level == "safe")
    known_safe = select(OutboxRow.case_id).where(*safe)
    return session.scalar(select(func.count()).select_from(CaseRow).where(CaseRow.id.not_in(known_safe))) or 0


def empty_log(engine: Engine) -> bool:
    """Moves everything out of the write-ahead log and cuts it to nothing. False while somebody still reads from it."""
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        found = cursor.fetchone()
        cursor.close()
    finally:
        connection.close()
    return found is not None and found[0] == 0


def _begin_anew(engine: Engine, ids: Sequence[str], now: dt.datetime) -> None:
    for some in _pieces(ids, _ROWS):
        with Session(engine) as session, session.begin():
            session.execute(update(OutboxRow).where(OutboxRow.case_id.in_(some)).values(safe_at=now))
            audit.append(session, "retention_waits_anew", count=len(some), ids=_digest(some))


def _empty(engine: Engine, config: RetentionConfig, ids: Sequence[str], now: dt.datetime) -> Counter[str]:
    with Session(engine) as session, session.begin():
        again = _cases(session, CaseRow.id.in_(ids))
        due = [case.case_id for case in again if (at := judge(case, config, now)[1]) is not None and at <= now]
        if not due:
            return Counter()
        session.execute(update(CaseRow).where(CaseRow.id.in_(due)).values(sealed=b"", purged=now))
        emptied = update(PartRow).where(PartRow.case_id.in_(due)).values(body=b"").returning(PartRow.sha256)
        pieces = len(session.scalars(emptied).all())
        _record(session, What.SEALED, len(due), _digest(due), pieces)
    return Counter({What.SEALED.value: len(due), "pieces": pieces})


def _drop_day(engine: Engine, config: RetentionConfig, day: dt.date, now: dt.datetime) -> Counter[str]:
    with Session(engine) as session, session.begin():
        cases = _cases(session, CaseRow.day == day)
        if not all(judge(case, config, now)[0] is Why.EMPTIED for case in cases):
            return Counter()
        ids = [case.case_id for case in cases]
        for some in _pieces(ids, _ROWS):
            session.execute(delete(PartRow).where(PartRow.case_id.in_(some)))
            session.execute(delete(OutcomeRow).where(OutcomeRow.case_id.in_(some)))
            session.execute(delete(OutboxRow).where(OutboxRow.case_id.in_(some)))
            session.execute(delete(CaseRow).where(CaseRow.id.in_(some)))
        _record(session, What.CASE_ROWS, len(ids), _digest(ids))
    return Counter({What.CASE_ROWS.value: len(ids)})


def _delete(what: What, keys: Sequence[str]) -> Delete:
    if what is What.PRINT:
        return delete(PrintRow).where(PrintRow.job.in_([int(key) for key in keys]))
    if what is What.DEVICE:
        return delete(DeviceRow).where(DeviceRow.kind.in_(keys))
    return delete(OutcomeRow).where(OutcomeRow.case_id.in_(keys))


def _pieces(keys: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (keys[at : at + size] for at in range(0, len(keys), size))


def _record(session: Session, what: What, count: int, digest: str, pieces: int = 0) -> None:
    audit.append(session, "erased", what=what.value, count=count, pieces=pieces, ids=digest)


def _cases(session: Session, which: ColumnElement[bool]) -> tuple[KeptCase, ...]:
    rows = session.execute(
        select(
            CaseRow.id, CaseRow.day, CaseRow.created, OutboxRow.state, OutboxRow.ack_level, OutboxRow.answered_at,
            OutboxRow.safe_at, CaseRow.purged, CaseRow.case_number, OutcomeRow.state.label("outcome"),
        )
        .join(OutboxRow, OutboxRow.case_id == CaseRow.id).outerjoin(OutcomeRow, OutcomeRow.case_id == CaseRow.id)
        .where(which).order_by(OutboxRow.epoch, OutboxRow.seq)
    )
    decided = _decided_numbers(session)
    return tuple(
        KeptCase(
            row.id, row.day, row.created, row.state, row.ack_level, row.answered_at, row.safe_at, row.purged,
            decided=row.case_number in decided or row.outcome in _DECIDED,
        )
        for row in rows
    )


def _decided_numbers(session: Session) -> set[str]:
    """Case numbers the roster names with a decision: the office's word for terminals that pull no outcomes yet."""
    decisions = session.scalars(select(RosterRow.decision).where(RosterRow.decision.is_not(None)))
    return {json.loads(decision)[0] for decision in decisions if decision}


def _digest(keys: Iterable[str]) -> str:
    """SHA-256 over the keys, sorted, one a line."""
    return hashlib.sha256("\n".join(sorted(keys)).encode()).hexdigest()


def _received(receipt: bytes) -> dt.datetime | None:
    try:
        told = dt.datetime.fromisoformat(json.loads(receipt)["received"])
    except (ValueError, KeyError, TypeError):
        return None
    return told if told.tzinfo is not None else None
