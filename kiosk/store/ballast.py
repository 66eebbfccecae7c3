"""A file of allocated bytes beside the database, given up when the disk is full, so that what was begun can end.

On a full disk not even a DELETE succeeds. Whoever meets that gives the ballast up and tries once more; no new case is
taken until the ballast stands again, which `Room` sees to after a purge.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlcipher3 import dbapi2

from kiosk.durable import sync_path
from kiosk.store.erasure import empty_log

_log = logging.getLogger(__name__)
_OPTION = "ballast"
_FULL = ("SQLITE_FULL", "SQLITE_IOERR_SHMSIZE")
"""The second: no room for the index of the log, which is the first thing a fresh connection needs."""


def is_full(errorname: str) -> bool:
    return errorname.startswith(_FULL)


class Ballast:
    """For any thread, and any number of processes. A file of no length says that it was given up."""

    def __init__(self, database: Path, size: int, floor: int) -> None:
        """Bytes; size 0: there is none. floor: so much free disk must be left when the file is made."""
        self.path = database.with_name(database.name + ".ballast")
        self._size = size
        self._floor = floor

    @property
    def stands(self) -> bool:
        return bool(self._length())

    @property
    def spent(self) -> bool:
        """The disk was full, and there is no ballast yet for the next time: no new case is taken."""
        return self._length() == 0

    def release(self) -> bool:
        """Gives the room back to the disk. False: there was none left to give."""
        if self._size == 0:
            return False
        stood = self.stands
        try:
            with self.path.open("wb") as file:
                os.fsync(file.fileno())
        except OSError as error:
            _log.error("the ballast cannot be given up (%s)", os.strerror(error.errno or 0))
            return False
        if stood:
            _log.error("the disk is full: the ballast was given up, no new case is taken")
        return stood

    def keep(self) -> bool:
        """Makes it where it is missing and there is room. Whether it stands. Cut off, the next call begins again."""
        if self._size == 0 or self.stands:
            return True
        fresh = self.path.with_name(self.path.name + ".new")
        try:
            if shutil.disk_usage(self.path.parent).free - self._size < self._floor:
                return False
            with fresh.open("ab") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.posix_fallocate(file.fileno(), 0, self._size)  # allocated, so not sparse; its zeros need not be written
                os.fsync(file.fileno())
                fresh.rename(self.path)
            sync_path(self.path.parent)
        except BlockingIOError:  # another process makes it
            return False
        except OSError as error:
            if error.errno == errno.ENOSPC:
                fresh.unlink(missing_ok=True)
            _log.warning("no ballast can be made (%s)", os.strerror(error.errno or 0))
            return False
        return True

    def _length(self) -> int | None:
        """None: it was never made."""
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return None


def give(engine: Engine, ballast: Ballast) -> None:
    """From now on this engine's store gives it up when the disk is full."""
    engine.update_execution_options(**{_OPTION: ballast})


def of(engine: Engine) -> Ballast | None:
    found = engine.get_execution_options().get(_OPTION)
    return found if isinstance(found, Ballast) else None


class Room:
    """Brings a terminal out of a full disk, as far as that is possible without staff; to be called every minute or so."""

    def __init__(self, engine: Engine, ballast: Ballast, purge: Callable[[], object]) -> None:
        """purge: erases what may go; only called after the ballast was given up."""
        self._engine = engine
        self._ballast = ballast
        self._purge = purge

    def run(self) -> bool:
        """Whether the ballast stands afterwards."""
        if self._ballast.keep():
            return True
        if self._ballast.spent:
            self._make_room()
        return self._ballast.keep()

    def _make_room(self) -> None:
        try:
            empty_log(self._engine)
            self._purge()
            empty_log(self._engine)
        except DBAPIError as error:
            _log.error("no room could be made: %s", getattr(error.orig, "sqlite_errorname", type(error).__name__))
        except dbapi2.DatabaseError as error:
            _log.error("no room could be made: %s", error.sqlite_errorname)
