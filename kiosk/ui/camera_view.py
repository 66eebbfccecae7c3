"""The mirror a person looks into: the newest camera frame with an oval to put the face in. Draws no text."""

from __future__ import annotations

import threading
from enum import Enum
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPaintEvent, QPen, QPixmap, QPolygonF, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from kiosk.ui.theme import BLUE, BLUE_PALE, GREEN, PAGE

_OVAL: Final = QRectF(0.22, 0.12, 0.56, 0.74)
"""Share of the picture the face should fill."""
_VEIL: Final = 150
"""Opacity of the page colour outside the oval, of 255."""

_ARROW: Final = ((0.02, 0.5), (0.13, 0.36), (0.13, 0.44), (0.22, 0.44), (0.22, 0.56), (0.13, 0.56), (0.13, 0.64))
"""Pointing left, in shares of the picture; the one to the right is its mirror image."""

Frame = NDArray[np.uint8]


class Turn(Enum):
    """Where to turn: the person's own side, which in a mirror is the same side of the picture."""

    LEFT = "left"
    RIGHT = "right"


class CameraView(QWidget):
    """Three buffers change hands: one is shown, one waits, one is written. A frame nobody fetched is replaced.

    `set_frame` belongs to the camera thread, everything else to the thread of the screen.
    """

    _arrived = Signal()

    _shown: Frame
    _waiting: Frame
    _written: Frame
    _scaled: Frame
    """Before its colours are converted; belongs to the writer like `_written`."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("camera_view")
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._writing = threading.Lock()  # held for a whole frame, so that clear() leaves nothing behind
        self._swapping = threading.Lock()
        self._open = False
        self._fresh = False
        self._seen = False
        self._well = False
        self._turn: Turn | None = None
        self._turned = 0.0
        self._allocate(1)
        self._veil = QPixmap()
        self._arrived.connect(self._fetch, Qt.ConnectionType.QueuedConnection)

    def open(self) -> None:
        """Frames are taken from now on."""
        self._open = True

    def clear(self) -> None:
        """Takes no more frames and overwrites every picture with zeros."""
        with self._writing, self._swapping:
            self._open = self._fresh = self._seen = False
            for buffer in (self._shown, self._waiting, self._written, self._scaled):
                buffer.fill(0)
        self.update()

    def set_well(self, well: bool) -> None:
        """Green oval: everything is right, just stay."""
        if well != self._well:
            self._well = well
            self._draw_veil()
            self.update()

    def set_turn(self, turn: Turn | None, share: float) -> None:
        """An arrow that fills from its foot to its point; share 0 to 1, None for no arrow."""
        if (turn, share) != (self._turn, self._turned):
            self._turn, self._turned = turn, share
            self.update()

    def set_frame(self, frame: Frame) -> None:
        """frame: height x width x 3, BGR, not kept. Callable from the camera thread."""
        with self._writing:
            if not self._open:
                return
            self._convert(frame)
            with self._swapping:
                self._written, self._waiting = self._waiting, self._written
                announce, self._fresh = not self._fresh, True
        if announce:
            self._arrived.emit()

    def _convert(self, frame: Frame) -> None:
        """Centre square, scaled, mirrored, as the BGRX bytes of Format_RGB32 on a little-endian machine."""
        height, width = frame.shape[:2]
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        wanted = self._scaled.shape[0]
        cv2.resize(frame[top : top + side, left : left + side], (wanted, wanted), dst=self._scaled)
        cv2.flip(self._scaled, 1, dst=self._scaled)
        cv2.cvtColor(self._scaled, cv2.COLOR_BGR2BGRA, dst=self._written)

    @Slot()
    def _fetch(self) -> None:
        with self._swapping:
            if not self._fresh:
                return
            self._shown, self._waiting = self._waiting, self._shown
            self._fresh = False
            self._seen = True
        self.update()

    def _allocate(self, side: int) -> None:
        self._shown = np.zeros((side, side, 4), np.uint8)
        self._waiting = self._shown.copy()
        self._written = self._shown.copy()
        self._scaled = np.zeros((side, side, 3), np.uint8)

    def _square(self) -> QRect:
        side = max(1, min(self.width(), self.height()))
        return QRect((self.width() - side) // 2, (self.height() - side) // 2, side, side)

    def resizeEvent(self, event: QResizeEvent) -> None:
        open_before = self._open
        self.clear()
        with self._writing, self._swapping:
            self._allocate(self._square().width())
            self._open = open_before
        self._draw_veil()

    def _draw_veil(self) -> None:
        """Everything but the oval lies under a veil of the page's colour; drawn once per size."""
        square = self._square()
        side = square.width()
        self._veil = QPixmap(QSize(side, side))
        self._veil.fill(Qt.GlobalColor.transparent)
        oval = QRectF(_OVAL.x() * side, _OVAL.y() * side, _OVAL.width() * side, _OVAL.height() * side)
        outside = QPainterPath()
        outside.addRect(QRectF(0, 0, side, side))
        outside.addEllipse(oval)
        veil = QColor(PAGE)
        veil.setAlpha(_VEIL)
        painter = QPainter(self._veil)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillPath(outside, veil)
        pen = QPen(QColor(GREEN if self._well else BLUE), side * (0.022 if self._well else 0.012))
        painter.setPen(pen)
        painter.drawEllipse(oval)
        painter.end()

    def paintEvent(self, event: QPaintEvent) -> None:
        square = self._square()
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(PAGE))
        if self._seen:
            side = self._shown.shape[0]
            painter.drawImage(square, QImage(self._shown.data, side, side, side * 4, QImage.Format.Format_RGB32))
        else:
            painter.fillRect(square, QColor(BLUE_PALE))
        painter.drawPixmap(square.topLeft(), self._veil)
        if self._turn is not None:
            _draw_arrow(painter, square, self._turn, self._turned)
        painter.end()


def _draw_arrow(painter: QPainter, square: QRect, turn: Turn, share: float) -> None:
    side = square.width()
    painter.save()
    painter.translate(square.topLeft())
    if turn is Turn.RIGHT:
        painter.translate(side, 0)
        painter.scale(-1, 1)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    arrow = QPolygonF([QPointF(x * side, y * side) for x, y in _ARROW])
    painter.setPen(QPen(QColor(BLUE), side * 0.012, j=Qt.PenJoinStyle.RoundJoin))
    painter.setBrush(QColor(PAGE))
    painter.drawPolygon(arrow)
    reach = arrow.boundingRect()
    reach.setLeft(reach.right() - reach.width() * share)
    painter.setClipRect(reach)
    painter.setBrush(QColor(GREEN))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.drawPolygon(arrow)
    painter.restore()
