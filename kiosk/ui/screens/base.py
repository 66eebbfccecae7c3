"""What all screens share: two panes, above each other in portrait, side by side in landscape."""

from __future__ import annotations

from typing import ClassVar

from PySide6.QtWidgets import QBoxLayout, QVBoxLayout, QWidget

from kiosk.flow.view import Button, View
from kiosk.texts import Texts
from kiosk.ui.theme import GAP, MARGIN, Theme
from kiosk.ui.widgets import BigButton, Scaled


class Screen(QWidget, Scaled):
    """`lead` says what this is about, `act` holds what can be done about it. Built once, shown many times."""

    PORTRAIT: ClassVar = (0, 1)
    LANDSCAPE: ClassVar = (1, 1)
    """How the two panes share spare room."""

    def __init__(self, texts: Texts, phone: str) -> None:
        """phone: the number of the people who help."""
        super().__init__()
        self.texts = texts
        self.phone = phone
        self.lead = QVBoxLayout()
        self.act = QVBoxLayout()
        self._panes = QBoxLayout(QBoxLayout.Direction.TopToBottom, self)
        self._panes.addLayout(self.lead)
        self._panes.addLayout(self.act)

    def button(self, button: Button, role: str = "main", *, shown_disabled: bool = False) -> BigButton:
        return BigButton(button, self.texts.text(f"button.{button.value}"), role, shown_disabled=shown_disabled)

    def tell(self, *widgets: QWidget) -> None:
        """Fills the lead with words: at the top in portrait, half-way up beside the picture in landscape."""
        self.lead.addStretch(1)
        for widget in widgets:
            self.lead.addWidget(widget)
        self.lead.addStretch(1)

    def show_view(self, view: View) -> None:
        """Fills in what this view says. Screens whose words never change leave this alone."""

    def leave(self) -> None:
        """Called when another screen takes over: forget what belongs to the person."""

    def staff_words(self, view: View) -> str:
        """The cause for staff; a code nobody has written a sentence for is shown as it is."""
        if not view.staff_note:
            return ""
        known = view.staff_note in self.texts
        cause = self.texts.text(view.staff_note) if known else self.texts.text("staff.code", code=view.staff_note)
        return self.texts.text("staff.note", cause=cause)

    def rescale(self, theme: Theme) -> None:
        direction = QBoxLayout.Direction
        self._panes.setDirection(direction.LeftToRight if theme.landscape else direction.TopToBottom)
        for index, share in enumerate(self.LANDSCAPE if theme.landscape else self.PORTRAIT):
            self._panes.setStretch(index, share)
        margin = theme.px(MARGIN)
        self._panes.setContentsMargins(margin, theme.px(16), margin, theme.px(20))
        self._panes.setSpacing(theme.px(56 if theme.landscape else 40))
        for pane in (self.lead, self.act):
            pane.setSpacing(theme.px(GAP))
