"""Drives the terminal's window as a person would: waits for a screen, presses what is on it, looks at it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget

from kiosk.demo.obedience import Obedience
from kiosk.flow.view import Button, Step, View
from kiosk.terminal.app import Terminal
from kiosk.ui.bars import TopBar
from kiosk.ui.window import KioskWindow


class Stuck(Exception):
    """The terminal did not come to where a person would expect it."""


class Finger:
    def __init__(self, terminal: Terminal, pictures: Path, act: Callable[[str], object] = lambda request: None) -> None:
        """act: makes the person before the camera do what the screen asks for, e.g. `Estate.act`."""
        self._terminal = terminal
        self._pictures = pictures
        self._obedience = Obedience(act)
        self._taken = 0

    @property
    def window(self) -> KioskWindow:
        return self._terminal.window

    @property
    def view(self) -> View:
        view = self._terminal.view
        if view is None:
            raise Stuck("there is no conversation yet")
        return view

    def wait(self, until: Callable[[View], bool], seconds: float, what: str) -> View:
        """Lets the terminal live until its view fulfils `until`. Raises Stuck after `seconds`."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self._live()
            if self._terminal.view is not None and until(self._terminal.view):
                return self._terminal.view
            time.sleep(0.005)
        at = self._terminal.view.step.value if self._terminal.view else "nothing"
        raise Stuck(f"waited {seconds:g} s for {what}; the screen shows {at}")

    def wait_for(self, step: Step, seconds: float = 15.0) -> View:
        return self.wait(lambda view: view.step is step, seconds, step.value)

    def press(self, button: Button) -> None:
        """A touch in the middle of the button; raises Stuck when it is not there to be pressed."""
        self.pause(0.55)  # nobody presses sooner, and the window ignores who does
        for widget in self._terminal.window.findChildren(QAbstractButton, button.value):
            if widget.isVisible() and widget.isEnabled():
                QTest.mousePress(widget, Qt.MouseButton.LeftButton, pos=_middle(widget))
                self.pause(0.03)
                QTest.mouseRelease(widget, Qt.MouseButton.LeftButton, pos=_middle(widget))
                self.pause(0.15)
                return
        raise Stuck(f"there is no button {button.value} on {self.view.step.value}")

    def sign_in(self, pin: str) -> None:
        """As staff: a finger stays on the line at the top, then types the PIN."""
        bar = self.window.findChild(TopBar)
        assert isinstance(bar, TopBar)
        QTest.mousePress(bar, Qt.MouseButton.LeftButton, pos=_middle(bar))
        self.wait_for(Step.STAFF_PIN)
        QTest.mouseRelease(bar, Qt.MouseButton.LeftButton, pos=_middle(bar))
        self.pause(0.6)
        for digit in pin:
            key = self.window.findChild(QAbstractButton, f"key_{digit}")
            assert isinstance(key, QAbstractButton)
            QTest.mouseClick(key, Qt.MouseButton.LeftButton, pos=_middle(key))
            self.pause(0.3)
        self.press(Button.ENTER)

    def pause(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self._live()
            time.sleep(0.005)

    def picture(self, name: str) -> Path:
        """The screen as it is, as PNG."""
        self._taken += 1
        path = self._pictures / f"{self._taken:02d}-{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        QApplication.processEvents()
        if not self._terminal.window.grab().save(str(path)):
            raise OSError(f"{path} could not be written")
        return path

    def _live(self) -> None:
        """A moment of the terminal, and of the person before it."""
        QApplication.processEvents()
        self._obedience.look(self._terminal.view)


def _middle(widget: QWidget) -> QPoint:
    return widget.rect().center()
