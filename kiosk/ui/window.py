"""The one window: shows views, reports presses, and lets nothing else in or out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QEvent, Qt, QTimer, Slot
from PySide6.QtGui import QCloseEvent, QKeyEvent, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QLayout, QStackedWidget, QVBoxLayout, QWidget

from kiosk.config import UiConfig
from kiosk.flow.events import Erased, StaffWanted, Typed
from kiosk.flow.view import Button, View
from kiosk.texts import Texts
from kiosk.ui.bars import BottomBar, TopBar
from kiosk.ui.camera_view import CameraView
from kiosk.ui.flash import FlashCover
from kiosk.ui.keypad import Key
from kiosk.ui.screens.all import SCREENS
from kiosk.ui.screens.base import Screen
from kiosk.ui.screens.help import HelpScreen
from kiosk.ui.screens.idle import IdleScreen
from kiosk.ui.text_ids import made_ids
from kiosk.ui.theme import Theme
from kiosk.ui.touch import MissMark, PressGuard
from kiosk.ui.widgets import BigButton, Scaled

StaffTouch = StaffWanted | Typed | Erased

PRESSED_LOOK_MS: Final = 80
"""A press is seen before the screen may change: people who see nothing press harder and longer."""


class KioskWindow(QWidget):
    """Shows one screen at a time. `on_press` is called with every accepted press, on the thread of the screen."""

    def __init__(
        self, texts: Texts, config: UiConfig, phone: str, on_press: Callable[[Button], None],
        on_staff: Callable[[StaffTouch], None] | None = None,
    ) -> None:
        """Raises TextError if the catalogue lacks a sentence. phone: the number of the people who help.

        on_staff: called with what only staff touch, where there are any: the bar above, and the keypad.
        """
        super().__init__()
        texts.require(made_ids())
        self._config = config
        self._on_press = on_press
        self._on_staff = on_staff
        self._may_close = not config.fullscreen
        self._theme: Theme | None = None
        self._pressed: Button | None = None
        self.setWindowTitle(texts.text("attract.title"))
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        if config.fullscreen:
            self.setWindowFlags(Qt.WindowType.FramelessWindowHint | Qt.WindowType.WindowStaysOnTopHint)
            self.setCursor(Qt.CursorShape.BlankCursor)

        self._top, self._bottom = TopBar(texts), BottomBar(texts, phone)
        screens = {screen: screen(texts, phone) for screen in dict.fromkeys(SCREENS.values())}
        self._steps = {step: screens[screen] for step, screen in SCREENS.items()}
        self._help, self._idle = HelpScreen(texts, phone), IdleScreen(texts, phone)
        self._stack = QStackedWidget()
        for page in (*screens.values(), self._help, self._idle):
            self._stack.addWidget(page)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
        layout.addWidget(self._top)
        layout.addWidget(self._stack, 1)
        layout.addWidget(self._bottom)

        self._guard = PressGuard(config.debounce_s, self)
        self._miss = MissMark(self)
        self._flash = FlashCover(self)
        self._report_timer = QTimer(self)
        self._report_timer.setSingleShot(True)
        self._report_timer.setInterval(PRESSED_LOOK_MS)
        self._report_timer.timeout.connect(self._report)
        self._buttons = self.findChildren(BigButton)
        for button in self._buttons:
            button.installEventFilter(self._guard)
            button.felt.connect(self._felt)
        self._key_guard = PressGuard(config.debounce_s, self)  # of its own: 11 is typed faster than a button is pressed twice
        for key in self.findChildren(Key):
            key.installEventFilter(self._key_guard)
            key.struck.connect(self._struck)
        self._top.held.connect(self._held)

    @property
    def camera(self) -> CameraView:
        """Takes the frames; shows them while the camera step is on."""
        view = self.findChild(CameraView)
        assert isinstance(view, CameraView)
        return view

    def present(self) -> None:
        """Brings the window up, full screen or in the configured size."""
        self.resize(self._config.width, self._config.height)
        if self._config.fullscreen:
            self.showFullScreen()
        else:
            self.show()

    def show_view(self, view: View) -> None:
        page = self._page(view)
        page.show_view(view)
        self._top.show_view(view)
        self._bottom.show_view(view)
        self._flash.show_plan(view.flash)
        for button in self._buttons:
            button.offer(view.enabled)
        before = self._stack.currentWidget()
        if page is not before:
            self._pressed = None  # meant for a screen that is gone
            self._guard.hold()
            self._key_guard.hold()
            self._stack.setCurrentWidget(page)
            assert isinstance(before, Screen)
            before.leave()

    def allow_close(self) -> None:
        """From now on `close` closes; before, a full-screen window refuses."""
        self._may_close = True

    def _page(self, view: View) -> Screen:
        if view.idle_seconds_left is not None:
            return self._idle
        return self._help if view.help_open else self._steps[view.step]

    @Slot(object)
    def _felt(self, button: Button) -> None:
        self._guard.hold()
        self._pressed = button
        self._report_timer.start()

    @Slot()
    def _report(self) -> None:
        button, self._pressed = self._pressed, None
        if button is not None:
            self._on_press(button)

    @Slot(str)
    def _struck(self, digit: str) -> None:
        if self._on_staff is not None:
            self._on_staff(Typed(digit) if digit else Erased())

    @Slot()
    def _held(self) -> None:
        if self._on_staff is not None:
            self._on_staff(StaffWanted())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._miss.appear(event.position().toPoint(), Theme.for_size(self.width(), self.height()).px(120))

    def resizeEvent(self, event: QResizeEvent) -> None:
        theme = Theme.for_size(self.width(), self.height())
        if theme == self._theme:
            return
        self._theme = theme
        self.setStyleSheet(theme.style_sheet())
        for widget in self.findChildren(QWidget):
            if isinstance(widget, Scaled):
                widget.rescale(theme)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        event.accept()

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        event.accept()

    def closeEvent(self, event: QCloseEvent) -> None:
        event.setAccepted(self._may_close)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() is QEvent.Type.WindowStateChange and self._config.fullscreen and self.isMinimized():
            self.showFullScreen()
        super().changeEvent(event)
