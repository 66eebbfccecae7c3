"""What staff can do here."""

from __future__ import annotations

from kiosk.flow.view import Button, View
from kiosk.texts import Texts
from kiosk.ui.screens.base import Screen
from kiosk.ui.widgets import Picture, label

_TASKS = (Button.ENROL, Button.JOIN)


class StaffMenuScreen(Screen):
    def __init__(self, texts: Texts, phone: str) -> None:
        super().__init__(texts, phone)
        self._note = label("small")
        self.tell(
            label("title", texts.text("staff_menu.title")), label("instruction", texts.text("staff_menu.detail")), self._note,
        )
        self.act.addWidget(Picture("staff"), 1)
        for task in _TASKS:
            self.act.addWidget(self.button(task, "pair"))
        self.act.addWidget(self.button(Button.SIGN_OUT, "second"))

    def show_view(self, view: View) -> None:
        self._note.setText(self.staff_words(view))
        self._note.setVisible(bool(view.staff_note))
