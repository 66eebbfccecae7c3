"""The dev bench: a small window beside the terminal with everything one can do to it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PySide6.QtCore import QTimer, Slot
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QApplication,
    QButtonGroup,
    QCheckBox,
    QGroupBox,
    QLabel,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from kiosk.config import load_config
from kiosk.demo.estate import DESK_PASSWORD, DESK_USER, Estate, RealDevices
from kiosk.terminal.app import Terminal, make_application
from kiosk.terminal.process import StopOnSignal, log_uncaught
from kiosk.texts import load_texts

_REFRESH_MS = 500
_GAP_PX = 24


def open_bench(folder: Path, devices: RealDevices) -> int:
    """Terminal and bench until the bench is closed. The exit status of the event loop."""
    with Estate(folder, devices) as estate:
        config = load_config(estate.config)
        app = make_application(config)
        log_uncaught()
        signals = StopOnSignal(app)
        terminal = Terminal(config, load_texts(config.ui.texts))
        terminal.start()
        bench = Bench(estate, terminal)
        bench.show()
        bench.move(terminal.window.frameGeometry().right() + _GAP_PX, terminal.window.y())
        print(f"Staff desk: {estate.desk_url}  user {DESK_USER}, password {DESK_PASSWORD}", flush=True)
        status = app.exec()
        bench.rest()
        terminal.stop()
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
        self._column = QVBoxLayout(self)
        if estate.reader:
            self._group("Identity card", [
                self._switch("card", "A card lies on the reader", self._card),
                self._switch("reader", "Reader plugged in", self._reader, on=True),
            ])
        if estate.camera:
            people = [self._person(name, words) for name, words in (
                ("cardholder", "The cardholder"), ("stranger", "A stranger"), ("photo", "A photo held up"),
                ("two", "Two people"), ("nobody", "Nobody"),
            )]
            self._group("Before the camera", [*people, self._switch("camera", "Camera plugged in", self._camera, on=True)])
        if estate.printer:
            self._group("Printer", [
                self._switch("printer", "Printer plugged in", self._printer, on=True),
                self._switch("paper_end", "Out of paper", self._paper_end),
                self._switch("near_end", "Paper nearly out", self._near_end),
                self._switch("cover", "Cover open", self._cover),
                self._switch("silent", "Answers nothing", self._silent),
            ])
        self._group("Network", [self._switch("network", "Office reachable", self._network, on=True)])
        self._states = QLabel()
        desk = QLabel(f'<a href="{estate.desk_url}">staff desk</a> {DESK_USER} / {DESK_PASSWORD}')
        desk.setOpenExternalLinks(True)
        self._group("State", [self._states, desk])
        close = QPushButton("Close terminal and bench")
        close.clicked.connect(self.close)
        self._column.addWidget(close)
        self._refresh = QTimer(self)
        self._refresh.timeout.connect(self._show_states)
        self._refresh.start(_REFRESH_MS)

    def closeEvent(self, event: QCloseEvent) -> None:
        QApplication.quit()

    def rest(self) -> None:
        self._refresh.stop()
        self._work.shutdown(wait=True)

    def _group(self, title: str, widgets: list[QWidget]) -> None:
        box = QGroupBox(title)
        column = QVBoxLayout(box)
        for widget in widgets:
            column.addWidget(widget)
        self._column.addWidget(box)

    def _switch(self, name: str, words: str, act: Callable[[bool], None], on: bool = False) -> QWidget:
        switch = QCheckBox(words)
        switch.setObjectName(name)
        switch.setChecked(on)
        switch.toggled.connect(act)
        return switch

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
    def _reader(self, plugged: bool) -> None:
        assert self._estate.reader is not None
        self._estate.reader.plug() if plugged else self._estate.reader.unplug()

    @Slot(bool)
    def _camera(self, plugged: bool) -> None:
        self._work.submit(self._estate.camera_fault, "none" if plugged else "unplugged")

    @Slot(bool)
    def _printer(self, plugged: bool) -> None:
        assert self._estate.printer is not None
        self._estate.printer.port.plug() if plugged else self._estate.printer.port.unplug()

    @Slot(bool)
    def _paper_end(self, on: bool) -> None:
        self._fault("paper_end", on)

    @Slot(bool)
    def _near_end(self, on: bool) -> None:
        self._fault("near_end", on)

    @Slot(bool)
    def _cover(self, on: bool) -> None:
        self._fault("cover", on)

    @Slot(bool)
    def _silent(self, on: bool) -> None:
        self._fault("silent", on)

    def _fault(self, name: str, on: bool) -> None:
        assert self._estate.printer is not None
        setattr(self._estate.printer.faults, name, on)

    @Slot(bool)
    def _network(self, there: bool) -> None:
        self._estate.network.mend() if there else self._estate.network.cut()

    @Slot()
    def _show_states(self) -> None:
        lines = [f"{one.kind.value}: {one.state.value} {one.reason}" for one in self._terminal.board.snapshot()]
        self._states.setText("\n".join(lines))
