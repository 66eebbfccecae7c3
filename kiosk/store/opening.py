"""The store as a process gets it: key, file, schema, in this order."""

from __future__ import annotations

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from kiosk.config import KioskConfig
from kiosk.store.database import explain, open_database
from kiosk.store.key import load_key
from kiosk.store.migrate import migrate


def open_store(config: KioskConfig) -> Engine:
    """Ready for use, or StoreUnusable. Every process calls it once; they may start together."""
    engine = open_database(config.store.path, load_key(config))
    try:
        migrate(engine)
    except DBAPIError as error:
        engine.dispose()
        raise explain(config.store.path, error.orig or error) from None
    return engine
