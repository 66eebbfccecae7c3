"""What frames every screen: the progress above; back, end, repeat and human help below, within reach."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QWidget

from kiosk.flow.view import Button, View
from kiosk.texts import Texts
from kiosk.ui.theme import GAP, MARGIN, Theme
from kiosk.ui.widgets import BigButton, ProgressLine, Scaled, label


class TopBar(QWidget, Scaled):
    """第k步，共n步, in words and as a line."""

    def __init__(self, texts: Texts) -> None:
        super().__init__()
        self._texts = texts
        self._words = label("small", centred=False)
        self._words.setWordWrap(False)
        self._line = ProgressLine()
        self._row = QHBoxLayout(self)
        self._row.addWidget(self._words)
        self._row.addWidget(self._line, 1)

    def show_view(self, view: View) -> None:
        covered = view.help_open or view.idle_seconds_left is not None
        progress = None if covered else view.progress
        if progress is not None:
            step, steps = progress
            self._words.setText(self._texts.text("progress.step", step=step, steps=steps))
            self._line.set_progress(step, steps)
        self._words.setVisible(progress is not None)
        self._line.setVisible(progress is not None)

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
