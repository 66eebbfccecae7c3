"""Brings the database to the schema of this software, in one transaction: all revisions or none."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect, text

from kiosk.store.unusable import StoreUnusable

_FOLDER = Path(__file__).parent / "migrations"


def migrate(engine: Engine) -> None:
    """Upgrades to the newest revision. Processes starting together wait for each other (BEGIN IMMEDIATE).

    Raises StoreUnusable, nothing changed, when the file was written by newer software.
    """
    with engine.begin() as connection:
        config = _config(connection)
        _refuse_newer(connection, ScriptDirectory.from_config(config))
        command.upgrade(config, "head")


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.attributes["connection"] = connection
    return config


def _refuse_newer(connection: Connection, scripts: ScriptDirectory) -> None:
    if not inspect(connection).has_table("alembic_version"):
        return
    known = {script.revision for script in scripts.walk_revisions()}
    found = connection.scalar(text("SELECT version_num FROM alembic_version"))
    if found is not None and found not in known:
        raise StoreUnusable("newer_database", "the file was written by newer software and stays as it is; install that version")
