"""The start screen: what this machine is for, and that laying the card is enough."""

from __future__ import annotations

from kiosk.flow.view import Button
from kiosk.texts import Texts
from kiosk.ui.screens.base import Screen
from kiosk.ui.widgets import Picture, label


class AttractScreen(Screen):
    PORTRAIT = (1, 0)

    def __init__(self, texts: Texts, phone: str) -> None:
        super().__init__(texts, phone)
        self.lead.addWidget(label("display", texts.text("attract.title")))
        self.lead.addWidget(label("instruction", texts.text("attract.subtitle")))
        self.lead.addWidget(Picture("card_lay"), 1)
        self.act.addStretch(1)
        self.act.addWidget(label("instruction", texts.text("attract.start")))
        self.act.addWidget(self.button(Button.START, "start"))
        self.act.addWidget(self.button(Button.EXPLAIN, "second"))
        self.act.addWidget(label("small", texts.text("attract.sign")))
        self.act.addStretch(1)
