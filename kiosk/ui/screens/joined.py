"""The office has let this machine in: what it is called from now on."""

from __future__ import annotations

from kiosk.flow.view import Button, View
from kiosk.texts import Texts
from kiosk.ui.screens.base import Screen
from kiosk.ui.widgets import Picture, label


class JoinedScreen(Screen):
    def __init__(self, texts: Texts, phone: str) -> None:
        super().__init__(texts, phone)
        self._number, self._site = label("number"), label("instruction")
        self.tell(
            label("title", texts.text("joined.title")), self._number, self._site,
            label("instruction", texts.text("joined.detail")),
        )
        self.act.addWidget(Picture("staff"), 1)
        self.act.addWidget(self.button(Button.SIGN_OUT))

    def show_view(self, view: View) -> None:
        terminal_id, site = view.joined or ("", "")
        self._number.setText(terminal_id)
        self._site.setText(site)
