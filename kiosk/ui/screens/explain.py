"""怎么办理: the four things that will happen, one drawing each."""

from __future__ import annotations

from kiosk.flow.view import Button
from kiosk.texts import Texts
from kiosk.ui.screens.base import Screen
from kiosk.ui.widgets import Panel, label


class ExplainScreen(Screen):
    PORTRAIT = (1, 1)

    def __init__(self, texts: Texts, phone: str) -> None:
        super().__init__(texts, phone)
        self.lead.addWidget(label("title", texts.text("explain.title")))
        self.lead.addWidget(self._panel("card_lay", "explain.card"))
        self.lead.addWidget(self._panel("consent", "explain.consent"))
        self.act.addWidget(self._panel("face_blink", "explain.camera"))
        self.act.addWidget(self._panel("slip_take", "explain.slip"))
        self.act.addWidget(self.button(Button.START))

    def _panel(self, picture: str, text_id: str) -> Panel:
        return Panel("calm", picture, label("instruction", self.texts.text(text_id), centred=False), side=180)
