"""人脸信息使用告知: the whole notice on one page, and two separate ticks (PIPL art. 17, 29, 30)."""

from __future__ import annotations

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

    def __init__(self, texts: Texts, phone: str) -> None:
        super().__init__(texts, phone)
        self.lead.addWidget(label("title", texts.text("consent.title")))
        self._notice = QGridLayout()
        self._notice.setColumnStretch(1, 1)
        for row, name in enumerate(_NOTICE):
            values = {"phone": phone} if name == "who" else {}
            self._notice.addWidget(label("term", texts.text(f"consent.{name}"), centred=False), row, 0)
            self._notice.addWidget(label("notice", texts.text(f"consent.{name}_text", **values), centred=False), row, 1)
        self.lead.addLayout(self._notice)
        self.lead.addStretch(1)
        self._match = TickTile(Button.TICK_MATCH, texts.text("button.tick_match"))
        self._send_photo = TickTile(Button.TICK_SEND_PHOTO, texts.text("button.tick_send_photo"))
        self._ticks, self._answers = QBoxLayout(_BESIDE), QHBoxLayout()
        self._ticks.addWidget(self._match, 1)
        self._ticks.addWidget(self._send_photo, 1)
        self._answers.addWidget(self.button(Button.DECLINE, "two_lines"), 1)
        self._answers.addWidget(self.button(Button.AGREE, "pair", shown_disabled=True), 1)
        self.act.addStretch(1)
        self.act.addWidget(label("small", texts.text("consent.hint")))
        self.act.addLayout(self._ticks)
        self.act.addWidget(label("small", texts.text("consent.other")))
        self.act.addLayout(self._answers)

    def show_view(self, view: View) -> None:
        self._match.set_ticked(ConsentScope.MATCH in view.agreed)
        self._send_photo.set_ticked(ConsentScope.SEND_PHOTO in view.agreed)

    def rescale(self, theme: Theme) -> None:
        super().rescale(theme)
        self._ticks.setDirection(_BELOW if theme.landscape else _BESIDE)
        self._ticks.setSpacing(theme.px(GAP))
        self._answers.setSpacing(theme.px(GAP))
        self._notice.setHorizontalSpacing(theme.px(24))
        self._notice.setVerticalSpacing(theme.px(10))
        self._notice.setColumnMinimumWidth(0, theme.px(204))
