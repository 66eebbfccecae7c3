"""It could not go on and nothing was handed in: what happened, and who helps."""

from __future__ import annotations

from kiosk.flow.view import Button, View
from kiosk.texts import Texts
from kiosk.ui.screens.base import Screen
from kiosk.ui.widgets import Panel, Picture, label


class SorryScreen(Screen):
    def __init__(self, texts: Texts, phone: str) -> None:
        super().__init__(texts, phone)
        self._trouble = label("instruction", centred=False)
        self._staff = label("small", centred=False)
        self.tell(
            label("title", texts.text("sorry.title")),
            Panel("attention", "attention", self._trouble, self._staff),
            label("instruction", texts.text("sorry.detail")),
            label("number", phone),
        )
        self.act.addWidget(Picture("staff"), 1)
        self.act.addWidget(self.button(Button.RETRY))

    def show_view(self, view: View) -> None:
        self._trouble.setText(self.texts.text(view.trouble))
        self._staff.setText(self.staff_words(view))
        self._staff.setVisible(bool(view.staff_note))
