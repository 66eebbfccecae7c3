"""Captured bytes for a receipt printer, explained for a technician. Pure; any bytes give a listing.

Sources: Epson's ESC/POS command reference, Custom's manuals for GS e.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kiosk.domain.slip import Raster

Size = Callable[[memoryview], int | None]
"""How many bytes follow the command's lead, from those that do; None when they do not tell."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command, or one run of letters. `complete` is False where the capture ends inside it."""

    offset: int
    data: bytes
    name: str
    detail: str = ""
    complete: bool = True

    @property
    def understood(self) -> bool:
        return self.complete and self.name != "unknown"


def capture_bytes(file: bytes) -> bytes:
    """The content of a capture file, raw or as hexadecimal text."""
    digits = re.sub(rb"0x|[\s,:;-]", b"", file.removeprefix(b"\xef\xbb\xbf"))
    return bytes.fromhex(digits.decode()) if re.fullmatch(rb"(?:[0-9A-Fa-f]{2})+", digits) else file


def commands(capture: bytes) -> Iterator[Command]:
    """Everything in the capture, in order and without gaps."""
    at, letters = 0, 0
    while at < len(capture):
        lead = _lead(capture, at)
        if lead is None:
            at += 1
            continue
        if letters < at:
            yield _text(capture, letters, at)
        name, size = _COMMANDS.get(lead, _UNKNOWN)
        rest = memoryview(capture)[at + len(lead) : at + len(lead) + _LONGEST]
        length = size(rest)
        whole = length is not None and length <= len(rest)
        end = at + len(lead) + (length if length is not None and whole else len(rest))
        data = capture[at:end]
        yield Command(at, data, name, _DETAILS.get(name, _hex)(data[len(lead) :]) if whole else "cut short", whole)
        at = letters = end
    if letters < at:
        yield _text(capture, letters, at)


def joined_bands(listing: list[Command]) -> Raster | None:
    """The raster bands of the capture one below the other, as the paper would show them; None where there are none."""
    rows = [row for command in listing if command.name == "GS v 0" and command.complete for row in _rows(command.data)]
    width = min(max(map(len, rows), default=0), _WIDEST)
    return Raster(width * 8, len(rows), b"".join(row[:width].ljust(width, b"\x00") for row in rows)) if rows else None


def _rows(band: bytes) -> list[bytes]:
    across, picture = int.from_bytes(band[4:6], "little"), band[8:]
    return [picture[at : at + across] for at in range(0, len(picture), max(1, across))]


def _lead(capture: bytes, at: int) -> bytes | None:
    """The bytes that name the command at this place; None for a letter."""
    for length in (3, 2, 1):
        lead = capture[at : at + length]
        if len(lead) == length and lead in _COMMANDS:
            return lead
    if capture[at] in b"\x10\x1b\x1c\x1d":
        return capture[at : at + 2]
    return None


def _text(capture: bytes, begin: int, end: int) -> Command:
    data = capture[begin:end]
    text = data.decode("gb18030", "replace")
    return Command(begin, data, "text", _printable(text))


def _printable(text: str) -> str:
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)


def _exactly(count: int) -> Size:
    return lambda rest: count


def _extended(rest: memoryview) -> int | None:
    """GS ( x: a length of two bytes, then as many."""
    return 2 + int.from_bytes(rest[:2], "little") if len(rest) >= 2 else None


def _raster(rest: memoryview) -> int | None:
    if len(rest) < 5:
        return None
    return 5 + int.from_bytes(rest[1:3], "little") * int.from_bytes(rest[3:5], "little")


def _cut(rest: memoryview) -> int | None:
    return None if not rest else 2 if rest[0] in b"AB" else 1


def _presenter(rest: memoryview) -> int | None:
    """GS e of Custom printers: 3 takes one parameter, 32 two."""
    return None if not rest else {0x03: 2, 0x20: 3}.get(rest[0], 1)


_WIDEST = 128
"""Bytes of a row: no receipt printer has a head of 1024 dots."""
_LONGEST = 0x20000
"""Bytes of the largest command worth following: a band of 256 x 512."""
_UNKNOWN: tuple[str, Size] = ("unknown", _exactly(0))
_COMMANDS: dict[bytes, tuple[str, Size]] = {
    b"\x10\x04": ("DLE EOT", _exactly(1)),
    b"\x10\x05": ("DLE ENQ", _exactly(1)),
    b"\x1b@": ("ESC @", _exactly(0)),
    b"\x1b!": ("ESC !", _exactly(1)),
    b"\x1b-": ("ESC -", _exactly(1)),
    b"\x1b2": ("ESC 2", _exactly(0)),
    b"\x1b3": ("ESC 3", _exactly(1)),
    b"\x1bE": ("ESC E", _exactly(1)),
    b"\x1bJ": ("ESC J", _exactly(1)),
    b"\x1ba": ("ESC a", _exactly(1)),
    b"\x1bd": ("ESC d", _exactly(1)),
    b"\x1bt": ("ESC t", _exactly(1)),
    b"\x1c!": ("FS !", _exactly(1)),
    b"\x1c&": ("FS &", _exactly(0)),
    b"\x1c.": ("FS .", _exactly(0)),
    b"\x1d!": ("GS !", _exactly(1)),
    b"\x1d(H": ("GS ( H", _extended),
    b"\x1d(k": ("GS ( k", _extended),
    b"\x1dI": ("GS I", _exactly(1)),
    b"\x1dP": ("GS P", _exactly(2)),
    b"\x1dV": ("GS V", _cut),
    b"\x1da": ("GS a", _exactly(1)),
    b"\x1de": ("GS e", _presenter),
    b"\x1dr": ("GS r", _exactly(1)),
    b"\x1dv0": ("GS v 0", _raster),
}


def _hex(parameters: bytes) -> str:
    return parameters.hex(" ").upper()


def _raster_detail(parameters: bytes) -> str:
    across, down = int.from_bytes(parameters[1:3], "little"), int.from_bytes(parameters[3:5], "little")
    return f"{across * 8} x {down} dots"


def _process_id(parameters: bytes) -> str:
    return f"process id {_printable(parameters[4:].decode('ascii', 'replace'))}" if parameters[2:4] == b"00" else _hex(parameters)


def _symbol(parameters: bytes) -> str:
    stored = parameters[2:5] == b"1P0"
    return f"QR code of {len(parameters) - 5} characters" if stored else _hex(parameters)


_DETAILS: dict[str, Callable[[bytes], str]] = {"GS v 0": _raster_detail, "GS ( H": _process_id, "GS ( k": _symbol}
