"""What this terminal believes to be delivered, day by day, and taking the office's word on it."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Engine, func, select, update
from sqlalchemy.orm import Session

from kiosk.store import audit
from kiosk.store.models import CaseRow, OutboxRow, OutboxState, PartRow
from kiosk.store.settings import get_setting, put_setting

COMMITTED, SAFE = "committed", "safe"
_LOST = "cases_lost"
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Delivered:
    case_id: str
    level: str
    purged: bool


def delivered_days(engine: Engine, most: int) -> dict[dt.date, list[Delivered]]:
    """All acknowledged cases of the newest `most` days there are, whatever the clock says; also held and purged ones."""
    acked = OutboxRow.state == OutboxState.ACKED
    joined = select(CaseRow.day).join(OutboxRow, OutboxRow.case_id == CaseRow.id).where(acked)
    newest = joined.distinct().order_by(CaseRow.day.desc()).limit(most)
    rows = (
        select(CaseRow.day, CaseRow.id, OutboxRow.ack_level, CaseRow.purged).join(OutboxRow, OutboxRow.case_id == CaseRow.id)
        .where(acked, CaseRow.day.in_(newest)).order_by(CaseRow.day, CaseRow.id)
    )
    days: dict[dt.date, list[Delivered]] = defaultdict(list)
    with Session(engine.execution_options(read_only=True)) as session, session.begin():
        for day, case_id, level, purged in session.execute(rows):
            days[day].append(Delivered(case_id, level or "", purged is not None))
    return dict(days)


def make_safe(engine: Engine, ids: Collection[str], now: dt.datetime) -> int:
    """The office has them in a verified backup. Held ones stay held. Returns how many were not safe before."""
    made = 0
    for some in _batches(ids):
        with Session(engine) as session, session.begin():
            found = session.scalars(
                update(OutboxRow).where(
                    OutboxRow.case_id.in_(some), OutboxRow.state == OutboxState.ACKED, OutboxRow.ack_level == COMMITTED,
                ).values(ack_level=SAFE, safe_at=now).returning(OutboxRow.case_id)
            ).all()
            if found:
                audit.append(session, "cases_safe", count=len(found), ids=_digest(found))
            made += len(found)
    return made


def not_safe_any_more(engine: Engine, ids: Collection[str]) -> int:
    """The office has them, but in no verified backup it knows (any more): bytes still here stay. Returns how many."""
    undone = 0
    for some in _batches(ids):
        with Session(engine) as session, session.begin():
            here = select(CaseRow.id).where(CaseRow.id.in_(some), CaseRow.purged.is_(None))
            found = session.scalars(
                update(OutboxRow).where(
                    OutboxRow.case_id.in_(here), OutboxRow.state == OutboxState.ACKED, OutboxRow.ack_level == SAFE,
                ).values(ack_level=COMMITTED, safe_at=None).returning(OutboxRow.case_id)
            ).all()
            if found:
                audit.append(session, "cases_not_safe_any_more", count=len(found), ids=_digest(found))
            undone += len(found)
    return undone


def send_again(engine: Engine, ids: Collection[str], now: dt.datetime) -> tuple[int, int]:
    """The office does not have them (any more). How many go again, and how many cannot, because their bytes are erased.

    Those stand as lost until the office has them from its archive.
    """
    again = lost = 0
    for some in _batches(ids):
        with Session(engine) as session, session.begin():
            whole = session.scalars(
                select(CaseRow.id).join(OutboxRow, OutboxRow.case_id == CaseRow.id)
                .where(CaseRow.id.in_(some), CaseRow.purged.is_(None), OutboxRow.state == OutboxState.ACKED)
            ).all()
            session.execute(
                update(OutboxRow).where(OutboxRow.case_id.in_(whole)).values(
                    state=OutboxState.PENDING, ack_level=None, safe_at=None, attempts=0, next_at=now,
                )
            )
            session.execute(update(PartRow).where(PartRow.case_id.in_(whole)).values(delivered=None))
            if whole:
                audit.append(session, "cases_missing_at_office", count=len(whole), ids=_digest(whole))
            purged = select(CaseRow.id).where(CaseRow.id.in_(some), CaseRow.purged.is_not(None))
            again, lost = again + len(whole), lost + len(session.scalars(purged).all())
    return again, lost


def note_lost(engine: Engine, count: int) -> None:
    """How many cases are erased here and missing there, as of the last complete reconciliation."""
    with Session(engine) as session, session.begin():
        if int(get_setting(session, _LOST) or 0) == count:
            return
        put_setting(session, _LOST, str(count))
        audit.append(session, "cases_lost", count=count)


def lost_count(session: Session) -> int:
    return int(get_setting(session, _LOST) or 0)


def late_count(session: Session, before: dt.datetime) -> int:
    """Acknowledged before this moment and not safe yet: an alarm, nothing follows by itself."""
    return session.scalar(
        select(func.count()).select_from(OutboxRow).where(
            OutboxRow.state == OutboxState.ACKED, OutboxRow.ack_level != SAFE, OutboxRow.answered_at <= before,
        )
    ) or 0


def _batches(ids: Collection[str]) -> list[list[str]]:
    listed = sorted(ids)
    return [listed[at : at + _BATCH] for at in range(0, len(listed), _BATCH)]


def _digest(ids: Collection[str]) -> str:
    """SHA-256 over the ids, sorted, one a line."""
    return hashlib.sha256("\n".join(sorted(ids)).encode()).hexdigest()
