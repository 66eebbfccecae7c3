"""A strip of paper for the printer's own letters: what a slip is written on where a picture would take too long."""

from __future__ import annotations

from unicodedata import east_asian_width

from kiosk.domain.slip import QrCode, Raster, TextLine, TextSlip, in_printer_font
from kiosk.ui.paper import Paper

_LETTER = 12  # dots: a Latin letter is half as wide as a Chinese one
_SMALL, _DOUBLE_FROM = 24, 36  # dots: letters are 24 or 48 tall


class TextSheet:
    """Takes the same calls as Paper. There are two sizes of letters, no indents and no air between lines.

    A line the printer has no letters for becomes a picture.
    """

    def __init__(self, width: int) -> None:
        self.width = width
        self.missing = 0
        """Characters asked for that no font has: the strip must not be printed."""
        self._parts: list[TextLine | QrCode | Raster] = []

    def slip(self) -> TextSlip:
        return TextSlip(self.width, tuple(self._parts))

    def space(self, dots: float) -> None:
        """Letters have air of their own."""

    def rule(self) -> None:
        self._parts.append(TextLine("-" * (self.width // _LETTER)))

    def ruler(self) -> None:
        """The columns of a line, counted."""
        self._parts.append(TextLine("".join(str(column % 10) for column in range(1, self.width // _LETTER + 1))))

    def text(self, text: str, px: int, *, bold: bool = False, centred: bool = False, indent: float = 0.0) -> None:
        for paragraph in text.split("\n"):
            if in_printer_font(paragraph):
                self._lines(paragraph, px >= _DOUBLE_FROM, bold, centred)
            else:
                self._picture(paragraph, px, bold, centred)

    def whole(self, text: str, px: int, *, bold: bool = False, centred: bool = False, indent: float = 0.0) -> None:
        """One line, in small letters where it would not fit in large ones."""
        fits = _columns(text) <= self._room(px >= _DOUBLE_FROM)
        self.text(text, px if fits else _SMALL, bold=bold, centred=centred)

    def grouped(self, text: str, px: int, *, bold: bool = False, centred: bool = False) -> None:
        """A number in groups joined by dashes: lines end after a dash, no group is ever torn apart."""
        lines = [""]
        for group in text.replace("-", "-\n").split("\n"):
            if lines[-1] and len(lines[-1] + group) > self._room(px >= _DOUBLE_FROM):
                lines.append("")
            lines[-1] += group
        for line in lines:
            self.whole(line, px, bold=bold, centred=centred)

    def aside(self, label: str, px: int, beside_px: int) -> None:
        """A label; the paragraph stands below it."""
        self.text(label, px)

    def text_width(self, text: str, px: int) -> float:
        return _columns(text) * _LETTER * (2.0 if px >= _DOUBLE_FROM else 1.0)

    def qr(self, data: str, size: float) -> None:
        self._parts.append(QrCode(data))

    def _room(self, double: bool) -> int:
        """Columns of a line."""
        return self.width // (_LETTER * (2 if double else 1))

    def _lines(self, text: str, double: bool, bold: bool, centred: bool) -> None:
        """The printer itself would break a line in the middle of a Chinese character."""
        line = ""
        for character in text:
            if _columns(line + character) > self._room(double):
                self._parts.append(TextLine(line, double, bold, centred))
                line = ""
            line += character
        self._parts.append(TextLine(line, double, bold, centred))

    def _picture(self, text: str, px: int, bold: bool, centred: bool) -> None:
        paper = Paper(self.width, margin=0)
        paper.text(text, px, bold=bold, centred=centred)
        self.missing += paper.missing
        self._parts.append(paper.raster())


def _columns(text: str) -> int:
    return sum(2 if east_asian_width(character) in "WFA" else 1 for character in text)
