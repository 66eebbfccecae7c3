"""人工帮助: where people are and how to call them."""

from __future__ import annotations

from kiosk.flow.view import Button
from kiosk.texts import Texts
from kiosk.ui.screens.base import Screen
from kiosk.ui.widgets import Picture, label


class HelpScreen(Screen):
    def __init__(self, texts: Texts, phone: str) -> None:
        super().__init__(texts, phone)
        self.tell(
            label("display", texts.text("help.title")),
            label("instruction", texts.text("help.counter")),
            label("instruction", texts.text("help.phone")),
            label("display", phone),
        )
        self.act.addWidget(Picture("staff"), 1)
        self.act.addWidget(self.button(Button.CLOSE_HELP))
