"""Lay the card on the reader; after a failed read, what to try."""

from __future__ import annotations

from kiosk.domain.trouble import CardTrouble
from kiosk.flow.view import View
from kiosk.texts import Texts
from kiosk.ui.screens.base import Screen
from kiosk.ui.widgets import Panel, Picture, label

_AGAIN = (f"trouble.{CardTrouble.LAY_AGAIN.value}", f"trouble.{CardTrouble.LAY_AGAIN_CLEAN.value}")


class CardScreen(Screen):
    def __init__(self, texts: Texts, phone: str) -> None:
        super().__init__(texts, phone)
        self._picture = Picture("card_lay")
        self._title = label("title")
        self._detail = label("instruction", texts.text("card.detail"))
        self._trouble = label("instruction", centred=False)
        self._panel = Panel("attention", "attention", self._trouble)
        self._prompt, self._reading, self._again = (
            texts.text(text_id) for text_id in ("card.prompt", "card.reading", "card.lay_again")
        )
        self.tell(self._title, self._detail, self._panel)
        self.act.addWidget(self._picture, 1)

    def show_view(self, view: View) -> None:
        trouble = view.trouble and not view.card_seen
        self._picture.set_picture("card_read" if view.card_seen else "card_lay")
        words = self._reading if view.card_seen else self._again if view.trouble in _AGAIN else self._prompt
        self._title.setText(words)
        self._trouble.setText(self.texts.text(view.trouble) if trouble else "")
        self._panel.setVisible(bool(trouble))
        self._detail.setVisible(not trouble and not view.card_seen)
