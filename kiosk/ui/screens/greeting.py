"""The card is read: masked name, state of the period, the office's word on an earlier case."""

from __future__ import annotations

from kiosk.domain.period import PeriodState
from kiosk.flow.view import Button, View
from kiosk.texts import Texts
from kiosk.ui.dates import day_text
from kiosk.ui.names import short_mask
from kiosk.ui.screens.base import Screen
from kiosk.ui.widgets import Panel, Picture, TickTile, label

_LOOK = {
    PeriodState.VALID: ("good", "done"),
    PeriodState.DUE_SOON: ("calm", "clock"),
    PeriodState.OVERDUE: ("calm", "clock"),
    PeriodState.UNKNOWN: ("calm", "information"),
}


class GreetingScreen(Screen):
    def __init__(self, texts: Texts, phone: str) -> None:
        super().__init__(texts, phone)
        self._name = label("title")
        self._period, self._due = label("instruction", centred=False), label("instruction", centred=False)
        self._period_panel = Panel("calm", "information", self._period, self._due)
        self._already = label("", texts.text("greeting.already"), centred=False)
        self._number = label("", centred=False)
        self._already_panel = Panel("calm", "received", self._already, self._number)
        self._decision = label("", centred=False)
        self._decision_panel = Panel("calm", "information", self._decision)
        self._picture = Picture("face")
        self._no_slip = TickTile(Button.TICK_NO_SLIP, texts.text("button.tick_no_slip"))
        self.tell(self._name, self._period_panel, self._already_panel)
        self.act.addWidget(self._decision_panel)
        self.act.addWidget(self._picture, 1)
        self.act.addWidget(self._no_slip)
        self.act.addWidget(self.button(Button.CONTINUE))

    def show_view(self, view: View) -> None:
        texts = self.texts
        self._name.setText(texts.text("greeting.title", name=short_mask(view.masked_name)))
        state = view.period or PeriodState.UNKNOWN
        self._period.setText(texts.text(f"greeting.{state.value}"))
        self._period_panel.set_tone(*_LOOK[state])
        self._due.setText(texts.text("greeting.due", date=day_text(texts, view.due.date)) if view.due else "")
        self._due.setVisible(view.due is not None)
        self._number.setText(texts.text("greeting.already_number", number=view.last_case_number or ""))
        self._already_panel.setVisible(view.last_case_number is not None)
        self._picture.setVisible(not view.paper_low)
        self._no_slip.set_ticked(not view.wants_slip)
        self._decision.setText(self._decided(view))
        self._decision_panel.setVisible(view.decision is not None)

    def leave(self) -> None:
        for each in (self._name, self._due, self._number, self._decision):
            each.clear()

    def _decided(self, view: View) -> str:
        if view.decision is None:
            return ""
        if view.decision.accepted:
            return self.texts.text("greeting.accepted", date=day_text(self.texts, view.decision.decided_on))
        return self.texts.text("greeting.returned", reason=view.decision.reason)
