"""The printer cannot print: whom to call, and that it can be done without a slip. Stands in for the start screen."""

from __future__ import annotations

from kiosk.flow.view import Button, View
from kiosk.texts import Texts
from kiosk.ui.screens.base import Screen
from kiosk.ui.widgets import Picture, label


class NoSlipScreen(Screen):
    PORTRAIT = (1, 0)

    def __init__(self, texts: Texts, phone: str) -> None:
        super().__init__(texts, phone)
        self._staff = label("small")
        self.lead.addWidget(label("instruction", texts.text("attract.title")))
        self.lead.addWidget(label("title", texts.text("no_slip.title")))
        self._detail = label("instruction")
        self.lead.addWidget(self._detail)
        self.lead.addWidget(Picture("no_slip"), 1)
        self.act.addStretch(1)
        self.act.addWidget(self.button(Button.WITHOUT_SLIP))
        self.act.addStretch(1)
        self.act.addWidget(label("instruction", texts.text("no_slip.staff")))
        self.act.addWidget(label("number", phone))
        self.act.addWidget(label("small", texts.text("no_slip.soon")))
        self.act.addWidget(self._staff)

    def show_view(self, view: View) -> None:
        self._detail.setText(self.texts.text(view.trouble or "no_slip.detail"))
        self._staff.setText(self.staff_words(view))
