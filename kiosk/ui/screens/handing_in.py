"""The case is being saved: words, no spinner without end."""

from __future__ import annotations

from kiosk.texts import Texts
from kiosk.ui.screens.base import Screen
from kiosk.ui.widgets import Picture, label


class HandingInScreen(Screen):
    def __init__(self, texts: Texts, phone: str) -> None:
        super().__init__(texts, phone)
        self.tell(
            label("title", texts.text("handing_in.title")),
            label("instruction", texts.text("handing_in.detail")),
        )
        self.act.addWidget(Picture("sending"), 1)
