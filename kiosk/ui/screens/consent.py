"""人脸信息使用告知: the whole notice on one page, and two separate ticks (PIPL art. 17, 29, 30)."""

from __future__ import annotations

from typing import ClassVar

from PySide6.QtWidgets import QBoxLayout, QGridLayout, QHBoxLayout

from kiosk.domain.consent import ConsentScope
from kiosk.flow.view import Button, View
from kiosk.texts import Texts
from kiosk.ui.screens.base import Screen
from kiosk.ui.theme import GAP, Theme
from kiosk.ui.widgets import TickTile, label

_BESIDE, _BELOW = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
_NOTICE = ("who", "purpose", "data", "method", "keep", "impact", "rights")


class ConsentScreen(Screen):
    PORTRAIT = (1, 0)
    LANDSCAPE = (5, 4)
    TITLE: ClassVar = "consent.title"
    NOTICE: ClassVar = tuple((f"consent.{name}", f"consent.{name}_text") for name in _NOTICE)
    """Text ids of what a line is about, and of the line."""
    HINT: ClassVar = "consent.hint"
    TICKS: ClassVar = ((Button.TICK_MATCH, ConsentScope.MATCH), (Button.TICK_SEND_PHOTO, ConsentScope.SEND_PHOTO))

    def __init__(self, texts: Texts, phone: str) -> None:
        super().__init__(texts, phone)
        self.lead.addWidget(label("title", texts.text(self.TITLE)))
        self._notice = QGridLayout()
        self._notice.setColumnStretch(1, 1)
        for row, (term, text) in enumerate(self.NOTICE):
            values = {"phone": phone} if term == "consent.who" else {}
            self._notice.addWidget(label("term", texts.text(term), centred=False), row, 0)
            self._notice.addWidget(label("notice", texts.text(text, **values), centred=False), row, 1)
        self.lead.addLayout(self._notice)
        self.lead.addStretch(1)
        self._ticks, self._answers = QBoxLayout(_BESIDE), QHBoxLayout()
        self._tiles = {scope: TickTile(button, texts.text(f"button.{button.value}")) for button, scope in self.TICKS}
        for tile in self._tiles.values():
            self._ticks.addWidget(tile, 1)
        self._answers.addWidget(self.button(Button.DECLINE, "two_lines"), 1)
        self._answers.addWidget(self.button(Button.AGREE, "pair", shown_disabled=True), 1)
        self.act.addStretch(1)
        self.act.addWidget(label("small", texts.text(self.HINT)))
        self.act.addLayout(self._ticks)
        self.act.addWidget(label("small", texts.text("consent.other")))
        self.act.addLayout(self._answers)

    def show_view(self, view: View) -> None:
        for scope, tile in self._tiles.items():
            tile.set_ticked(scope in view.agreed)

    def rescale(self, theme: Theme) -> None:
        super().rescale(theme)
        self._ticks.setDirection(_BELOW if theme.landscape else _BESIDE)
        self._ticks.setSpacing(theme.px(GAP))
        self._answers.setSpacing(theme.px(GAP))
        self._notice.setHorizontalSpacing(theme.px(24))
        self._notice.setVerticalSpacing(theme.px(10))
        self._notice.setColumnMinimumWidth(0, theme.px(204))
