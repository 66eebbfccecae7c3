"""What keeps the machine's disk in order: room for the next case, what may be erased, a copy on another disk."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from sqlalchemy import Engine

from kiosk.config import KioskConfig
from kiosk.store import ballast, erasure
from kiosk.store.backup import BackupJob
from kiosk.sync.retention_job import RetentionJob, office_time


class Housekeeping:
    """Called every minute or so; each part knows itself when it is due. Used by one thread."""

    def __init__(self, engine: Engine, config: KioskConfig, now: Callable[[], dt.datetime]) -> None:
        self._engine, self._config, self._now = engine, config, now
        kept = ballast.of(engine)
        self._room = None if kept is None else ballast.Room(engine, kept, self._purge)
        self._retention = RetentionJob(engine, config.retention, now)
        self._backup = BackupJob(engine, config, now)

    def run(self) -> None:
        if self._room is not None:
            self._room.run()
        self._retention.run()
        self._backup.run()

    def _purge(self) -> None:
        """On a full disk what may go goes now and not at night."""
        erasure.run(self._engine, self._config.retention, self._now(), office_time(self._engine))
