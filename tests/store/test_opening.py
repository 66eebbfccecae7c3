"""Opening as a process does: key, file and schema, and every failure of them a StoreUnusable."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from sqlalchemy import inspect, text
from sqlcipher3 import dbapi2

import kiosk.store.database
from kiosk.config import KioskConfig, Mode, StoreConfig
from kiosk.store.database import open_database
from kiosk.store.key import DatabaseKey, development_key
from kiosk.store.opening import open_store
from kiosk.store.unusable import StoreUnusable


@pytest.fixture
def config(database: Path, monkeypatch: pytest.MonkeyPatch) -> KioskConfig:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    return KioskConfig(mode=Mode.DEMO, store=StoreConfig(path=database))


def test_the_first_start_makes_everything_and_the_next_finds_it(config: KioskConfig) -> None:
    first = open_store(config)
    with first.begin() as connection:
        connection.execute(text("INSERT INTO setting VALUES ('a', 'b')"))
    first.dispose()
    second = open_store(config)
    with second.connect() as connection:
        assert connection.scalar(text("SELECT value FROM setting")) == "b"
    second.dispose()


def test_a_start_while_somebody_writes_for_long(config: KioskConfig, database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = development_key(database)
    engine = open_database(database, key)
    monkeypatch.setattr(kiosk.store.database, "BUSY_S", 0)
    with engine.connect() as writer:
        writer.begin()
        with pytest.raises(StoreUnusable) as failure:
            open_store(config)
    assert failure.value.reason == "busy"
    engine.dispose()


def test_a_disk_too_full_for_the_schema(config: KioskConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = kiosk.store.database.prepare

    def small(connection: dbapi2.Connection, key: DatabaseKey) -> None:
        whole(connection, key)
        connection.execute("PRAGMA max_page_count = 2")

    monkeypatch.setattr(kiosk.store.database, "prepare", small)
    with pytest.raises(StoreUnusable) as failure:
        open_store(config)
    assert failure.value.reason == "disk_full"
    monkeypatch.undo()
    engine = open_store(config)
    assert inspect(engine).has_table("outbox")
    engine.dispose()


def test_a_place_nobody_may_enter(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("closed")
    pid = os.fork()
    if pid == 0:
        reasons = []
        try:
            folder.chmod(0o000)
            if os.getuid() == 0:
                os.setuid(65534)
            for attempt in (
                lambda: development_key(folder / "terminal.db"),
                lambda: open_database(folder / "terminal.db", DatabaseKey("0f" * 32)),
            ):
                try:
                    attempt()
                except StoreUnusable as error:
                    reasons.append(error.reason)
        finally:
            os._exit(0 if reasons == ["read_only", "read_only"] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    folder.chmod(0o700)
