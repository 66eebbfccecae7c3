"""What the slip (业务回执) says, the picture or text it becomes, and what is known about its printing."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from enum import StrEnum

from kiosk.domain.case import Item, Standing
from kiosk.domain.period import DueDate


@dataclass(frozen=True, slots=True)
class Slip:
    case_number: str
    item: Item
    masked_name: str
    masked_number: str
    handed_in_at: dt.datetime
    terminal_id: str
    site: str
    standing: Standing
    due: DueDate | None
    query_token: str
    copy: int = 1
    """1 is the original; higher numbers are printed as 补打."""


@dataclass(frozen=True, slots=True)
class Raster:
    """A 1-bit picture: rows of ceil(width / 8) bytes, most significant bit left, 1 is black (ESC/POS order)."""

    width: int
    height: int
    data: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.data) != self.row_bytes * self.height:
            raise ValueError(f"a {self.width}x{self.height} raster needs {self.row_bytes * self.height} bytes")

    @property
    def row_bytes(self) -> int:
        return (self.width + 7) // 8


_LONGEST_LINE = 100  # characters; the widest head holds 69 columns
_LONGEST_CODE = 300  # characters; as many fit a code of 25 mm


@dataclass(frozen=True, slots=True)
class TextLine:
    """One line in the printer's own letters, all of them in GB 2312 and none that draws boxes. Empty: a blank line."""

    text: str = field(repr=False)
    double: bool = False
    """Twice as wide and as tall."""
    bold: bool = False
    centred: bool = False

    def __post_init__(self) -> None:
        if len(self.text) > _LONGEST_LINE or not in_printer_font(self.text):
            raise ValueError("a line is too long or holds characters the printer has no letters for")


@dataclass(frozen=True, slots=True)
class QrCode:
    """Drawn by the printer itself, centred, level M."""

    data: str = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.data) > _LONGEST_CODE or not (self.data.isascii() and self.data.isprintable()):
            raise ValueError(f"a code holds up to {_LONGEST_CODE} printable ASCII characters")


@dataclass(frozen=True, slots=True)
class TextSlip:
    """A slip the printer sets in letters of its own, for slow lines; a Raster where it has no letter for a name."""

    width: int
    """Dots of the head it is made for."""
    parts: tuple[TextLine | QrCode | Raster, ...]


Printable = Raster | TextSlip


def in_printer_font(text: str) -> bool:
    """Whether the usual receipt printers have letters for all of it: GB 2312 without box drawing, which some replace."""
    try:
        text.encode("gb18030").decode("gb2312")  # by its bytes, which is what the printer sees
    except UnicodeError:
        return False
    return text.isprintable() and not any("\u2500" <= character <= "\u259f" for character in text)


class PrintOutcome(StrEnum):
    PRINTED = "printed"
    """The printer itself said that everything before the mark came out."""
    BLOCKED = "blocked"
    """Nothing was sent: no paper, cover open, no answer."""
    UNKNOWN = "unknown"
    """Something was sent and nobody knows how it ended. Never repeated by itself."""


@dataclass(frozen=True, slots=True)
class PrintResult:
    job: int
    outcome: PrintOutcome
    reason: str = ""
    """A stable code such as `paper_out`, `cover_open`, `mute`, `line_lost`."""
