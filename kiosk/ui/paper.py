"""A strip of thermal paper: texts, rules and a QR code one below the other, drawn once at the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import segno
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QFontDatabase, QFontMetricsF, QImage, QPainter, QRawFont, QTextLayout, QTextOption

from kiosk.domain.slip import Raster
from kiosk.ui.fonts import screen_font
from kiosk.ui.raster import to_raster

_WIDE_FONTS: Final = ("HanaMinA", "HanaMinB", "BabelStone Han")
"""For characters of names the screen font lacks; used where they are installed."""
_LINE_STEP: Final = 1.32  # of the size; the font's own 1.45 would only cost paper
_LINE_BREAK: Final = "\u2028"
_MM: Final = 8  # dots
_QR_BORDER: Final = 4  # modules, ISO/IEC 18004


class Paper:
    """Sizes in dots. Text wraps where Chinese may; what must stay in one piece is set smaller instead."""

    def __init__(self, width: int, margin: int) -> None:
        self.width = width
        self.margin = margin
        self.missing = 0
        """Characters asked for that no font has: the strip must not be printed."""
        self._y = 0.0
        self._fonts = _FontStack()
        self._drawings: list[Callable[[QPainter], object]] = []

    @property
    def inner_width(self) -> float:
        return self.width - 2.0 * self.margin

    def space(self, dots: float) -> None:
        self._y += dots

    def rule(self) -> None:
        """A line across, with air."""
        line = QRectF(self.margin, self._y + 10, self.inner_width, 2)
        self._drawings.append(lambda painter: painter.fillRect(line, Qt.GlobalColor.black))
        self._y += 22

    def ruler(self) -> None:
        """Millimetres at 203 dpi from edge to edge, every tenth line longer: shows a wrong width and a wrong scale."""
        places = (*range(0, self.width - 2, _MM), self.width - 2)
        lines = [QRectF(x, self._y, 2, 15 if x % (10 * _MM) else 30) for x in places]
        self._drawings.append(lambda painter: [painter.fillRect(line, Qt.GlobalColor.black) for line in lines])
        self._y += 40

    def text(self, text: str, px: int, *, bold: bool = False, centred: bool = False, indent: float = 0.0) -> None:
        """A paragraph; `\\n` breaks the line. indent: room left free on the left."""
        self._y += self._place(text, self._fonts.font(px, bold), indent, centred)

    def whole(self, text: str, px: int, *, bold: bool = False, centred: bool = False, indent: float = 0.0) -> None:
        """One line that is never broken, set smaller where it would not fit."""
        widest = max(1.0, QFontMetricsF(self._fonts.font(px, bold)).horizontalAdvance(text))
        fitting = min(px, int(px * (self.inner_width - indent) / widest))
        self.text(text, fitting, bold=bold, centred=centred, indent=indent)

    def grouped(self, text: str, px: int, *, bold: bool = False, centred: bool = False) -> None:
        """A number in groups joined by dashes: lines end after a dash, no group is ever torn apart."""
        metrics = QFontMetricsF(self._fonts.font(px, bold))
        lines = [""]
        for group in text.replace("-", "-\n").split("\n"):
            if lines[-1] and metrics.horizontalAdvance(lines[-1] + group) > self.inner_width:
                lines.append("")
            lines[-1] += group
        for line in lines:
            self.whole(line, px, bold=bold, centred=centred)

    def aside(self, label: str, px: int, beside_px: int) -> None:
        """A label to the left of the paragraph that follows with an indent and the size `beside_px`."""
        self._place(label, self._fonts.font(px, False), 0.0, False, drop=(beside_px - px) * 0.75)

    def text_width(self, text: str, px: int) -> float:
        return QFontMetricsF(self._fonts.font(px, False)).horizontalAdvance(text)

    def qr(self, data: str, size: float) -> None:
        """A QR code, level M, centred; `size` is the most it may take, border included."""
        modules = segno.make_qr(data, error="m", boost_error=False).matrix
        across = len(modules) + 2 * _QR_BORDER
        scale = int(size // across)
        left = (self.width - across * scale) // 2 + _QR_BORDER * scale
        top = int(self._y) + _QR_BORDER * scale

        def draw(painter: QPainter) -> None:
            for row, line in enumerate(modules):
                for column, dark in enumerate(line):
                    if dark:
                        painter.fillRect(left + column * scale, top + row * scale, scale, scale, Qt.GlobalColor.black)

        self._drawings.append(draw)
        self._y += across * scale

    def raster(self) -> Raster:
        """The strip up to here, in black and white."""
        picture = QImage(self.width, max(1, round(self._y)), QImage.Format.Format_Grayscale8)
        picture.fill(Qt.GlobalColor.white)
        painter = QPainter(picture)
        for draw in self._drawings:
            draw(painter)
        painter.end()
        return to_raster(picture)

    def _place(self, text: str, font: QFont, indent: float, centred: bool, drop: float = 0.0) -> float:
        """Lays the text out at the present height and returns how much it takes."""
        self.missing += sum(not self._fonts.has(character) for character in text if character != "\n")
        option = QTextOption(Qt.AlignmentFlag.AlignHCenter if centred else Qt.AlignmentFlag.AlignLeft)
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        layout = QTextLayout(text.replace("\n", _LINE_BREAK), font)
        layout.setTextOption(option)
        layout.beginLayout()
        step, height = font.pixelSize() * _LINE_STEP, 0.0
        while (line := layout.createLine()).isValid():
            line.setLineWidth(self.inner_width - indent)
            line.setPosition(QPointF(0.0, height - (line.height() - step) / 2))
            height += step
        layout.endLayout()
        origin = QPointF(self.margin + indent, self._y + drop)
        self._drawings.append(lambda painter: layout.draw(painter, origin))
        return height


class _FontStack:
    """The fonts a strip is set in, first choice first, and what they can show."""

    def __init__(self) -> None:
        present = set(QFontDatabase.families())
        self._families = [family for family in (*screen_font().families(), *_WIDE_FONTS) if family in present]
        self._raw = [QRawFont.fromFont(QFont(family)) for family in self._families]

    def font(self, px: int, bold: bool) -> QFont:
        font = screen_font()
        font.setFamilies(self._families)
        font.setPixelSize(px)
        font.setBold(bold)
        return font

    def has(self, character: str) -> bool:
        return any(raw.supportsCharacter(ord(character)) for raw in self._raw)
