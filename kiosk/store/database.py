"""The one way to open the terminal's database: SQLCipher, WAL, synchronous=FULL, BEGIN IMMEDIATE, all read back.

Never open the live file with another program: an SQLite without the WAL-reset fix (before 3.51.3, apart from
3.50.7 and 3.44.6; sqlite.org/wal.html) can corrupt it, and one with the wrong key must not touch it.
"""

from __future__ import annotations

import datetime as dt
import errno
import os
import time
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.pool import ConnectionPoolEntry
from sqlcipher3 import dbapi2

from kiosk.store import damage
from kiosk.store.key import DatabaseKey
from kiosk.store.pages import key_fits
from kiosk.store.unusable import StoreUnusable

BUSY_S = 10
_HOLDS = "holds"
_READ_BACK = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
_SETTINGS = (
    "synchronous = FULL", "foreign_keys = ON", "trusted_schema = OFF", "cell_size_check = ON", "secure_delete = ON",
    "temp_store = MEMORY", "wal_autocheckpoint = 1000", "journal_size_limit = 67108864",
)


def sqlite_is_safe(version: tuple[int, ...]) -> bool:
    """Whether this SQLite has the fix of the WAL-reset bug (3.51.3, or its backports to 3.50 and 3.44)."""
    return version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45)


def open_database(path: Path, key: DatabaseKey) -> Engine:
    """Opens or creates the file and proves that key and settings hold. Raises StoreUnusable, file untouched; a file that
    is damaged beyond doubt is kept under another name (`damage`).

    Transactions begin IMMEDIATE; with the execution option `read_only=True` they begin deferred. One process may
    hold several engines; four connections each.
    """
    if not sqlite_is_safe(dbapi2.sqlite_version_info):
        raise StoreUnusable("old_sqlite", f"SQLite {dbapi2.sqlite_version} can corrupt the file; install sqlcipher3 0.6.4")
    try:
        _check_file(path)
        damage.refuse_damaged(path, dt.datetime.now(dt.UTC))
        if path.exists() and path.stat().st_size:
            _check_key(path, key)
        with damage.in_use(path):
            probe = dbapi2.connect(str(path), timeout=BUSY_S)
            try:
                prepare(probe, key)
            finally:
                probe.close()
    except dbapi2.DatabaseError as error:
        raise refuse(path, key, error) from None
    except OSError as error:
        raise StoreUnusable("read_only", f"{path} cannot be reached ({error.strerror}); check owner and mount") from None
    engine = create_engine(
        URL.create("sqlite+pysqlite", database=str(path)), module=dbapi2, pool_size=4, max_overflow=0,
        creator=lambda: _connection(path, "rw", check_same_thread=False), hide_parameters=True,
    )

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, record: ConnectionPoolEntry) -> None:
        record.info[_HOLDS] = damage.hold(path)
        prepare(connection, key)

    @event.listens_for(engine, "close")
    def _close(_connection: Any, record: ConnectionPoolEntry) -> None:
        held = record.info.pop(_HOLDS, None)
        if held is not None:
            os.close(held)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        read_only = connection.get_execution_options().get("read_only", False)
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine


def prepare(connection: dbapi2.Connection, key: DatabaseKey) -> None:
    """Key and settings of one fresh connection. Raises StoreUnusable when one does not hold, DatabaseError for the key."""
    _unlock(connection, key)
    connection.execute(f"PRAGMA busy_timeout = {BUSY_S * 1000}")
    _write_ahead(connection)
    for setting in _SETTINGS:
        connection.execute(f"PRAGMA {setting}")
    for name, wanted in _READ_BACK.items():
        (found,) = connection.execute(f"PRAGMA {name}").fetchone()
        if found != wanted:
            raise StoreUnusable("settings", f"{name} is {found} instead of {wanted}; put the database on a local ext4 disk")


