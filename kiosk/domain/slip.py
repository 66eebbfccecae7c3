"""What the slip (业务回执) says, the picture it becomes, and what is known about its printing."""

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
