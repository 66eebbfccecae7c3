"""`kiosk retention`: the dated plan, a run, and the end of a machine, each as a process of its own."""

from __future__ import annotations

import datetime as dt
import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

import kiosk.store.crypto_erase
from kiosk.config import KioskConfig, Mode, StoreConfig, SyncConfig
from kiosk.store import audit
from kiosk.store.crypto_erase import crypto_erase, marker
from kiosk.store.models import CaseRow, OutboxRow
from kiosk.store.opening import open_store
from kiosk.sync.identity import Stored, take_identity
from kiosk.sync.wire.models import EnrolAnswer, OfficeKeys

MARKER = "MARKER-in-every-file"
_HEX = "ab" * 32


class Box:
    """A terminal's folder with its configuration; `kiosk` runs a command on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "terminal.toml"
        self.database = folder / "data" / "terminal.db"
        self.database.parent.mkdir()
        self.key = folder / "secret" / "key"
        self.key.parent.mkdir()
        self.key.write_text("0f" * 32)
        self.backups = folder / "backups"
        self.config.write_text(
            f'mode = "demo"\n[store]\npath = "{self.database}"\nkey_file = "{self.key}"\nbackup_dir = "{self.backups}"\n',
        )
        self.engine = self.open()

    def open(self) -> Engine:
        return open_store(self.settings())

    def settings(self) -> KioskConfig:
        return KioskConfig(
            mode=Mode.DEMO, store=StoreConfig(path=self.database, key_file=self.key, backup_dir=self.backups),
            sync=SyncConfig(),
        )

    def enrol(self) -> None:
        keys = OfficeKeys(sealing=_HEX, signing=(_HEX,))
        answer = EnrolAnswer(terminal_id="HG01", site="x", epoch=1, signing_key=_HEX, office=keys)
        stored = Stored(office_url="http://127.0.0.1", signing_key=_HEX, sealing_key=_HEX, answer=answer)
        take_identity(self.engine, stored, "enrolled", "asked")

    def case(self, number: int, state: str, level: str | None, days_ago: float) -> None:
        at = dt.datetime.now(dt.UTC) - dt.timedelta(days=days_ago)
        answer = json.dumps({"received": dt.datetime.now(dt.UTC).isoformat()}).encode() if state == "acked" else None
        name = f"case-{number}"
        with Session(self.engine) as session, session.begin():
            entry = audit.append(session, "case_handed_in", case=name)
            session.add(CaseRow(
                id=name, business_key=bytes([number]), case_number=name, query_token="t", item="12", day=at.date(),
                sealed=MARKER.encode() * 500, digest=bytes(32), signature="00", audit_n=entry.n, created=at,
            ))
            session.flush()
            session.add(OutboxRow(
                epoch=1, seq=number, case_id=name, state=state, ack_level=level, next_at=at, answered_at=at, answer=answer,
                safe_at=at if level == "safe" else None,
            ))

    def kiosk(self, *words: str, status: int = 0, **environment: str) -> str:
        command = [sys.executable, "-m", "kiosk", "retention", *words, "--config", str(self.config)]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=60, env={**os.environ, **environment},
        )
        assert done.returncode == status and "Traceback" not in done.stderr, done.stdout + done.stderr
        return done.stdout + done.stderr

    def files(self) -> list[Path]:
        return [path for path in self.folder.rglob("*") if path.is_file()]


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path)


def test_the_plan_says_what_why_and_when_and_changes_nothing(box: Box) -> None:
    box.case(1, "acked", "safe", 2)
    box.case(2, "acked", "safe", 0.1)
    box.case(3, "pending", None, 40)
    shown = json.loads(box.kiosk("plan", "--json", status=1))
    assert shown["clock"] == "ok"
    assert shown["due"] == [{"what": "sealed", "why": "safe_long_enough", "count": 1}]
    assert [(one["what"], one["count"]) for one in shown["later"]] == [("sealed", 1)]
    assert shown["kept"] == {"unsent": 1} and [one["code"] for one in shown["alarms"]] == ["unsent"]
    assert json.loads(box.kiosk("plan", "--json", status=1))["due"] == shown["due"]
    words = box.kiosk("plan", "--at", "2100-01-01", status=1)
    assert "now: 2 sealed (safe_long_enough)" in words and "stays: 1 (unsent)" in words and "ALARM: 1 unsent" in words


def test_a_run_erases_and_the_next_one_has_nothing_to_do(box: Box) -> None:
    box.case(1, "acked", "safe", 2)
    box.case(2, "pending", None, 1)
    assert json.loads(box.kiosk("run", "--json"))["erased"] == {"sealed": 1, "pieces": 0}
    assert json.loads(box.kiosk("run", "--json"))["erased"] == {}
    with box.engine.connect() as connection:
        assert [len(row.sealed) > 0 for row in connection.execute(text("SELECT sealed FROM cases ORDER BY id"))] == [False, True]


def test_a_terminal_the_office_never_spoke_to_erases_nothing(box: Box) -> None:
    box.case(1, "pending", None, 2)
    assert "never told its time" in box.kiosk("run", status=1)


# ------------------------------------------------------------------------------------------ crypto-erase


def test_the_end_of_a_machine_leaves_nothing_readable(box: Box) -> None:
    box.enrol()
    box.case(1, "acked", "safe", 2)
    box.backups.mkdir()
    with box.engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql(f"VACUUM INTO '{box.backups / 'terminal.db-20261125T020000Z'}'")
    (box.backups / "of somebody else").write_text("stays")
    content = box.database.with_name("content")
    content.mkdir()
    (content / "package").write_text(MARKER)
    (box.database.parent / "terminal.db.damaged-20261125T020000Z").write_bytes(os.urandom(5000))
    box.engine.dispose()
    ours = [path for path in box.files() if path.name not in ("terminal.toml", "of somebody else")]
    samples = {path.read_bytes()[-64:] for path in ours if path.stat().st_size}
    assert len(samples) >= 5
    assert "1 damaged databases" in box.kiosk("crypto-erase", "--yes-erase", "HG01", status=1) and box.key.exists()
    assert "is erased" in box.kiosk("crypto-erase", "--yes-erase", "HG01", "--lose-damaged", "1")
    left = box.files()
    assert sorted(path.name for path in left) == ["of somebody else", "terminal.toml"]
    assert not any(one in path.read_bytes() for path in left for one in samples)


def test_files_are_overwritten_before_they_go(box: Box, tmp_path: Path) -> None:
    """Seen through second names of the same files: what a raw search of the disk would find."""
    box.case(1, "acked", "safe", 2)
    box.engine.dispose()
    seen = {name: tmp_path / f"seen-{name}" for name in ("database", "key")}
    os.link(box.database, seen["database"])
    os.link(box.key, seen["key"])
    before = {name: path.read_bytes() for name, path in seen.items()}
    written: list[bytes] = []
    truncate = kiosk.store.crypto_erase.os.fsync

    def look(descriptor: int) -> None:
        written.append(seen["database"].read_bytes())
        truncate(descriptor)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kiosk.store.crypto_erase.os, "fsync", look)
        crypto_erase(box.settings(), "HG01")
    assert seen["database"].read_bytes() == seen["key"].read_bytes() == b""
    changed = [one for one in written if len(one) == len(before["database"]) and one != before["database"]]
    assert changed and changed[0][:4096] != before["database"][:4096], "as long as before, and nothing of it"


@pytest.mark.parametrize(("lose", "status"), [((), 1), (("--lose", "2"), 1), (("--lose", "4"), 1), (("--lose", "3"), 0)])
def test_lc_09_it_refuses_while_anything_is_not_safe(box: Box, lose: tuple[str, ...], status: int) -> None:
    box.enrol()
    for number, (state, level) in enumerate([("pending", None), ("acked", "committed"), ("dead", None), ("acked", "safe")], 1):
        box.case(number, state, level, 1)
    box.engine.dispose()
    before = box.database.read_bytes()
    told = box.kiosk("crypto-erase", "--yes-erase", "HG01", *lose, status=status)
    if status:
        assert "3 cases are not proven safe" in told and "--lose 3" in told
        assert box.database.read_bytes() == before and box.key.exists()
    else:
        assert not box.database.exists() and not box.key.exists()


def test_another_terminals_id_erases_nothing(box: Box) -> None:
    box.enrol()
    box.engine.dispose()
    assert "this is the terminal HG01" in box.kiosk("crypto-erase", "--yes-erase", "HG02", status=1)
    assert box.key.exists() and box.database.exists()


def test_a_database_that_does_not_open_is_not_erased(box: Box) -> None:
    box.engine.dispose()
    box.key.write_text("11" * 32)
    assert "cannot be counted" in box.kiosk("crypto-erase", "--yes-erase", "HG01", status=1)
    assert box.key.exists() and box.database.exists()


def test_while_a_process_works_here_it_refuses(box: Box) -> None:
    box.enrol()
    box.engine.dispose()
    with (box.database.parent / "terminal.db.sync.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "stop it first" in box.kiosk("crypto-erase", "--yes-erase", "HG01", status=1)
    assert box.database.exists()


def test_cut_off_after_the_key_it_is_ended_by_the_same_command(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    box.enrol()
    box.case(1, "acked", "safe", 1)
    box.engine.dispose()
    destroy: Callable[[Path], None] = kiosk.store.crypto_erase._destroy

    def cut(path: Path) -> Any:
        if path == box.database:
            raise OSError(5, "power cut")
        destroy(path)

    monkeypatch.setattr(kiosk.store.crypto_erase, "_destroy", cut)
    with pytest.raises(OSError):
        crypto_erase(box.settings(), "HG01")
    assert not box.key.exists() and box.database.exists() and marker(box.settings()).exists()
    assert "of another terminal" in box.kiosk("crypto-erase", "--yes-erase", "HG02", status=1)
    assert "is erased" in box.kiosk("crypto-erase", "--yes-erase", "HG01")
    assert [path.name for path in box.files()] == ["terminal.toml"]


def test_a_key_of_the_system_is_named(box: Box, tmp_path: Path) -> None:
    box.enrol()
    box.engine.dispose()
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "kiosk-db-key").write_text("0f" * 32)
    box.config.write_text(f'[store]\npath = "{box.database}"\n')
    told = box.kiosk("crypto-erase", "--yes-erase", "HG01", CREDENTIALS_DIRECTORY=str(credentials))
    assert "shred" in told and not box.database.exists() and (credentials / "kiosk-db-key").exists()