def _write_ahead(connection: dbapi2.Connection) -> None:
    """A file system without shared memory refuses silently. Of two processes that begin a new file at the same moment
    one is told "busy" at once, without the wait it asked for."""
    deadline = time.monotonic() + BUSY_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except dbapi2.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _unlock(connection: dbapi2.Connection, key: DatabaseKey) -> None:
    connection.isolation_level = None  # before anything else: the driver must never BEGIN by itself
    connection.execute(f"PRAGMA key = \"x'{key.hex}'\"")
    connection.execute("PRAGMA cipher_log_level = NONE")  # a wrong key is reported once, by us
    connection.execute("SELECT count(*) FROM sqlite_master").fetchone()


def _check_key(path: Path, key: DatabaseKey) -> None:
    """Through a read-only connection: with a wrong key not even a checkpoint of the log may happen."""
    open_read_only(path, key).close()


def open_read_only(path: Path, key: DatabaseKey) -> dbapi2.Connection:
    """One connection that changes nothing and makes nothing, for whoever examines a file. Raises DatabaseError."""
    connection = _connection(path, "ro")
    try:
        _unlock(connection, key)
    except dbapi2.DatabaseError:
        connection.close()
        raise
    return connection


def _connection(path: Path, mode: str, check_same_thread: bool = True) -> dbapi2.Connection:
    """mode: `rw` or `ro`; neither makes a file that is not there."""
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    return dbapi2.connect(uri, uri=True, timeout=BUSY_S, check_same_thread=check_same_thread)


def _check_file(path: Path) -> None:
    folder = path.parent
    if not folder.is_dir():
        raise StoreUnusable("no_folder", f"the folder {folder} does not exist; run the set-up again")
    if path.exists() and not path.is_file():
        raise StoreUnusable("not_a_file", f"{path} is not a file; correct store.path")
    writable = os.access(folder, os.W_OK) and (not path.exists() or os.access(path, os.R_OK | os.W_OK))
    if not writable:
        raise StoreUnusable("read_only", f"{path} and its folder must be writable for this user; check owner and mount")


def refuse(path: Path, key: DatabaseKey, error: BaseException) -> StoreUnusable:
    """As `explain`; and a file that is damaged beyond doubt is set aside. No connection of this process is open.

    A file none of whose pages the key fits is never moved: the key may be the wrong one.
    """
    found = explain(path, error)
    if found.reason not in ("damaged", "wrong_key"):
        return found
    try:
        fits = key_fits(path, key)
        return damage.set_aside(path, dt.datetime.now(dt.UTC)) if fits else explain_key(path)
    except OSError as trouble:
        return StoreUnusable("read_only", f"{path} cannot be read or moved ({trouble.strerror}); check owner and mount")


def explain_key(path: Path) -> StoreUnusable:
    return StoreUnusable(
        "wrong_key", f"{path} does not open with this key: give the right one; keep the file, it may hold unsent cases",
    )


def explain(path: Path, error: BaseException) -> StoreUnusable:
    """What an error of the driver means for whoever has to help."""
    name = getattr(error, "sqlite_errorname", "") or type(error).__name__
    if name.startswith("SQLITE_NOTADB"):
        return explain_key(path)
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        return StoreUnusable("read_only", f"{path} cannot be opened for writing ({name}); check owner and mount")
    if name.startswith(("SQLITE_FULL", "SQLITE_IOERR_SHMSIZE")):
        return StoreUnusable("disk_full", f"no room beside {path}: {os.strerror(errno.ENOSPC)}; free space on this disk")
    if name.startswith("SQLITE_BUSY"):
        return StoreUnusable("busy", f"another program holds {path}; end it and start again")
    if name.startswith("SQLITE_CORRUPT"):
        return StoreUnusable("damaged", f"{path} is damaged ({name}); keep the file and call for help, it may hold unsent cases")
    return StoreUnusable("io_error", f"{path} cannot be used ({name}); check the disk, keep the file, it may hold unsent cases")
