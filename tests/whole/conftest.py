"""A whole town around one terminal: real office process, real sync process, emulated devices on real wires."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from visits import Enter

from kiosk.config import KioskConfig, load_config
from kiosk.demo.estate import Estate, RealDevices
from kiosk.demo.finger import Finger
from kiosk.flow.view import Step
from kiosk.terminal.app import Terminal
from kiosk.texts import load_texts
from kiosk.ui.fonts import load_fonts


@pytest.fixture(scope="session")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    with Estate(tmp_path_factory.mktemp("town"), RealDevices()) as estate:
        yield estate


@pytest.fixture
def town(estate: Estate) -> Iterator[Estate]:
    """The estate as it should be, before and after: nothing broken, nobody there, no card."""
    yield estate
    assert estate.reader is not None and estate.printer is not None
    estate.lift_card()
    estate.reader.cure()
    estate.reader.vanish_after = None
    estate.reader.plug()
    estate.printer.port.plug()
    estate.socialcard.take()
    estate.socialcard.cure()
    estate.socialcard.plug()
    for fault in estate.printer.faults.__slots__:
        setattr(estate.printer.faults, fault, False)
    estate.camera_fault("none")
    estate.stand("cardholder")
    estate.network.mend()


@pytest.fixture
def enter(town: Estate, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Enter]:
    """Starts the terminal, with settings changed for this test, and waits for a screen."""
    started: list[Terminal] = []

    def start(until: Step | None = Step.ATTRACT, **settings: str) -> Finger:
        monkeypatch.setenv("KIOSK_UI__VOICE", "false")
        for name, value in settings.items():
            monkeypatch.setenv(f"KIOSK_{name.upper()}", value)
        config: KioskConfig = load_config(town.config)
        load_fonts(config.ui.font_dir)
        terminal = Terminal(config, load_texts(config.ui.texts))
        started.append(terminal)
        terminal.start()
        finger = Finger(terminal, Path(os.environ.get("KIOSK_TEST_PICTURES", tmp_path)), town.act)
        if until is not None:
            finger.wait_for(until, 30)
        return finger

    yield start
    while started:
        started.pop().stop()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()  # on this thread, before the next terminal's threads allocate
