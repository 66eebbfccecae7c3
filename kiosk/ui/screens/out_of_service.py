"""The machine cannot serve anybody now: where else it can be done."""

from __future__ import annotations

from kiosk.flow.view import View
from kiosk.texts import Texts
from kiosk.ui.screens.base import Screen
from kiosk.ui.widgets import Picture, label


class OutOfServiceScreen(Screen):
    def __init__(self, texts: Texts, phone: str) -> None:
        super().__init__(texts, phone)
        self._staff = label("small")
        self.tell(
            label("title", texts.text("out_of_service.title")),
            label("instruction", texts.text("out_of_service.detail")),
            label("number", phone),
            label("small", texts.text("out_of_service.soon")),
        )
        self.act.addWidget(Picture("closed"), 1)
        self.act.addWidget(self._staff)

    def show_view(self, view: View) -> None:
        self._staff.setText(self.staff_words(view))
