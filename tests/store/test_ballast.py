"""The ballast: real bytes, made only where there is room, given up when the disk is full, and back after a purge."""

from __future__ import annotations

import datetime as dt
import os
import shutil
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import DBAPIError

from kiosk.config import KioskConfig, Mode, StoreConfig
from kiosk.domain.case import CaseDraft, CaseReceipt
from kiosk.domain.trouble import HandInTrouble
from kiosk.store import ballast
from kiosk.store.ballast import Ballast, Room
from kiosk.store.cases import CaseStore, Sealer, SubmitFailed
from kiosk.store.opening import open_store

MB = 1024 * 1024
MakeDraft = Callable[..., CaseDraft]
Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def made(database: Path) -> Ballast:
    return Ballast(database, 2 * MB, 0)


def free(monkeypatch: pytest.MonkeyPatch, room: int) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(room, 0, room))


def test_real_bytes(made: Ballast) -> None:
    assert not made.stands and not made.spent
    assert made.keep() and made.stands
    assert made.path.stat().st_blocks * 512 >= made.path.stat().st_size == 2 * MB
    inode = made.path.stat().st_ino
    assert made.keep() and made.path.stat().st_ino == inode


def test_none_is_made_that_would_push_the_disk_under_the_floor(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Ballast(database, 2 * MB, 10 * MB)
    free(monkeypatch, 12 * MB - 1)
    assert not made.keep() and not made.path.exists() and not made.spent
    free(monkeypatch, 12 * MB)
    assert made.keep()


def test_given_up_and_made_again(made: Ballast, monkeypatch: pytest.MonkeyPatch) -> None:
    made.keep()
    assert made.release() and made.spent
    assert made.path.stat().st_blocks == 0
    assert not made.release()
    free(monkeypatch, MB)
    assert not made.keep() and made.spent
    monkeypatch.undo()
    assert made.keep() and not made.spent


def test_a_full_disk_without_a_ballast_stops_intake_too(made: Ballast) -> None:
    assert not made.release()
    assert made.spent


def test_no_ballast_is_wanted(database: Path) -> None:
    none = Ballast(database, 0, 0)
    assert none.keep() and not none.release() and not none.spent
    assert not none.path.exists()


def test_a_half_made_one_of_before_a_power_cut_is_finished(made: Ballast) -> None:
    made.path.with_name(made.path.name + ".new").write_bytes(b"x" * 100)
    assert made.keep()
    assert made.path.stat().st_size == 2 * MB


def test_two_processes_make_one(made: Ballast) -> None:
    children = []
    for _ in range(4):
        pid = os.fork()
        if pid == 0:
            made.keep()
            os._exit(0)
        children.append(pid)
    assert [os.waitpid(pid, 0)[1] for pid in children] == [0, 0, 0, 0]
    assert made.stands
    assert [path.name for path in made.path.parent.iterdir()] == [made.path.name]


class Limited:
    """A disk that is full while the ballast lies on it: the database may grow by nothing."""

    def __init__(self, engine: Engine, made: Ballast) -> None:
        self._made = made
        self.full = True
        event.listen(engine, "begin", self._begin)

    def _begin(self, connection: object) -> None:
        limit = "1" if self.full and self._made.stands else "1073741823"
        connection.exec_driver_sql(f"PRAGMA max_page_count = {limit}")  # type: ignore[attr-defined]


@pytest.fixture
def config(database: Path, monkeypatch: pytest.MonkeyPatch) -> KioskConfig:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    return KioskConfig(mode=Mode.DEMO, store=StoreConfig(path=database, ballast_mb=1, free_floor_mb=0))


def test_the_person_in_the_middle_is_served_and_the_next_is_not(
    config: KioskConfig, sealer: Sealer, draft: MakeDraft, now: dt.datetime, monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = open_store(config)
    made = ballast.of(engine)
    assert made is not None and made.keep()
    store = CaseStore(engine, 0)
    disk = Limited(engine, made)
    assert isinstance(store.submit(draft(), sealer, now), CaseReceipt)
    assert made.spent
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM cases")) == 1
    free(monkeypatch, 0)
    again = store.submit(draft(repeat=1), sealer, now)
    assert again == SubmitFailed(HandInTrouble.DISK_FULL, "disk_low")
    monkeypatch.undo()
    disk.full = False
    assert isinstance(store.submit(draft(repeat=1), sealer, now), CaseReceipt)  # there is room again: the ballast comes first
    assert made.stands
    engine.dispose()


def test_without_a_ballast_the_case_is_refused_and_nothing_is_half_there(
    config: KioskConfig, sealer: Sealer, draft: MakeDraft, now: dt.datetime,
) -> None:
    config = config.model_copy(update={"store": config.store.model_copy(update={"ballast_mb": 0})})
    engine = open_store(config)
    made = Ballast(config.store.path, MB, 0)
    made.keep()
    Limited(engine, made)
    failed = CaseStore(engine, 0).submit(draft(), sealer, now)
    assert failed == SubmitFailed(HandInTrouble.DISK_FULL, "SQLITE_FULL")
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM cases")) == 0
    engine.dispose()


def test_any_statement_that_meets_the_full_disk_gives_it_up(config: KioskConfig) -> None:
    engine = open_store(config)
    made = ballast.of(engine)
    assert made is not None and made.keep()
    Limited(engine, made)
    with pytest.raises(DBAPIError), engine.begin() as connection:
        connection.execute(text("INSERT INTO setting VALUES ('a', hex(zeroblob(100000)))"))
    assert made.spent
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO setting VALUES ('a', hex(zeroblob(100000)))"))
    engine.dispose()


def test_room_is_made_in_this_order(config: KioskConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = open_store(config)
    made = ballast.of(engine)
    assert made is not None
    done = []
    log = config.store.path.with_name(config.store.path.name + "-wal")

    def purge() -> None:
        done.append(log.stat().st_size)
        monkeypatch.undo()

    room = Room(engine, made, purge)
    assert room.run() and not done  # nothing is purged for a ballast that could simply be made
    made.release()
    free(monkeypatch, 0)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO setting VALUES ('a', 'b')"))
    assert log.stat().st_size > 0
    assert room.run()
    assert done == [0]
    assert made.stands
    engine.dispose()


def test_a_failing_purge_leaves_intake_closed(config: KioskConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = open_store(config)
    made = ballast.of(engine)
    assert made is not None
    made.release()
    free(monkeypatch, 0)

    def purge() -> None:
        with engine.begin() as connection:
            connection.execute(text("INSERT INTO nowhere VALUES (1)"))

    assert not Room(engine, made, purge).run()
    assert made.spent
    engine.dispose()
