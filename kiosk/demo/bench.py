"""The dev bench: a small window beside the terminal with everything one can do to it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Protocol

from PySide6.QtCore import QTimer, Slot
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QApplication,
    QButtonGroup,
    QCheckBox,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from kiosk.config import load_config
from kiosk.demo.estate import DESK_PASSWORD, DESK_USER, Estate, RealDevices
from kiosk.demo.obedience import Obedience
from kiosk.demo.people import cardholders_social_card
from kiosk.devices.emulated import crt310, idcard
from kiosk.devices.emulated.a4 import A4Emulator
from kiosk.devices.emulated.crt310 import Crt310Emulator
from kiosk.devices.emulated.idcard import IdCardEmulator
from kiosk.devices.emulated.printer import PrinterEmulator
from kiosk.devices.emulated.scanner import ScannerEmulator
from kiosk.devices.emulated.socialcard import CardContent, ScriptedCard, other_chip, third_generation, upside_down
from kiosk.terminal.app import Terminal, make_application
from kiosk.terminal.process import StopOnSignal, log_uncaught, single_instance
from kiosk.texts import load_texts

_REFRESH_MS = 500
_LOOK_MS = 100
_GAP_PX = 24
_ROWS = 22
"""Rows of switches in one column of the bench, so that it fits a screen."""


def open_bench(folder: Path, devices: RealDevices) -> int:
    """Terminal and bench until the bench is closed. The exit status of the event loop."""
    with Estate(folder, devices, a4=_can_run_cups()) as estate:
        config = load_config(estate.config)
        app = make_application(config)
        log_uncaught()
        signals = StopOnSignal(app)
        lock = single_instance(config.store.path.with_name("terminal.lock"))  # as `kiosk run` does, for `kiosk devices`
        terminal = Terminal(config, load_texts(config.ui.texts))
        terminal.start()
        bench = Bench(estate, terminal)
        bench.show()
        bench.move(terminal.window.frameGeometry().right() + _GAP_PX, terminal.window.y())
        print(f"Staff desk: {estate.desk_url}  user {DESK_USER}, password {DESK_PASSWORD}", flush=True)
        status = app.exec()
        bench.rest()
        terminal.stop()
        if lock is not None:
            lock.unlock()
        signals.undo()
    return status


class Bench(QWidget):
    """Switches act at once. What takes time (drawing a person for the first time) happens beside the screen."""

    def __init__(self, estate: Estate, terminal: Terminal) -> None:
        super().__init__()
        self._estate = estate
        self._terminal = terminal
        self._work = ThreadPoolExecutor(1, thread_name_prefix="bench")
        self._people = QButtonGroup(self)
        self.setWindowTitle("Kiosk dev bench")
        self._columns = QHBoxLayout(self)
        self._column = QVBoxLayout()
        self._columns.addLayout(self._column)
        self._rows = 0
        if estate.reader:
            self._idcard(estate.reader)
        self._socialcard(estate.socialcard)
        self._scanner(estate.scanner)
        if estate.camera:
            self._camera()
        if estate.printer:
            self._printer(estate.printer)
        if estate.a4:
            self._a4(estate.a4)
        self._group("Network", [self._switch("network", "Office reachable", self._network, on=True)])
        self._states = QLabel()
        desk = QLabel(f'<a href="{estate.desk_url}">staff desk</a> {DESK_USER} / {DESK_PASSWORD}')
        desk.setOpenExternalLinks(True)
        self._group("State", [self._states, desk])
        close = QPushButton("Close terminal and bench")
        close.clicked.connect(self.close)
        self._column.addWidget(close)
        self._column.addStretch(1)
        self._refresh = QTimer(self)
        self._refresh.timeout.connect(self._show_states)
        self._refresh.start(_REFRESH_MS)
        self._obedience = Obedience(estate.act)
        self._look = QTimer(self)
        self._look.timeout.connect(self._look_at_screen)
        self._look.start(_LOOK_MS)

    def closeEvent(self, event: QCloseEvent) -> None:
        QApplication.quit()

    def rest(self) -> None:
        self._refresh.stop()
        self._look.stop()
        self._work.shutdown(wait=True)

    # ------------------------------------------------------------------ one group per device

    def _idcard(self, reader: IdCardEmulator) -> None:
        def manner(one: idcard.Manner) -> Callable[[bool], None]:
            return lambda on: reader.behave(one if on else idcard.Manner.WELL)

        self._group("Identity card", [
            self._switch("card", "A card lies on the reader", self._card),
            self._switch("reader", "Reader plugged in", _plugs(reader), on=True),
            self._switch("reader_mute", "Answers nothing", manner(idcard.Manner.MUTE)),
            self._switch("reader_checksum", "Wrong checksums", manner(idcard.Manner.WRONG_CHECKSUM)),
            self._switch("reader_cut", "Half answers", manner(idcard.Manner.TRUNCATED)),
        ])

    def _socialcard(self, reader: Crt310Emulator) -> None:
        def insert(card: CardContent) -> Callable[[], object]:
            return lambda: reader.insert(ScriptedCard(card))

        self._group("Social security card", [
            self._button("ssc_second", "Put in: second generation", insert(cardholders_social_card())),
            self._button("ssc_third", "Put in: third generation", insert(third_generation())),
            self._button("ssc_turned", "Put in: turned the wrong way", insert(upside_down(third_generation()))),
            self._button("ssc_other", "Put in: another chip card", insert(other_chip())),
            self._button("ssc_take", "Take the card", reader.take),
            self._switch("socialcard", "Reader plugged in", _plugs(reader), on=True),
            self._switch("socialcard_mute", "Answers nothing",
                         lambda on: reader.behave(crt310.Manner.NO_ACK if on else crt310.Manner.WELL)),
        ])

    def _scanner(self, scanner: ScannerEmulator) -> None:
        self._group("Code scanner", [
            self._button("scan", "Hold a code before it", partial(scanner.scan, "HGK1:bench-bench-bench-bench")),
            self._switch("scanner", "Scanner plugged in", _plugs(scanner), on=True),
            self._switch("scanner_babble", "Babbles", scanner.babble),
        ])

    def _camera(self) -> None:
        people = [self._person(name, words) for name, words in (
            ("cardholder", "The cardholder"), ("stiff", "… who cannot turn the head"), ("stranger", "A stranger"),
            ("photo", "A photo held up"), ("bent_photo", "A bent photo"), ("cut_eyes", "A photo with holes for eyes"),
            ("screen", "A telephone held up"), ("two", "Two people"), ("nobody", "Nobody"),
        )]

        def fault(name: str) -> Callable[[bool], object]:
            return lambda on: self._work.submit(self._estate.camera_fault, name if on else "none")

        self._group("Before the camera", [
            *people,
            self._switch("camera", "Camera plugged in", lambda on: fault("unplugged")(not on), on=True),
            *(self._switch(f"camera_{name}", words, fault(name)) for name, words in (
                ("frozen", "Frozen"), ("black", "Covered"), ("stalled", "Sends nothing"),
            )),
        ])

    def _printer(self, printer: PrinterEmulator) -> None:
        def fault(name: str) -> Callable[[bool], None]:
            return lambda on: setattr(printer.faults, name, on)

        self._group("Printer", [
            self._switch("printer", "Printer plugged in", _plugs(printer.port), on=True),
            *(self._switch(name, words, fault(name)) for name, words in (
                ("paper_end", "Out of paper"), ("near_end", "Paper nearly out"), ("cover", "Cover open"),
                ("cutter", "Cutter stuck"), ("overheat", "Head too hot"), ("stall", "Takes nothing"),
                ("silent", "Answers nothing"),
            )),
        ])

    def _a4(self, a4: A4Emulator) -> None:
        def fault(name: str) -> Callable[[bool], object]:
            return lambda on: self._work.submit(partial(a4.printer.order, **{name: on}))

        def power(on: bool) -> None:
            self._work.submit(a4.printer.come_back if on else a4.printer.go_away)

        self._group("A4 printer", [
            self._switch("a4", "Switched on", power, on=True),
            *(self._switch(f"a4_{name}", words, fault(name)) for name, words in (
                ("paper_out", "Out of paper"), ("jam", "Jams"), ("cover", "Cover open"), ("toner_low", "Toner low"),
            )),
        ])

    # ------------------------------------------------------------------ widgets

    def _group(self, title: str, widgets: list[QWidget]) -> None:
        if self._rows + len(widgets) > _ROWS:
            self._column.addStretch(1)
            self._column, self._rows = QVBoxLayout(), 0
            self._columns.addLayout(self._column)
        self._rows += len(widgets)
        box = QGroupBox(title)
        column = QVBoxLayout(box)
        for widget in widgets:
            column.addWidget(widget)
        self._column.addWidget(box)

    def _switch(self, name: str, words: str, act: Callable[[bool], object], on: bool = False) -> QWidget:
        switch = QCheckBox(words)
        switch.setObjectName(name)
        switch.setChecked(on)
        switch.toggled.connect(act)
        return switch

    def _button(self, name: str, words: str, act: Callable[[], object]) -> QWidget:
        button = QPushButton(words)
        button.setObjectName(name)
        button.clicked.connect(lambda checked=False: act())
        return button

    def _person(self, name: str, words: str) -> QWidget:
        choice = QRadioButton(words)
        choice.setObjectName(name)
        choice.setChecked(name == "cardholder")
        choice.toggled.connect(self._stand)
        self._people.addButton(choice)
        return choice

    @Slot(bool)
    def _stand(self, chosen: bool) -> None:
        button = self._people.checkedButton()
        if chosen and button is not None:
            self._work.submit(self._estate.stand, button.objectName())

    @Slot(bool)
    def _card(self, lies: bool) -> None:
        self._estate.lay_card() if lies else self._estate.lift_card()

    @Slot(bool)
    def _network(self, there: bool) -> None:
        self._estate.network.mend() if there else self._estate.network.cut()

    @Slot()
    def _look_at_screen(self) -> None:
        self._obedience.look(self._terminal.view)

    @Slot()
    def _show_states(self) -> None:
        lines = [f"{one.kind.value}: {one.state.value} {one.reason}" for one in self._terminal.board.snapshot()]
        self._states.setText("\n".join(lines))


class _Plug(Protocol):
    def plug(self) -> None: ...

    def unplug(self) -> None: ...


def _plugs(device: _Plug) -> Callable[[bool], None]:
    """Pulls the device's plug, or puts it in again."""
    return lambda plugged: device.plug() if plugged else device.unplug()


def _can_run_cups() -> bool:
    return os.geteuid() == 0 and shutil.which("cupsd", path="/usr/sbin") is not None
