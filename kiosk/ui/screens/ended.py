"""Cancelled or timed out: everything is cleared."""

from __future__ import annotations

from kiosk.flow.view import Button, View
from kiosk.texts import Texts
from kiosk.ui.screens.base import Screen
from kiosk.ui.widgets import Picture, label


class EndedScreen(Screen):
    def __init__(self, texts: Texts, phone: str) -> None:
        super().__init__(texts, phone)
        self._why = label("instruction")
        self.tell(
            label("title", texts.text("ended.title")),
            self._why,
            label("instruction", texts.text("ended.belongings")),
        )
        self.act.addWidget(Picture("ended"), 1)
        self.act.addWidget(self.button(Button.DONE))

    def show_view(self, view: View) -> None:
        self._why.setText(self.texts.text(view.trouble))
