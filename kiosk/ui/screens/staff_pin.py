"""Staff sign in: a keypad, and a dot for each digit."""

from __future__ import annotations

import math

from kiosk.flow.view import Button, View
from kiosk.texts import Texts
from kiosk.ui.keypad import Keypad
from kiosk.ui.screens.base import Screen
from kiosk.ui.theme import Theme
from kiosk.ui.widgets import label


class StaffPinScreen(Screen):
    PORTRAIT = (1, 0)

    def __init__(self, texts: Texts, phone: str) -> None:
        super().__init__(texts, phone)
        self._dots = label("display")
        self._word = label("instruction")
        self._keypad = Keypad(texts.text("keypad.erase"), self.button(Button.ENTER, "key", shown_disabled=True))
        self.tell(label("title", texts.text("staff_pin.title")), self._word, self._dots)
        self.act.addStretch(1)
        self.act.addWidget(self._keypad)
        self.act.addStretch(1)

    def show_view(self, view: View) -> None:
        self._word.setText(self._words(view))
        self._dots.setText(self.texts.text("keypad.dot") * (view.typed or 0))
        self._keypad.set_open(view.typed is not None)

    def _words(self, view: View) -> str:
        if view.locked_s:
            return self.texts.text("staff_pin.locked", minutes=math.ceil(view.locked_s / 60))
        if view.typed is None:
            return self.texts.text("staff_pin.checking")
        return self.texts.text(view.trouble or "staff_pin.detail")

    def rescale(self, theme: Theme) -> None:
        super().rescale(theme)
        self._dots.setFixedHeight(theme.px(170))
