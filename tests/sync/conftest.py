"""A real database, a real office on loopback, and a terminal enrolled there."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

sys.path.insert(0, str(Path(__file__).parent))  # office_stub.py

from office_stub import NOW, OfficeStub, make_draft

from kiosk.domain.case import CaseReceipt
from kiosk.store.cases import CaseStore
from kiosk.store.database import open_database
from kiosk.store.key import DatabaseKey
from kiosk.store.migrate import migrate
from kiosk.sync.enrol import enrol
from kiosk.sync.identity import Identity
from kiosk.sync.sealer import EnvelopeSealer

HandIn = Callable[[int], list[str]]


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "key"
    path.write_text("0f" * 32)
    return path


@pytest.fixture
def database(tmp_path: Path) -> Path:
    folder = tmp_path / "db"
    folder.mkdir()
    return folder / "terminal.db"


@pytest.fixture
def engine(database: Path) -> Iterator[Engine]:
    engine = open_database(database, DatabaseKey("0f" * 32))
    migrate(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def office() -> Iterator[OfficeStub]:
    office = OfficeStub()
    office.open()
    yield office
    office.close()


@pytest.fixture
def identity(engine: Engine, office: OfficeStub) -> Identity:
    enrolled = enrol(engine, office.code, "bench", 5, 5)
    assert isinstance(enrolled, Identity), enrolled
    return enrolled


@pytest.fixture
def hand_in(engine: Engine, identity: Identity) -> HandIn:
    """Hands in so many cases; returns their ids, oldest first."""
    def hand_in(count: int) -> list[str]:
        store, sealer = CaseStore(engine, 0), EnvelopeSealer(engine, simulated=True)
        receipts = [store.submit(make_draft(repeat), sealer, NOW) for repeat in range(count)]
        assert all(isinstance(receipt, CaseReceipt) for receipt in receipts), receipts
        return [receipt.case_id for receipt in receipts if isinstance(receipt, CaseReceipt)]

    return hand_in
