"""Carries cases out of a damaged database into the one begun anew: unsent ones first, each checked, each once.

Nothing is taken over that says who this machine is: it has to be enrolled anew, and its old keys count as lost. Cases
keep the epoch and number they were sealed under; the office asks the new enrolment to vouch for them.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session
from sqlcipher3 import dbapi2

from kiosk.store import audit, damage
from kiosk.store.key import DatabaseKey
from kiosk.store.models import CaseRow, CounterRow, OutboxRow, OutboxState, PartRow
from kiosk.store.settings import get_setting, put_setting
from kiosk.store.unusable import StoreUnusable
from kiosk.store.wreck import Found, Row, Wreck

_INDEX_KEY = "index_key"
_PIECE_OWNERS = "SELECT rowid, case_id FROM part INDEXED BY ix_part_case_id"
_PENDING = OutboxState.PENDING.value

Numbers = Callable[[bytes], tuple[int, int] | None]
"""Epoch and number out of the open head of sealed bytes, for a case whose outbox row is lost."""


@dataclass(slots=True)
class Salvaged:
    """Counts of cases. What is not in the first two lies in the old file only."""

    unsent: int = 0
    """Taken over and due for delivery."""
    others: int = 0
    """Taken over with the office's answer."""
    there_already: int = 0
    spoiled: int = 0
    """Readable, but not the bytes the digest names, or one of their pieces is lost."""
    unreadable: int = 0
    """Named by an index, a row of the outbox or the audit chain, and not readable."""

    @property
    def complete(self) -> bool:
        return self.spoiled == self.unreadable == 0

    def __str__(self) -> str:
        return ", ".join(f"{one.name} {getattr(self, one.name)}" for one in fields(self))


def salvage(engine: Engine, old: Path, key: DatabaseKey, numbers: Numbers, now: dt.datetime) -> Salvaged:
    """Copies into engine's database what `old` still gives; safe to repeat. Raises StoreUnusable for a file of which
    nothing can be read; `old` is only read."""
    try:
        with damage.in_use(old):
            wreck = Wreck(old, key)
            try:
                return _Transfer(engine, wreck, numbers, now).run()
            finally:
                wreck.close()
    except dbapi2.DatabaseError as error:
        raise StoreUnusable(
            "unreadable", f"nothing of {old} can be read with this key ({error.sqlite_errorname}); keep it for a specialist",
        ) from None


