"""接入本机: the office's code, typed on a keypad where everybody who stands here may read it: it is good once."""

from __future__ import annotations

from PySide6.QtCore import Qt

from kiosk.flow.view import Button, View
from kiosk.texts import Texts
from kiosk.ui.keypad import Keypad
from kiosk.ui.screens.base import Screen
from kiosk.ui.theme import Theme
from kiosk.ui.widgets import label


class JoinScreen(Screen):
    PORTRAIT = (1, 0)

    def __init__(self, texts: Texts, phone: str) -> None:
        super().__init__(texts, phone)
        self._word = label("instruction")
        self._code = label("number")
        self._code.setTextFormat(Qt.TextFormat.PlainText)
        self._keypad = Keypad(texts.text("keypad.erase"), self.button(Button.ENTER, "key", shown_disabled=True))
        self.tell(label("title", texts.text("join.title")), self._word, self._code)
        self.act.addStretch(1)
        self.act.addWidget(self._keypad)
        self.act.addStretch(1)

    def show_view(self, view: View) -> None:
        self._word.setText(self._words(view))
        self._code.setText(view.code or self.texts.text("join.empty"))
        self._keypad.set_open(view.typed is not None)

    def leave(self) -> None:
        self._code.clear()

    def _words(self, view: View) -> str:
        if view.typed is None:
            return self.texts.text("join.asking")
        return self.texts.text(view.trouble or "join.detail")

    def rescale(self, theme: Theme) -> None:
        super().rescale(theme)
        self._word.setFixedHeight(theme.px(330))
        self._code.setFixedHeight(theme.px(190))
