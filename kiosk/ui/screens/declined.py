"""No consent: the other ways, with the same result."""

from __future__ import annotations

from kiosk.flow.view import Button
from kiosk.texts import Texts
from kiosk.ui.screens.base import Screen
from kiosk.ui.widgets import Panel, label


class DeclinedScreen(Screen):
    PORTRAIT = (1, 0)

    def __init__(self, texts: Texts, phone: str) -> None:
        super().__init__(texts, phone)
        self.lead.addWidget(label("title", texts.text("declined.title")))
        self.lead.addStretch(1)
        for picture, text_id in (("staff", "declined.counter"), ("home", "declined.home")):
            self.lead.addWidget(Panel("calm", picture, label("instruction", texts.text(text_id), centred=False), side=150))
        self.lead.addStretch(1)
        self.act.addStretch(1)
        self.act.addWidget(label("instruction", texts.text("declined.detail")))
        self.act.addWidget(label("number", phone))
        self.act.addStretch(1)
        self.act.addWidget(self.button(Button.DONE))
