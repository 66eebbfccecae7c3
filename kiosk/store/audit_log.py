"""Audit entries for what changes nothing else in the database: sign-ins, and a process that starts."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import logging

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnection
from sqlalchemy.orm import Session

from kiosk.config import KioskConfig
from kiosk.store import audit
from kiosk.store.settings import get_setting, put_setting

_log = logging.getLogger(__name__)


class AuditLog:
    """Each entry is its own transaction. For any thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def note(self, act: str, **facts: str | int) -> bool:
        """False: the store could not take it. Nobody is kept from mending a full disk by that; the log says so."""
        try:
            with Session(self._engine) as session, session.begin():
                audit.append(session, act, **facts)
        except (DBAPIError, NoConnection) as error:
            _log.error("audit: %s was not written (%s)", act, type(error).__name__)
            return False
        return True


def note_start(engine: Engine, process: str, config: KioskConfig) -> None:
    """A process of this terminal begins: with which software and which configuration, and whether that is a new one.

    process: a word for it; each is compared with its own last start, as their environments may differ.
    """
    now, name = config_digest(config), f"config_digest:{process}"
    with Session(engine) as session, session.begin():
        before = get_setting(session, name)
        if before not in (None, now):
            audit.append(session, "config_changed", process=process, before=before, config=now)
        put_setting(session, name, now)
        audit.append(session, "started", process=process, software=importlib.metadata.version("kiosk"), config=now)


def config_digest(config: KioskConfig) -> str:
    """SHA-256 of the configuration in force, file and environment together, as canonical JSON."""
    told = json.dumps(config.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(told.encode()).hexdigest()
