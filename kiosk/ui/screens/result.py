"""What is known of the case, its number, and the slip. Claims no more than the view's standing."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout

from kiosk.domain.case import Standing
from kiosk.domain.slip import PrintOutcome
from kiosk.flow.view import Button, View
from kiosk.texts import Texts
from kiosk.ui.dates import day_text, minute_text
from kiosk.ui.screens.base import Screen
from kiosk.ui.theme import GAP, Theme
from kiosk.ui.widgets import Panel, Picture, label, set_style

_LOOK = {
    Standing.RECEIVED: ("received", "display"),
    Standing.SUBMITTED: ("done", "good"),
    Standing.CONFIRMED: ("done", "good"),
}
_SLIP_LOOK = {
    None: ("calm", "slip_printing"),
    PrintOutcome.PRINTED: ("good", "slip_take"),
    PrintOutcome.BLOCKED: ("attention", "note_down"),
    PrintOutcome.UNKNOWN: ("attention", "note_down"),
}


class ResultScreen(Screen):
    PORTRAIT = (1, 0)

    def __init__(self, texts: Texts, phone: str) -> None:
        super().__init__(texts, phone)
        self._picture = Picture("received")
        self._title = label("display")
        self._detail = label("")
        self._due = label("")
        self._again = label("small", texts.text("result.enrol_again"))
        self._number, self._time = label("number"), label("small")
        self._number.setWordWrap(False)
        number_panel = Panel("calm", "", self._time, self._number)
        self._slip = label("instruction", centred=False)
        self._staff = label("small", centred=False)
        self._slip_panel = Panel("calm", "slip_printing", self._slip, self._staff)
        self._card = Panel("attention", "card_take", label("instruction", texts.text("take_card.title"), centred=False))
        self.lead.addWidget(self._picture, 1)
        self.lead.addWidget(self._title)
        self.lead.addWidget(self._detail)
        self.lead.addWidget(self._due)
        self.lead.addWidget(self._again)
        self.act.addStretch(1)
        for panel in (number_panel, self._slip_panel, self._card):
            self.act.addWidget(panel)
        self.act.addStretch(1)
        self._buttons = QHBoxLayout()
        self._buttons.addWidget(self.button(Button.REPRINT, "second"))
        self._buttons.addWidget(self.button(Button.DONE))
        self.act.addLayout(self._buttons)

    def show_view(self, view: View) -> None:
        if view.standing is None:
            raise ValueError("a result needs a standing")
        texts = self.texts
        picture, role = _LOOK[view.standing]
        self._picture.set_picture(picture)
        set_style(self._title, "role", role)
        self._title.setText(texts.text(f"result.{view.standing.value}"))
        self._detail.setText(texts.text(view.trouble or f"result.{view.standing.value}_detail"))
        self._number.setText(view.case_number)
        self._time.setText(self._time_text(view))
        self._due.setText(self._due_text(view))
        self._due.setVisible(view.due is not None)
        self._again.setVisible(view.enrol_again)
        self._slip.setText(texts.text(_slip_words(view)))
        self._slip_panel.set_tone(*(_SLIP_LOOK[view.slip] if view.wants_slip else ("calm", "note_down")))
        self._staff.setText(self.staff_words(view))
        self._staff.setVisible(bool(view.staff_note))
        self._card.setVisible(view.card_on_reader)

    def leave(self) -> None:
        for each in (self._number, self._time, self._due):
            each.clear()

    def rescale(self, theme: Theme) -> None:
        super().rescale(theme)
        self._buttons.setSpacing(theme.px(GAP))
        if theme.landscape:  # three panels and the button share a low screen
            self.act.setSpacing(theme.px(14))

    def _time_text(self, view: View) -> str:
        if view.handed_in_at is None:
            return ""
        return self.texts.text("result.number", time=minute_text(self.texts, view.handed_in_at))

    def _due_text(self, view: View) -> str:
        if view.due is None:
            return ""
        kind = "confirmed" if view.due.confirmed_by_office else "estimated"
        return self.texts.text(f"due.{kind}", date=day_text(self.texts, view.due.date))


def _slip_words(view: View) -> str:
    if not view.wants_slip:
        return "slip_state.not_wanted"
    return f"slip_state.{view.slip.value}" if view.slip else "slip_state.printing"
