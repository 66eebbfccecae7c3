"""Copies: encrypted, whole, proven before an older one goes; a bad one is worth nothing and says so."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

import kiosk.store.backup
from kiosk.config import KioskConfig, Mode, StoreConfig
from kiosk.domain.case import CaseDraft, CaseReceipt
from kiosk.store import audit
from kiosk.store.backup import Backup, BackupFailed, BackupJob, make_backup
from kiosk.store.cases import CaseStore, Sealer
from kiosk.store.database import open_database
from kiosk.store.key import DatabaseKey
from kiosk.store.migrate import migrate
from kiosk.store.unusable import StoreUnusable

MakeDraft = Callable[..., CaseDraft]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "second disk"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_copy_is_the_database(
    engine: Engine, key: DatabaseKey, store: CaseStore, sealer: Sealer, draft: MakeDraft, now: dt.datetime, folder: Path,
) -> None:
    receipts = [store.submit(draft(repeat=n), sealer, now) for n in range(3)]
    made = make_backup(engine, key, folder, 2, now)
    assert isinstance(made, Backup)
    assert (made.cases, made.unsent, made.entries) == (3, 3, 3)
    assert names(folder) == ["terminal.db-20261123T010000Z"]
    assert made.path.stat().st_mode & 0o777 == 0o600
    raw = made.path.read_bytes()
    assert b"SQLite format 3" not in raw and b"sealed" not in raw
    with pytest.raises(StoreUnusable, match="wrong_key"):
        open_database(made.path, DatabaseKey("ab" * 32))
    copy = open_database(made.path, key)
    migrate(copy)
    again = CaseStore(copy, 0).submit(draft(repeat=1), sealer, now)
    assert isinstance(again, CaseReceipt) and again == receipts[1]
    with Session(copy) as session:
        assert audit.examine(session).breaks == ()
    copy.dispose()


def test_older_ones_go_only_after_a_newer_one_is_proven(
    engine: Engine, key: DatabaseKey, now: dt.datetime, folder: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    for day in range(3):
        assert isinstance(make_backup(engine, key, folder, 2, now + dt.timedelta(days=day)), Backup)
    kept = ["terminal.db-20261124T010000Z", "terminal.db-20261125T010000Z"]
    assert names(folder) == kept
    copy = kiosk.store.backup._copy

    def spoiled(engine: Engine, fresh: Path) -> None:
        copy(engine, fresh)
        raw = bytearray(fresh.read_bytes())
        raw[-2000] ^= 1
        fresh.write_bytes(raw)

    monkeypatch.setattr(kiosk.store.backup, "_copy", spoiled)
    failed = make_backup(engine, key, folder, 2, now + dt.timedelta(days=3))
    assert isinstance(failed, BackupFailed) and failed.reason == "not_whole" and failed.found
    assert names(folder) == kept


@pytest.mark.parametrize("damage", [
    "UPDATE cases SET sealed = x'00'", "DELETE FROM outbox", "UPDATE audit SET link = x'00' WHERE n = 1", "DELETE FROM audit",
])
def test_a_copy_of_other_contents_is_not_taken(
    engine: Engine, key: DatabaseKey, store: CaseStore, sealer: Sealer, draft: MakeDraft, now: dt.datetime, folder: Path,
    monkeypatch: pytest.MonkeyPatch, damage: str,
) -> None:
    store.submit(draft(), sealer, now)
    copy = kiosk.store.backup._copy

    def other(engine: Engine, fresh: Path) -> None:
        copy(engine, fresh)
        there = open_database(fresh, key)
        with there.begin() as connection:
            connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
            if damage == "DELETE FROM audit":
                connection.exec_driver_sql("DELETE FROM outbox")
                connection.exec_driver_sql("DELETE FROM cases")
            connection.exec_driver_sql(damage)
        there.dispose()

    monkeypatch.setattr(kiosk.store.backup, "_copy", other)
    assert isinstance(make_backup(engine, key, folder, 2, now), BackupFailed)
    assert "terminal.db-20261123T010000Z" not in names(folder)


def test_beside_a_steady_writer(
    engine: Engine, key: DatabaseKey, store: CaseStore, sealer: Sealer, draft: MakeDraft, now: dt.datetime, folder: Path,
) -> None:
    stop = threading.Event()
    written = []

    def write() -> None:
        while not stop.is_set():
            written.append(store.submit(draft(repeat=len(written)), sealer, now))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        made = [make_backup(engine, key, folder, 9, now + dt.timedelta(seconds=n)) for n in range(3)]
    finally:
        stop.set()
        writer.join()
    assert all(isinstance(one, Backup) for one in made)
    assert all(isinstance(one, CaseReceipt) for one in written)


def test_a_folder_that_cannot_be(engine: Engine, key: DatabaseKey, now: dt.datetime) -> None:
    failed = make_backup(engine, key, Path("/dev/full/copies"), 2, now)
    assert isinstance(failed, BackupFailed) and failed.reason.startswith("os_")


def test_the_daily_job(engine: Engine, database: Path, tmp_path: Path, folder: Path) -> None:
    key = tmp_path / "key"
    key.write_text("0f" * 32)
    clock = [dt.datetime(2026, 11, 23, 17, 59, tzinfo=dt.UTC)]  # 01:59 local
    config = KioskConfig(mode=Mode.DEMO, store=StoreConfig(path=database, key_file=key, backup_dir=folder))
    job = BackupJob(engine, config, lambda: clock[0])
    assert not job.run()
    clock[0] += dt.timedelta(minutes=1)
    assert job.run()
    assert not BackupJob(engine, config, lambda: clock[0] + dt.timedelta(hours=5)).run()
    clock[0] += dt.timedelta(days=1)
    assert job.run()
    assert len(names(folder)) == 2
    with engine.connect() as connection:
        events = connection.execute(text("SELECT event FROM audit")).scalars().all()
    assert [event for event in events if b"backup_verified" in event] == events and len(events) == 2
    none = KioskConfig(mode=Mode.DEMO, store=StoreConfig(path=database, key_file=key))
    assert not BackupJob(engine, none, lambda: clock[0] + dt.timedelta(days=9)).run()


def test_a_failing_job_tries_again_and_says_so(
    engine: Engine, database: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture,
) -> None:
    key, folder = tmp_path / "key", tmp_path / "folder"
    key.write_text("0f" * 32)
    folder.write_text("in the way")
    config = KioskConfig(mode=Mode.DEMO, store=StoreConfig(path=database, key_file=key, backup_dir=folder))
    job = BackupJob(engine, config, lambda: dt.datetime(2026, 11, 23, 20, 0, tzinfo=dt.UTC))
    assert not job.run()
    assert "no verified copy" in caplog.text
    folder.unlink()
    assert job.run()
