"""The terminal's hand at enrolment: the real database, an office that signs or misbehaves, and every change told once."""

from __future__ import annotations

import datetime as dt
import logging
import queue
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "sync"))  # office_stub.py, drafts.py

from office_stub import OfficeStub

from kiosk.config import KioskConfig, Mode, StoreConfig, SyncConfig
from kiosk.devices.scanner.events import Refusal, ScannedToken, ScanRefused
from kiosk.domain.join import JoinTrouble, Shut
from kiosk.domain.short_code import make_short_code
from kiosk.flow import events as ev
from kiosk.store.opening import open_store
from kiosk.sync.standing import ALARM, CLONE, note
from kiosk.sync.wire.enrolment import token_of
from kiosk.terminal.joiner import Joiner

NOW = dt.datetime(2026, 11, 25, 9, 30, tzinfo=dt.UTC)


class Hand:
    def __init__(self, folder: Path, url: str | None) -> None:
        sync = SyncConfig(office_url=url, connect_timeout_s=2, total_timeout_s=2)
        config = KioskConfig(mode=Mode.DEMO, store=StoreConfig(path=folder / "terminal.db"), sync=sync)
        self.engine = open_store(config)
        self.told: queue.Queue[ev.Event] = queue.Queue()
        self.joiner = Joiner(config, self.engine, None, self.told.put)

    def join(self, code: str) -> ev.Event:
        self.joiner.join(code, NOW)
        return self.told.get(timeout=20)

    def close(self) -> None:
        self.joiner.stop()
        self.engine.dispose()


@pytest.fixture
def office() -> Iterator[OfficeStub]:
    one = OfficeStub()
    one.open()
    yield one
    one.close()


@pytest.fixture
def code(office: OfficeStub) -> str:
    short = make_short_code()
    office.token = token_of(short)
    return short


@pytest.fixture
def hand(tmp_path: Path, office: OfficeStub) -> Iterator[Hand]:
    one = Hand(tmp_path, office.url)
    yield one
    one.close()


def test_a_short_and_a_long_code(hand: Hand, office: OfficeStub, code: str) -> None:
    assert hand.join(code) == ev.Joined(NOW, "HG07", "含谷镇")
    assert hand.join(office.code.encode()) == ev.Joined(NOW, "HG07", "含谷镇")


@pytest.mark.parametrize(("fate", "trouble"), [
    ("forbidden", JoinTrouble.REFUSED), ("portal", JoinTrouble.NOT_THE_OFFICE), ("cut", JoinTrouble.NO_ANSWER),
    ("locked", JoinTrouble.LOCKED), ("stranger", JoinTrouble.NOT_THE_OFFICE),
])
def test_troubles(hand: Hand, office: OfficeStub, code: str, fate: str, trouble: JoinTrouble) -> None:
    office.enrol_fate = fate
    assert hand.join(code) == ev.JoinFailed(NOW, trouble)


def test_nothing_of_a_code_is_logged(hand: Hand, code: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    assert hand.join("KIOSK1.nonsense-and-a-secret") == ev.JoinFailed(NOW, JoinTrouble.NOT_A_CODE)
    hand.join(code)
    assert code not in caplog.text and "secret" not in caplog.text


def test_no_office_there_and_none_configured(tmp_path: Path, office: OfficeStub, code: str) -> None:
    for url, trouble in ((None, JoinTrouble.NO_OFFICE_URL), ("http://office.example", JoinTrouble.NEEDS_HTTPS)):
        hand = Hand(tmp_path, url)
        assert hand.join(code) == ev.JoinFailed(NOW, trouble)
        hand.close()
    hand = Hand(tmp_path, office.url)
    office.close()
    assert hand.join(code) == ev.JoinFailed(NOW, JoinTrouble.NO_CONNECTION)
    hand.close()


def test_a_store_that_fails_is_a_trouble_too(hand: Hand, code: str) -> None:
    with hand.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE setting")
    assert hand.join(code) == ev.JoinFailed(NOW, JoinTrouble.STORE_FAILED)


def test_every_change_is_told(hand: Hand, office: OfficeStub, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Joiner, "_LOOK_S", 0.02)
    hand.joiner.start()
    assert hand.told.get(timeout=20) == ev.EnrolmentChanged(Shut.NOT_ENROLLED)
    hand.joiner.join(code, NOW)
    both = [hand.told.get(timeout=20), hand.told.get(timeout=20)]
    assert ev.Joined(NOW, "HG07", "含谷镇") in both and ev.EnrolmentChanged(None) in both
    note(hand.engine, ALARM, "device_refused")
    assert hand.told.get(timeout=20) == ev.EnrolmentChanged(Shut.DEVICE_REFUSED)
    note(hand.engine, ALARM, "")
    assert hand.told.get(timeout=20) == ev.EnrolmentChanged(None)
    note(hand.engine, CLONE, "noticed")
    assert hand.told.get(timeout=20) == ev.EnrolmentChanged(None, "staff.clone")


def test_only_a_code_reaches_the_conversation(hand: Hand) -> None:
    hand.joiner.on_scan(ScanRefused(Refusal.NOT_QR))
    hand.joiner.on_scan(ScannedToken("KIOSK1.abcdefghijklmnop"))
    assert hand.told.get(timeout=5) == ev.CodeScanned("KIOSK1.abcdefghijklmnop") and hand.told.empty()
