"""The store as a process gets it: key, file, schema, in this order."""

from __future__ import annotations

import datetime as dt
import logging
from pathlib import Path

from sqlalchemy import Engine, ExceptionContext, event
from sqlalchemy.exc import DBAPIError

from kiosk.config import KioskConfig, Mode
from kiosk.store import ballast, damage, hashes
from kiosk.store.database import open_database, refuse
from kiosk.store.key import DatabaseKey, load_key
from kiosk.store.migrate import migrate
from kiosk.store.preflight import refuse_unsafe
from kiosk.store.unusable import StoreUnusable
from kiosk.store.wholeness import find_damage

_MB = 1024 * 1024
_log = logging.getLogger(__name__)


def open_store(config: KioskConfig) -> Engine:
    """Ready for use, or StoreUnusable. Every process calls it once; they may start together."""
    key = load_key(config)
    _preflight(config)
    given_up = ballast_of(config)
    try:
        engine = _open(config.store.path, key)
    except StoreUnusable as error:
        if error.reason != "disk_full" or not given_up.release():
            raise
        engine = _open(config.store.path, key)
    hashes.choose(engine, config.store.suite)
    ballast.give(engine, given_up)
    _watch(engine, config.store.path, given_up)
    return engine


def ballast_of(config: KioskConfig) -> ballast.Ballast:
    return ballast.Ballast(config.store.path, config.store.ballast_mb * _MB, config.store.free_floor_mb * _MB)


def _open(path: Path, key: DatabaseKey) -> Engine:
    engine = open_database(path, key)
    try:
        if damage.suspect_file(path).exists():
            _examine(path, key)
        migrate(engine)
    except DBAPIError as error:
        engine.dispose()
        raise refuse(path, key, error.orig or error) from None
    return engine


def _examine(path: Path, key: DatabaseKey) -> None:
    """Somebody met damage: what is it? Raises StoreUnusable when it is still there."""
    found = find_damage(path, key)
    if found:
        _log.error("store: %s", "; ".join(found[:5]))
        raise damage.set_aside(path, dt.datetime.now(dt.UTC))
    _log.warning("store: damage was met, and the file is whole: memory or disk of this machine should be tested")
    damage.suspect_file(path).unlink(missing_ok=True)


def _watch(engine: Engine, path: Path, given_up: ballast.Ballast) -> None:
    """Whoever's statement it is that meets damage or a full disk."""

    @event.listens_for(engine, "handle_error")
    def _handle(context: ExceptionContext) -> None:
        name = getattr(context.original_exception, "sqlite_errorname", "")
        if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
            damage.suspect(path)
        elif ballast.is_full(name):
            given_up.release()


def _preflight(config: KioskConfig) -> None:
    folder = config.store.path.parent
    try:
        if folder.is_dir():
            refuse_unsafe(folder)
    except StoreUnusable as error:
        if config.mode is not Mode.DEMO:
            raise
        _log.warning("DEMO: %s", error)
    except OSError as error:
        _log.warning("the file system under %s cannot be examined (%s)", folder, error.strerror)
