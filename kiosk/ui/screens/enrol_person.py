"""For staff: who the card says this is, and what is enrolled already."""

from __future__ import annotations

from kiosk.flow.view import Button, View
from kiosk.texts import Texts
from kiosk.ui.names import short_mask
from kiosk.ui.screens.base import Screen
from kiosk.ui.widgets import Panel, Picture, label


class EnrolPersonScreen(Screen):
    def __init__(self, texts: Texts, phone: str) -> None:
        super().__init__(texts, phone)
        self._name, self._number = label("title"), label("number")
        self._number.setWordWrap(False)
        self._enrolled = label("instruction", centred=False)
        self._staff = label("small")
        self.tell(
            label("title", texts.text("enrol_person.title")),
            Panel("calm", "", self._name, self._number),
            Panel("calm", "information", self._enrolled),
            label("instruction", texts.text("enrol_person.detail")),
            self._staff,
        )
        self.act.addWidget(Picture("staff"), 1)
        self.act.addWidget(self.button(Button.CONTINUE))

    def show_view(self, view: View) -> None:
        self._name.setText(short_mask(view.masked_name))
        self._number.setText(view.masked_number)
        self._enrolled.setText(self._known(view))
        self._staff.setText(self.staff_words(view))
        self._staff.setVisible(bool(view.staff_note))

    def leave(self) -> None:
        for each in (self._name, self._number, self._enrolled):
            each.clear()

    def _known(self, view: View) -> str:
        if view.enrolled is None:
            return self.texts.text("enrol_person.not_in_roster")
        if view.enrolled == 0:
            return self.texts.text("enrol_person.none")
        if view.enrolled_on is None:
            return self.texts.text("enrol_person.undated", count=view.enrolled)
        day = view.enrolled_on
        date = self.texts.text("date.day", year=day.year, month=day.month, day=day.day)
        return self.texts.text("enrol_person.enrolled", count=view.enrolled, date=date)
