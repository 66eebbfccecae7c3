"""One try did not work: what helps, and the next try."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout

from kiosk.flow.view import Button, View
from kiosk.texts import Texts
from kiosk.ui.screens.base import Screen
from kiosk.ui.widgets import Picture, label


class TryAgainScreen(Screen):
    PORTRAIT = (1, 0)

    def __init__(self, texts: Texts, phone: str) -> None:
        super().__init__(texts, phone)
        self._trouble = label("instruction")
        self._attempt = label("small")
        self.lead.addWidget(label("title", texts.text("try_again.title")))
        self.lead.addWidget(self._trouble)
        self._tips = QHBoxLayout()
        for picture, text_id in (
            ("hat_mask", "try_again.tip_hat"),
            ("face", "try_again.tip_face"),
            ("light", "try_again.tip_light"),
        ):
            tip = QVBoxLayout()
            tip.addStretch(1)
            tip.addWidget(Picture(picture, 250), 0, Qt.AlignmentFlag.AlignHCenter)
            tip.addWidget(label("small", texts.text(text_id)))
            tip.addStretch(1)
            self._tips.addLayout(tip, 1)
        self.lead.addLayout(self._tips, 1)
        self.act.addStretch(1)
        self.act.addWidget(self._attempt)
        self.act.addWidget(self.button(Button.RETRY, "start"))
        self.act.addWidget(self.button(Button.GENTLER, "second"))
        self.act.addStretch(1)

    def show_view(self, view: View) -> None:
        self._trouble.setText(self.texts.text(view.trouble))
        attempt = min(view.attempt + 1, view.attempts_max)
        self._attempt.setText(self.texts.text("camera.attempt", attempt=attempt, attempts=view.attempts_max))
        self._attempt.setVisible(view.attempts_max > 0)
