"""What frames every screen: the progress above; back, end, repeat and human help below, within reach."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from kiosk.flow.view import Button, View
from kiosk.texts import Texts
from kiosk.ui.theme import GAP, MARGIN, Theme
from kiosk.ui.widgets import BigButton, ProgressLine, Scaled, label

HOLD_MS: Final = 3000
"""So long nobody rests a finger there by chance."""


class TopBar(QWidget, Scaled):
    """第k步，共n步, in words and as a line. `held`: where staff may sign in, a finger stayed on it for a while."""

    held = Signal()

    def __init__(self, texts: Texts) -> None:
        super().__init__()
        self._may_be_held = False
        self._hold = QTimer(self)
        self._hold.setSingleShot(True)
        self._hold.timeout.connect(self.held)
        self._texts = texts
        self._words = label("small", centred=False)
        self._words.setWordWrap(False)
        self._line = ProgressLine()
        self._row = QHBoxLayout(self)
        self._row.addWidget(self._words)
        self._row.addWidget(self._line, 1)

    def show_view(self, view: View) -> None:
        self._may_be_held = view.staff_entry
        if not self._may_be_held:
            self._hold.stop()
        covered = view.help_open or view.idle_seconds_left is not None
        progress = None if covered else view.progress
        if progress is not None:
            step, steps = progress
            self._words.setText(self._texts.text("progress.step", step=step, steps=steps))
            self._line.set_progress(step, steps)
        self._words.setVisible(progress is not None)
        self._line.setVisible(progress is not None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Left to the window as well: a touch here looks like any other beside a button."""
        if self._may_be_held:
            self._hold.start(HOLD_MS)
        event.ignore()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if not self.rect().contains(event.position().toPoint()):
            self._hold.stop()
        event.ignore()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._hold.stop()
        event.ignore()

    def rescale(self, theme: Theme) -> None:
        margin = theme.px(MARGIN)
        self.setFixedHeight(theme.px(88))
        self._row.setContentsMargins(margin, theme.px(16), margin, theme.px(8))
        self._row.setSpacing(theme.px(GAP))
        self._words.setFixedWidth(theme.px(300))


class BottomBar(QWidget, Scaled):
    """Where help cannot be pressed because it is open or a question waits, its number stays readable."""

    def __init__(self, texts: Texts, phone: str) -> None:
        super().__init__()
        words = texts.text("button.help", phone=phone)
        self._back = BigButton(Button.BACK, texts.text("button.back"))
        self._end = BigButton(Button.END, texts.text("button.end"))
        self._repeat = BigButton(Button.REPEAT_VOICE, texts.text("button.repeat_voice"))
        self._help = BigButton(Button.HELP, words, "help")
        self._number = label("small", words)
        self._row = QHBoxLayout(self)
        self._row.addWidget(self._back)
        self._row.addWidget(self._end)
        self._row.addStretch(1)
        self._row.addWidget(self._repeat)
        self._row.addWidget(self._help)
        self._row.addWidget(self._number)

    def show_view(self, view: View) -> None:
        self._number.setVisible(Button.HELP not in view.enabled and not view.help_open)

    def rescale(self, theme: Theme) -> None:
        margin = theme.px(MARGIN)
        self._row.setContentsMargins(margin, theme.px(14), margin, theme.px(24))
        self._row.setSpacing(theme.px(GAP))
        for button in (self._back, self._end):
            button.setFixedWidth(theme.px(164))
        self._repeat.setFixedWidth(theme.px(224))
        for help_words in (self._help, self._number):
            help_words.setFixedWidth(theme.px(320))
