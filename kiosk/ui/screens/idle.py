"""Nobody touched the screen for a while: ask, count down, and make staying easy."""

from __future__ import annotations

from kiosk.flow.view import Button, View
from kiosk.texts import Texts
from kiosk.ui.screens.base import Screen
from kiosk.ui.widgets import Picture, label


class IdleScreen(Screen):
    def __init__(self, texts: Texts, phone: str) -> None:
        super().__init__(texts, phone)
        self._countdown = label("title")
        self.tell(label("display", texts.text("idle.question")), self._countdown)
        self.act.addWidget(Picture("clock"), 1)
        self.act.addWidget(self.button(Button.MORE_TIME, "start"))

    def show_view(self, view: View) -> None:
        self._countdown.setText(self.texts.text("idle.countdown", seconds=view.idle_seconds_left))
