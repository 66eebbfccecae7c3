"""DI rows of the device room: what a machine says of itself, and that a screen that hangs does not say it is well."""

from __future__ import annotations

import datetime as dt
import time
from pathlib import Path

import pytest
from PySide6.QtCore import QTimer
from pytestqt.qtbot import QtBot

from kiosk.config import load_config
from kiosk.domain.status import DeviceKind, DeviceState, DeviceStatus
from kiosk.store.device_states import DeviceStates
from kiosk.store.opening import open_store
from kiosk.terminal.states import StateWriter


class Clock:
    ahead = dt.timedelta(0)

    def now(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC) + self.ahead


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def states(tmp_path: Path, clock: Clock) -> DeviceStates:
    file = tmp_path / "terminal.toml"
    file.write_text(f'mode = "demo"\n[store]\npath = "{tmp_path}/terminal.db"\n', encoding="utf-8")
    return DeviceStates(open_store(load_config(file)), clock.now)


def test_di_01_every_fitted_device_has_its_last_word_with_cause_and_time(states: DeviceStates) -> None:
    writer = StateWriter(states, [DeviceKind.IDCARD, DeviceKind.PRINTER, DeviceKind.CAMERA])
    writer.start()
    since = dt.datetime(2026, 11, 24, 8, 30, tzinfo=dt.UTC)
    writer.report(DeviceStatus(DeviceKind.PRINTER, DeviceState.OFFLINE, "paper_out", since))
    assert writer.stop()
    told = {status.kind: (status.state, status.reason, status.since) for status in states.all()}
    assert told[DeviceKind.PRINTER] == (DeviceState.OFFLINE, "paper_out", since)
    assert {kind: state for kind, (state, _, _) in told.items() if kind is not DeviceKind.PRINTER} == {
        DeviceKind.IDCARD: DeviceState.UNKNOWN, DeviceKind.CAMERA: DeviceState.UNKNOWN,
    }, "a device that has said nothing is not well"


def test_di_04_a_screen_that_hangs_no_longer_says_that_the_terminal_runs(
    states: DeviceStates, clock: Clock, qtbot: QtBot
) -> None:
    writer = StateWriter(states, [DeviceKind.PRINTER])
    writer.start()
    timer = QTimer()
    timer.timeout.connect(writer.touch)
    timer.start(5)

    def alive() -> dt.datetime:
        told = states.alive()
        return told or dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

    began = alive()
    clock.ahead = dt.timedelta(minutes=10)
    qtbot.waitUntil(lambda: alive() > began, timeout=5000)
    time.sleep(0.3)  # the event loop stands still; what was on its way is written
    last = alive()
    clock.ahead = dt.timedelta(minutes=20)
    time.sleep(0.3)
    assert alive() == last
    qtbot.waitUntil(lambda: alive() > last, timeout=5000)
    timer.stop()
    assert writer.stop()