class _Transfer:
    def __init__(self, engine: Engine, wreck: Wreck, numbers: Numbers, now: dt.datetime) -> None:
        self._engine = engine
        self._wreck = wreck
        self._numbers = numbers
        self._now = now
        self._done = Salvaged()
        self._torn: set[str] = set()

    def run(self) -> Salvaged:
        cases = self._wreck.read("cases", ["sqlite_autoindex_cases_1", "sqlite_autoindex_cases_2", "sqlite_autoindex_cases_3"])
        outbox = self._wreck.read("outbox", ["sqlite_autoindex_outbox_1", "sqlite_autoindex_outbox_2", "ix_outbox_state"])
        parts = self._wreck.read("part", ["sqlite_autoindex_part_1", "ix_part_case_id"])
        queue = {row["case_id"]: row for row in outbox.rows}
        pieces = _by_case(parts)
        self._torn = {case for number, case in self._wreck.scan(_PIECE_OWNERS) if number in parts.lost}
        self._take_over_numbers()
        for case in sorted(cases.rows, key=lambda case: _order(queue.get(case["id"]))):
            self._take(case, queue.get(case["id"]), pieces.get(case["id"], []))
        read = {case["id"] for case in cases.rows}
        self._done.unreadable = max(len(set(queue) - read) + self._only_named(read | set(queue)), len(cases.lost))
        self._record()
        return self._done

    def _take(self, case: Row, queued: Row | None, parts: list[Row]) -> None:
        whole = bool(case["sealed"]) and hashlib.sha256(case["sealed"]).digest() == case["digest"]
        purged = case.get("purged") is not None
        row = queued or self._unqueued(case)
        if row is None or not (whole or purged) or case["id"] in self._torn or not _complete(parts):
            self._done.spoiled += 1
            return
        with Session(self._engine) as session, session.begin():
            if _there(session, case):
                self._done.there_already += 1
                return
            if session.get(OutboxRow, (row["epoch"], row["seq"])) is not None:  # one number twice: this file was copied once
                self._done.spoiled += 1
                return
            entry = audit.append(session, "case_salvaged", case=case["id"], sha256=case["digest"].hex(), seq=row["seq"])
            _insert(session, CaseRow.__tablename__, {**case, "audit_n": entry.n})
            for part in parts:
                _insert(session, PartRow.__tablename__, part)
            _insert(session, OutboxRow.__tablename__, row)
        if row["state"] == _PENDING:
            self._done.unsent += 1
        else:
            self._done.others += 1

    def _unqueued(self, case: Row) -> Row | None:
        """The outbox row is lost: whether the office has the case is unknown, so it is sent again."""
        found = self._numbers(case["sealed"])
        if found is None:
            return None
        return {"epoch": found[0], "seq": found[1], "case_id": case["id"], "state": _PENDING, "attempts": 0,
                "next_at": _moment(self._now)}

    def _only_named(self, known: set[str]) -> int:
        """Cases only the audit chain speaks of, as far as it can be read, less those it says were erased."""
        entries = self._wreck.read("audit", []).rows
        named = {case for row in entries if (case := audit.case_named(row["event"])) is not None}
        return max(0, len(named - known) - sum(audit.cases_erased(row["event"]) for row in entries))

    def _take_over_numbers(self) -> None:
        """The blind index key, so that a wish already handed in is found again; counters, so that no number is used twice."""
        key = self._wreck.value(f"SELECT value FROM setting WHERE name = '{_INDEX_KEY}'")
        counters = self._wreck.read("counter", ["sqlite_autoindex_counter_1"]).rows
        with Session(self._engine) as session, session.begin():
            if key is not None and get_setting(session, _INDEX_KEY) is None:
                put_setting(session, _INDEX_KEY, key)
            for row in counters:
                known = session.get(CounterRow, row["name"])
                session.merge(CounterRow(name=row["name"], value=max(row["value"], known.value if known else 0)))

    def _record(self) -> None:
        done = self._done
        head = self._wreck.value("SELECT max(n) FROM audit") or 0
        with Session(self._engine) as session, session.begin():
            audit.append(session, "salvaged", unsent=done.unsent, others=done.others, spoiled=done.spoiled,
                         unreadable=done.unreadable, old_entries=int(head))


def _by_case(parts: Found) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in parts.rows:
        found.setdefault(row["case_id"], []).append(row)
    return found


def _complete(parts: Iterable[Row]) -> bool:
    """Positions without a gap, each the piece its name says; emptied ones belong to a purged case."""
    rows = list(parts)
    whole = all(not row["body"] or hashlib.sha256(row["body"]).hexdigest() == row["sha256"] for row in rows)
    return whole and {row["position"] for row in rows} == set(range(len(rows)))


def _order(queued: Row | None) -> tuple[bool, int, int]:
    """Unsent first, oldest first; a case whose outbox row is lost counts as unsent."""
    if queued is None:
        return False, 0, 0
    return queued["state"] != _PENDING, queued["epoch"], queued["seq"]


def _there(session: Session, case: Row) -> bool:
    known = select(CaseRow.id).where((CaseRow.id == case["id"]) | (CaseRow.business_key == case["business_key"]))
    return session.scalars(known).first() is not None


def _insert(session: Session, table: str, row: Row) -> None:
    """As it stood: the values of the old file, without a way through Python's types."""
    names = [name for name, value in row.items() if value is not None]
    places = ", ".join(f":{name}" for name in names)
    session.execute(text(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({places})"), {name: row[name] for name in names})


def _moment(now: dt.datetime) -> Any:
    return now.astimezone(dt.UTC).replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")
