"""`kiosk store` as processes of its own: check, copy, and the way out of a damaged database."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import Engine

from kiosk.config import KioskConfig, load_config
from kiosk.domain.case import CaseDraft, CaseReceipt, Item
from kiosk.domain.consent import Consent, ConsentScope
from kiosk.domain.decision import Outcome
from kiosk.domain.document import CardKind, IdCard
from kiosk.store.ballast import Ballast
from kiosk.store.cases import CaseStore
from kiosk.store.opening import open_store
from kiosk.sync.identity import Stored, take_identity
from kiosk.sync.sealer import EnvelopeSealer
from kiosk.sync.wire.models import EnrolAnswer, OfficeKeys

NOW = dt.datetime(2026, 11, 23, 1, 0, tzinfo=dt.UTC)


def enrol(engine: Engine) -> None:
    key = "ab" * 32
    sealing = X25519PrivateKey.generate().public_key().public_bytes_raw().hex()
    answer = EnrolAnswer(
        terminal_id="HG01", site="x", epoch=1, signing_key=key, office=OfficeKeys(sealing=sealing, signing=(key,)),
    )
    stored = Stored(office_url="http://127.0.0.1", signing_key=key, sealing_key=key, answer=answer)
    take_identity(engine, stored, "enrolled", "asked")


def draft(repeat: int) -> CaseDraft:
    return CaseDraft(
        item=Item.CERTIFICATION, card=IdCard(CardKind.RESIDENT, "999901195001010026", "张测试"), outcome=Outcome.PASSED,
        consent=Consent(frozenset(ConsentScope), "2026-11", NOW), attempts=(), captured_at=NOW, in_roster=True, category="居保",
        due=None, repeat=repeat,
    )


class Box:
    """A terminal's folder with its configuration; `kiosk` runs a command on it."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "terminal.toml"
        self.database = folder / "data" / "terminal.db"
        self.backups = folder / "backups"
        self.database.parent.mkdir()
        (folder / "key").write_text("0f" * 32)
        self.file.write_text(
            f'mode = "demo"\n[store]\npath = "{self.database}"\nkey_file = "{folder / "key"}"\nfree_floor_mb = 0\n'
            f'ballast_mb = 1\nbackup_dir = "{self.backups}"\n',
        )
        engine = open_store(self.config)
        enrol(engine)
        store, sealer = CaseStore(engine, 0), EnvelopeSealer(engine, simulated=True)
        for repeat in range(3):
            assert isinstance(store.submit(draft(repeat), sealer, NOW), CaseReceipt)
        engine.dispose()

    @property
    def config(self) -> KioskConfig:
        return load_config(self.file)

    def kiosk(self, *words: str, status: int = 0) -> str:
        command = [sys.executable, "-m", "kiosk", *words, "--config", str(self.file)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=os.environ)
        assert done.returncode == status and "Traceback" not in done.stderr, done.stdout + done.stderr
        return done.stdout if status == 0 or words[-1] == "--json" else done.stdout + done.stderr

    def check(self, status: int = 0) -> dict[str, Any]:
        found = json.loads(self.kiosk("store", "check", "--json", status=status))
        assert isinstance(found, dict)
        return found


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path)


def test_a_whole_database(box: Box) -> None:
    found = box.check()
    assert found["whole"] and found["trouble"] == [] and found["audit_entries"] == 4
    assert found["settings"]["synchronous"] == 2 and found["settings"]["journal_mode"] == "wal"
    assert found["file_system"]
    made = json.loads(box.kiosk("store", "backup", "--json"))
    assert (made["cases"], made["unsent"]) == (3, 3) and Path(made["path"]).is_file()


def test_a_changed_body_and_a_spent_ballast_are_trouble(box: Box) -> None:
    engine = open_store(box.config)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE cases SET sealed = x'00' WHERE audit_n = 3")
    engine.dispose()
    Ballast(box.database, 1 << 20, 0).release()
    found = box.check(status=1)
    assert not found["whole"] and len(found["trouble"]) == 3
    assert "no verified copy" in box.kiosk("store", "backup", status=1)
    assert list(box.backups.iterdir()) == []


def test_out_of_a_damaged_database(box: Box) -> None:
    raw = bytearray(box.database.read_bytes())
    raw[2000] ^= 1
    box.database.write_bytes(raw)
    assert "damaged" in box.kiosk("store", "check", status=1)
    assert "damaged" in box.kiosk("sync", "status", status=1)
    assert not box.database.exists()
    (kept,) = box.database.parent.glob("*.damaged-*")
    assert kept.read_bytes() == raw
    assert str(kept) in box.kiosk("store", "begin-anew")
    assert "unreadable" in box.kiosk("store", "salvage", str(kept), status=1)  # the schema stood on that page
    whole = bytearray(raw)
    whole[2000] ^= 1
    kept.write_bytes(whole)
    done = json.loads(box.kiosk("store", "salvage", str(kept), "--json"))
    assert (done["unsent"], done["unreadable"]) == (3, 0)
    assert box.check()["kept_damaged"] == [kept.name]
    assert json.loads(box.kiosk("sync", "outbox", "--json"))[0]["state"] == "pending"


def test_what_is_refused(box: Box) -> None:
    assert "not_damaged" in box.kiosk("store", "begin-anew", status=1)
    assert "in use" in box.kiosk("store", "salvage", str(box.database), status=1)
    box.file.write_text(box.file.read_text().replace("backup_dir", "# backup_dir"))
    assert "backup_dir is not set" in box.kiosk("store", "backup", status=1)
