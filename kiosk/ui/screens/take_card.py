"""The card still lies on the reader."""

from __future__ import annotations

from kiosk.texts import Texts
from kiosk.ui.screens.base import Screen
from kiosk.ui.widgets import Picture, label


class TakeCardScreen(Screen):
    def __init__(self, texts: Texts, phone: str) -> None:
        super().__init__(texts, phone)
        self.tell(
            label("display", texts.text("take_card.title")),
            label("instruction", texts.text("take_card.detail")),
        )
        self.act.addWidget(Picture("card_take"), 1)
