"""For staff: whether the captures agree, and whom of the roster they are like. Facts and what to do, never a verdict."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout

from kiosk.flow.view import Button, Captured, View
from kiosk.texts import Texts
from kiosk.ui.names import short_mask
from kiosk.ui.screens.base import Screen
from kiosk.ui.theme import GAP, Theme
from kiosk.ui.widgets import Panel, Picture, label

_SHOWN = 3


class EnrolCheckScreen(Screen):
    def __init__(self, texts: Texts, phone: str) -> None:
        super().__init__(texts, phone)
        self._taken, self._agree = label("instruction", centred=False), label("instruction", centred=False)
        self._agree_panel = Panel("good", "done", self._taken, self._agree)
        self._alive_panel = Panel(
            "attention", "attention", label("instruction", texts.text("enrol_check.not_alive"), centred=False),
        )
        self._alike = [label("small", centred=False) for _ in range(_SHOWN + 1)]
        self._alike_panel = Panel(
            "attention", "review", label("", texts.text("enrol_check.lookalikes"), centred=False), *self._alike, side=64,
        )
        self.lead.addWidget(label("title", texts.text("enrol_check.title")))
        self.lead.addWidget(self._agree_panel)
        self.lead.addWidget(self._alive_panel)
        self.lead.addStretch(0)
        self._picture = Picture("face")
        self.act.addWidget(self._alike_panel)
        self.act.addWidget(self._picture, 1)
        self.act.addStretch(0)
        self._buttons = QHBoxLayout()
        self._buttons.addWidget(self.button(Button.RETAKE, "second"), 1)
        self._buttons.addWidget(self.button(Button.SUBMIT, "pair"), 1)
        self.act.addLayout(self._buttons)

    def show_view(self, view: View) -> None:
        texts, captured = self.texts, view.captured or Captured(0, consistent=False, alive=False)
        self._taken.setText(texts.text("enrol_check.captures", count=captured.captures))
        self._agree.setText(texts.text("enrol_check.consistent" if captured.consistent else "enrol_check.not_consistent"))
        self._agree_panel.set_tone(*(("good", "done") if captured.consistent else ("attention", "attention")))
        self._alive_panel.setVisible(not captured.alive)
        alike = [
            texts.text("enrol_check.lookalike", name=short_mask(name), number=number)
            for name, number in captured.lookalikes[:_SHOWN]
        ]
        if len(captured.lookalikes) > _SHOWN:
            alike.append(texts.text("enrol_check.more", count=len(captured.lookalikes) - _SHOWN))
        for index, line in enumerate(self._alike):
            line.setText(alike[index] if index < len(alike) else "")
            line.setVisible(index < len(alike))
        self._alike_panel.setVisible(bool(alike))
        self._picture.setVisible(not alike)

    def leave(self) -> None:
        for line in self._alike:
            line.clear()

    def rescale(self, theme: Theme) -> None:
        super().rescale(theme)
        self._buttons.setSpacing(theme.px(GAP))
