"""Whether a database that was cut off holds all that was promised."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from kiosk.store import audit
from kiosk.store.database import open_database
from kiosk.store.key import DatabaseKey
from kiosk.store.unusable import StoreUnusable


@dataclass(frozen=True, slots=True)
class Verdict:
    """lost: promised and not there, or with other bytes; broken: what else is wrong, in words."""

    lost: int
    doubled: int
    broken: tuple[str, ...]
    cases: int = 0
    """So many are there."""

    @property
    def good(self) -> bool:
        return not (self.lost or self.doubled or self.broken)


def promised(acks: bytes) -> dict[str, str]:
    """SHA-256 by id; a last line without an end was not written to its end."""
    lines = [line.split() for line in acks.decode().split("\n")[:-1]]
    return {words[1]: words[2] for words in lines if len(words) == 3}


def judge(database: Path, key: DatabaseKey, acks: dict[str, str]) -> Verdict:
    """Opens it as the product does."""
    if not acks and not database.exists():
        return Verdict(0, 0, ())
    try:
        engine = open_database(database, key)
    except StoreUnusable as error:
        return Verdict(len(acks), 0, (error.reason,))
    try:
        return _look(engine, acks)
    except DBAPIError as error:
        return Verdict(len(acks), 0, (getattr(error.orig, "sqlite_errorname", "") or type(error.orig).__name__,))
    finally:
        engine.dispose()


def _look(engine: Engine, acks: dict[str, str]) -> Verdict:
    broken = []
    with engine.connect() as connection:
        if not connection.scalar(text("SELECT count(*) FROM sqlite_master WHERE name = 'cases'")):
            return Verdict(len(acks), 0, ())
        found = connection.exec_driver_sql("PRAGMA integrity_check").scalars().all()
        if found != ["ok"]:
            broken.append(f"integrity: {found[0].splitlines()[0]}")
        if connection.exec_driver_sql("PRAGMA foreign_key_check").all():
            broken.append("foreign keys")
        rows = connection.execute(text("SELECT id, sealed, hex(business_key) FROM cases")).all()
        queued = connection.execute(text("SELECT case_id FROM outbox")).scalars().all()
        connection.rollback()
    with Session(engine) as session:
        broken += [f"audit {one.reason} at {one.n}" for one in audit.examine(session).breaks]
    there = {row.id: hashlib.sha256(row.sealed).hexdigest() for row in rows}
    if set(queued) != set(there):
        broken.append("a case without its outbox row, or the reverse")
    lost = sum(there.get(case) != digest for case, digest in acks.items())
    return Verdict(lost, len(rows) - len({row[2] for row in rows}), tuple(broken), len(rows))
