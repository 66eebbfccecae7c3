"""Fingers: presses that are not meant are swallowed, and a touch beside every button is answered."""

from __future__ import annotations

import time
from typing import Final

from PySide6.QtCore import QEvent, QObject, QPoint, QRectF, Qt, QTimer
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from kiosk.ui.theme import BLUE

_PRESSES: Final = frozenset({QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonDblClick, QEvent.Type.TouchBegin})


class PressGuard(QObject):
    """Event filter of every button: for `seconds` after `hold` no press gets through (EN 301 549, 5.8)."""

    def __init__(self, seconds: float, parent: QObject) -> None:
        super().__init__(parent)
        self._seconds = seconds
        self._open_at = 0.0

    def hold(self) -> None:
        self._open_at = time.monotonic() + self._seconds

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        return event.type() in _PRESSES and time.monotonic() < self._open_at


class MissMark(QWidget):
    """A ring that appears for a moment where a finger touched nothing: the screen has felt it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.hide)
        self.hide()

    def appear(self, place: QPoint, side: int) -> None:
        self.setGeometry(place.x() - side // 2, place.y() - side // 2, side, side)
        self.raise_()
        self.show()
        self._timer.start(300)

    def paintEvent(self, event: QPaintEvent) -> None:
        thickness = self.width() / 10
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(BLUE), thickness))
        painter.drawEllipse(QRectF(self.rect()).adjusted(thickness, thickness, -thickness, -thickness))
        painter.end()
