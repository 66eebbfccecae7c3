"""A keypad for digits that must not be seen: large keys, each acting at touch-down."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QPushButton, QSizePolicy, QWidget

from kiosk.ui.theme import GAP, Theme
from kiosk.ui.widgets import Scaled

_COLUMNS = 3


class Key(QPushButton):
    """`struck` carries the digit, empty for the key that takes the last one back."""

    struck = Signal(str)

    def __init__(self, digit: str, text: str) -> None:
        super().__init__(text)
        self._digit = digit
        self.setObjectName(f"key_{digit or 'erase'}")
        self.setAccessibleName(text)
        self.setProperty("role", "key")
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.pressed.connect(self._pressed)

    def _pressed(self) -> None:
        self.struck.emit(self._digit)


class Keypad(QWidget, Scaled):
    """1 to 9, then the key that erases, 0, and whatever `last` is."""

    def __init__(self, erase: str, last: QWidget) -> None:
        """erase: what the erasing key says."""
        super().__init__()
        digits = [Key(digit, digit) for digit in "123456789"]
        self._keys = [*digits, Key("", erase), Key("0", "0")]
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        for index, each in enumerate((*self._keys, last)):
            self._grid.addWidget(each, *divmod(index, _COLUMNS))
        for column in range(_COLUMNS):
            self._grid.setColumnStretch(column, 1)

    def set_open(self, is_open: bool) -> None:
        """While closed no key can be struck, and all stay visible."""
        for key in self._keys:
            key.setEnabled(is_open)

    def rescale(self, theme: Theme) -> None:
        self._grid.setSpacing(theme.px(GAP))
