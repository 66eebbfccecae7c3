"""The machine could not tell: an officer may, if the person wants to send the photograph."""

from __future__ import annotations

from kiosk.flow.view import Button, View
from kiosk.texts import Texts
from kiosk.ui.screens.base import Screen
from kiosk.ui.widgets import Panel, Picture, label


class AskReviewScreen(Screen):
    def __init__(self, texts: Texts, phone: str) -> None:
        super().__init__(texts, phone)
        self._trouble = label("instruction")
        comfort = label("instruction", texts.text("ask_review.comfort"), centred=False)
        self.tell(
            label("title", texts.text("ask_review.title")),
            self._trouble,
            Panel("good", "information", comfort),
            label("instruction", texts.text("ask_review.detail")),
        )
        self.act.addWidget(Picture("review"), 1)
        self.act.addWidget(self.button(Button.ASK_REVIEW))

    def show_view(self, view: View) -> None:
        self._trouble.setText(self.texts.text(view.trouble))
