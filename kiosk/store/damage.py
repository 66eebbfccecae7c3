"""A damaged database is kept, never deleted and never written over; no new one begins before staff said so.

Two small files stand beside it. `.suspect`: a statement met damage, so the next opening examines the whole file in a
process that has not met it. `.damaged`: the file is damaged; it lies under the dated name that stands there (or goes
there as soon as no process uses it), and nobody opens or makes a database here until `begin_anew`.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from kiosk.durable import sync_path
from kiosk.store.unusable import StoreUnusable

_PARTS = ("", "-wal", "-shm")
"""The log belongs to its database. The index goes along: whoever still has it open shares its locks with the next reader."""
_ADVICE = (
    "the database is damaged and kept, do not delete it: stop kiosk-sync, `kiosk store begin-anew`, enrol again, then "
    "`kiosk store salvage`"
)


def suspect_file(database: Path) -> Path:
    return database.with_name(database.name + ".suspect")


def damaged_file(database: Path) -> Path:
    return database.with_name(database.name + ".damaged")


@contextlib.contextmanager
def in_use(database: Path) -> Iterator[None]:
    """While a process works with the database, whatever else it holds; many may, and nobody moves the file meanwhile."""
    descriptor = hold(database)
    try:
        yield
    finally:
        os.close(descriptor)


def hold(database: Path) -> int:
    """As `in_use`, until the descriptor is closed. Raises OSError."""
    descriptor = _lock_file(database)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    return descriptor


def suspect(database: Path) -> None:
    """A statement met damage. Costs nothing where that cannot be noted: the next statement meets it again."""
    with contextlib.suppress(OSError):
        suspect_file(database).touch()


def refuse_damaged(database: Path, now: dt.datetime) -> None:
    """Raises StoreUnusable while a damaged database waits for staff, and when the file is gone but its log is there:
    SQLite would throw that log away. Ends a move that was cut off."""
    log = database.with_name(database.name + "-wal")
    headless = log.exists() and log.stat().st_size > 0 and not (database.exists() and database.stat().st_size)
    if headless or damaged_file(database).exists():
        raise set_aside(database, now)


def set_aside(database: Path, now: dt.datetime) -> StoreUnusable:
    """Marks the file damaged and moves it to a dated name, unless some process still uses it: then the next opening does.

    Returns what to raise. No connection of this process to the file is open. Raises OSError.
    """
    marker = damaged_file(database)
    if not marker.exists():
        _write(marker, f"{database.name}.damaged-{now.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}")
    descriptor = _lock_file(database)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _move(database, marker.with_name(marker.read_text(encoding="utf-8").strip()))
    except BlockingIOError:
        return StoreUnusable("damaged", f"{_ADVICE} (another process still uses it)")
    finally:
        os.close(descriptor)
    return StoreUnusable("damaged", _ADVICE)


def begin_anew(database: Path, now: dt.datetime) -> Path:
    """Staff allows a new, empty database; returns where the damaged one is kept. Raises StoreUnusable, OSError.

    Identity, key and numbers of the old one are not in the new one: the machine has to be enrolled again, and the office
    gives it a new epoch.
    """
    marker = damaged_file(database)
    if not marker.exists():
        raise StoreUnusable("not_damaged", f"{database} is not marked damaged; there is nothing to begin anew")
    kept = marker.with_name(marker.read_text(encoding="utf-8").strip())
    set_aside(database, now)
    if any(database.with_name(database.name + part).exists() for part in _PARTS):
        raise StoreUnusable("busy", f"a process still uses {database}; stop kiosk-terminal and kiosk-sync first")
    suspect_file(database).unlink(missing_ok=True)
    marker.unlink()
    sync_path(database.parent)
    return kept


def kept_files(database: Path) -> tuple[Path, ...]:
    """Damaged databases that are kept, oldest first."""
    return tuple(sorted(database.parent.glob(f"{database.name}.damaged-*Z")))


def _move(database: Path, kept: Path) -> None:
    """Nothing is ever written over: what lies under the kept name stays."""
    for part in _PARTS:
        old, new = database.with_name(database.name + part), kept.with_name(kept.name + part)
        if old.exists() and not new.exists():
            old.rename(new)
    sync_path(database.parent)


def _lock_file(database: Path) -> int:
    return os.open(database.with_name(database.name + ".in-use"), os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _write(path: Path, text: str) -> None:
    """Whole or not at all: written beside it, then renamed."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    with fresh.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.rename(path)
    sync_path(path.parent)
