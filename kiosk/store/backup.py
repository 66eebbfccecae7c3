"""Verified copies of the terminal's database on another disk: `VACUUM INTO`, encrypted with the same key.

A copy counts only after it was opened again and found whole. It holds what had not been erased when it was made, so what
is erased later lies in it, sealed, until it is replaced: `store.backup_keep` copies, one a day.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.orm import Session
from sqlcipher3 import dbapi2

from kiosk.config import KioskConfig
from kiosk.domain.period import LOCAL_ZONE
from kiosk.durable import sync_path
from kiosk.store import audit
from kiosk.store.audit import AuditHead
from kiosk.store.database import open_read_only
from kiosk.store.key import DatabaseKey, load_key
from kiosk.store.settings import get_setting, put_setting
from kiosk.store.wholeness import find_damage

_DAY = "backup_day"
"""Local day of the last verified copy."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Backup:
    path: Path
    cases: int
    unsent: int
    entries: int
    """Of the audit chain."""


@dataclass(frozen=True, slots=True)
class BackupFailed:
    """Nothing was replaced. reason: `os_28` and the like, the database's code, or `not_whole` with what was found."""

    reason: str
    found: tuple[str, ...] = ()


def make_backup(engine: Engine, key: DatabaseKey, folder: Path, keep: int, now: dt.datetime) -> Backup | BackupFailed:
    """Makes a copy, proves it, and only then removes older ones. A copy that is not whole is removed."""
    name = f"{Path(str(engine.url.database)).name}-{now.astimezone(dt.UTC):%Y%m%dT%H%M%S}Z"
    fresh = folder / f"{name}.unverified"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in folder.glob("*.unverified"):
            left.unlink()
        before = _head(engine)
        _copy(engine, fresh)
        made = _verify(fresh, key, before)
        if isinstance(made, BackupFailed):
            fresh.unlink()
            return made
        final = folder / name
        fresh.rename(final)
        sync_path(folder)
        for old in sorted(folder.glob(f"{Path(str(engine.url.database)).name}-*Z"))[:-keep]:
            old.unlink()
    except OSError as error:
        _drop(fresh)
        return BackupFailed(f"os_{error.errno}")
    except dbapi2.DatabaseError as error:
        _drop(fresh)
        return BackupFailed(error.sqlite_errorname)
    return Backup(final, *made)


class BackupJob:
    """Once a local day from the retention's hour on, where `store.backup_dir` is set."""

    def __init__(self, engine: Engine, config: KioskConfig, now: Callable[[], dt.datetime]) -> None:
        self._engine = engine
        self._config = config
        self._now = now

    def run(self) -> bool:
        """Whether a copy was made and verified. Until it is due this costs one read; a failing one is tried again."""
        store, now = self._config.store, self._now()
        local = now.astimezone(LOCAL_ZONE)
        day = local.date().isoformat()
        if store.backup_dir is None or local.hour < self._config.retention.run_hour or self._last() == day:
            return False
        made = make_backup(self._engine, load_key(self._config), store.backup_dir, store.backup_keep, now)
        if isinstance(made, BackupFailed):
            _log.error("no verified copy of the database: %s %s", made.reason, "; ".join(made.found[:3]))
            return False
        with Session(self._engine) as session, session.begin():
            put_setting(session, _DAY, day)
            audit.append(session, "backup_verified", cases=made.cases, unsent=made.unsent)
        return True

    def _last(self) -> str | None:
        with Session(self._engine.execution_options(read_only=True)) as session, session.begin():
            return get_setting(session, _DAY)


def _head(engine: Engine) -> AuditHead:
    with Session(engine.execution_options(read_only=True)) as session, session.begin():
        return audit.head(session)


def _copy(engine: Engine, fresh: Path) -> None:
    """Writers are held up for a moment only; the copy is one moment's state."""
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute("VACUUM INTO ?", (str(fresh),))
        cursor.close()
    finally:
        connection.close()
    fresh.chmod(0o600)
    sync_path(fresh)


def _verify(copy: Path, key: DatabaseKey, before: AuditHead) -> tuple[int, int, int] | BackupFailed:
    """Cases, unsent ones, audit entries. The chain must hold the entry that was newest before the copy was made."""
    found = find_damage(copy, key)
    if found:
        return BackupFailed("not_whole", found)
    connection = open_read_only(copy, key)
    try:
        (cases,), (queued,), (unsent,), (entries,) = (
            connection.execute(f"SELECT count(*) FROM {what}").fetchone()
            for what in ("cases", "outbox", "outbox WHERE state = 'pending'", "audit")
        )
        link = connection.execute("SELECT link FROM audit WHERE n = ?", (before.n,)).fetchone()
    finally:
        connection.close()
    if cases != queued:
        return BackupFailed("not_whole", (f"{cases} cases, {queued} in the outbox",))
    if before.n and link != (before.link,):
        return BackupFailed("not_whole", (f"entry {before.n} of the audit chain is not the one of the database",))
    return cases, unsent, entries


def _drop(fresh: Path) -> None:
    """What stays is swept by the next run."""
    with contextlib.suppress(OSError):
        fresh.unlink(missing_ok=True)
