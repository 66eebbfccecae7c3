"""The mechanics of the emulated printer: takes commands out of the receive buffer in order and records the paper."""

from __future__ import annotations

from collections.abc import Generator
from typing import Protocol

from kiosk.domain.slip import Raster

Program = Generator[int, bytes, None]
"""Yields how many bytes it needs next and is sent them."""

LETTER = 24
"""Dots: the height of a letter of single size."""


class Mechanics(Protocol):
    """Hears what the engine has come to, in the order of the bytes."""

    def process_id(self, digits: bytes) -> None: ...
    def fence(self) -> None: ...
    def cut(self, slip: Raster, text: str) -> None: ...
    def presenter(self, command: bytes) -> None:
        """GS e: 2 retract, 3 present, 5 eject."""


class PrinterEngine:
    def __init__(self, width: int, mechanics: Mechanics) -> None:
        self._width = width
        self._mechanics = mechanics
        self.buffer = bytearray()
        self.bands: list[tuple[int, int]] = []
        """Bytes per row and rows of every raster band begun."""
        self.process_ids: list[bytes] = []
        self.junk = b""
        """Bytes of commands this printer does not know: a real one would print some of them."""
        self.codes: list[str] = []
        """Contents of the QR codes it was asked to draw (GS ( k)."""
        self.automatic_status = True
        """On at power-up, as on some kiosk models, until GS a 0."""
        self.lines_printed = 0
        self._rows: list[bytes] = []
        self._texts: list[str] = []
        self._reset()
        self.clear()

    def clear(self) -> None:
        """Forgets what is buffered and the command begun; what is on paper stays."""
        self.buffer.clear()
        self._letters = b""
        self._program = self._commands()
        self._wanted = next(self._program)

    def step(self) -> bool:
        """One step of the program; False when the buffer holds too little for it."""
        if len(self.buffer) < self._wanted:
            return False
        data = bytes(self.buffer[: self._wanted])
        del self.buffer[: self._wanted]
        self._wanted = self._program.send(data)
        return True

    def paper(self) -> Raster:
        """What has been printed since the last cut; text shows as blank rows of its height."""
        row_bytes = (self._width + 7) // 8
        return Raster(self._width, len(self._rows), b"".join(row[:row_bytes].ljust(row_bytes, b"\x00") for row in self._rows))

    def text(self) -> str:
        """The lines of text since the last cut."""
        return "\n".join(self._texts)

    def _reset(self) -> None:
        self._chinese, self._tall, self._code = False, 1, b""

    def _commands(self) -> Program:
        while True:
            lead = yield 1
            if lead not in (b"\x1b", b"\x1c", b"\x1d"):
                self._letter(lead)
                continue
            match lead + (yield 1):
                case b"\x1b@":
                    self._reset()
                case b"\x1ba" | b"\x1bE" | b"\x1c!":
                    yield 1
                case b"\x1c&":
                    self._chinese = True
                case b"\x1c.":
                    self._chinese = False
                case b"\x1d!":
                    self._tall = ((yield 1)[0] & 7) + 1
                case b"\x1dv":
                    yield from self._raster()
                case b"\x1dV":
                    if (yield 1) in (b"A", b"B"):
                        yield 1
                    self._cut()
                case b"\x1dr":
                    yield 1
                    self._mechanics.fence()
                case b"\x1da":
                    self.automatic_status = (yield 1) != b"\x00"
                case b"\x1de":
                    command = yield 1
                    self._mechanics.presenter(command + ((yield 1) if command == b"\x03" else b""))
                case b"\x1d(":
                    yield from self._extended()
                case unknown:
                    self.junk += unknown

    def _letter(self, byte: bytes) -> None:
        if byte != b"\n":
            self._letters += byte
            return
        self._texts.append(self._letters.decode("gb18030" if self._chinese else "cp437", "replace"))
        self._letters = b""
        self._feed(LETTER * self._tall)

    def _feed(self, rows: int) -> None:
        self._rows += [b""] * rows
        self.lines_printed += rows

    def _raster(self) -> Program:
        header = yield 6
        row_bytes, rows = header[2] + header[3] * 256, header[4] + header[5] * 256
        self.bands.append((row_bytes, rows))
        for _ in range(rows):
            row = yield row_bytes
            self._rows.append(row)
            self.lines_printed += 1

    def _extended(self) -> Program:
        head = yield 3
        data = yield head[1] + head[2] * 256
        if head[:1] == b"H" and data[:2] == b"00":
            self.process_ids.append(data[2:])
            self._mechanics.process_id(data[2:])
        elif head[:1] == b"k" and data[:3] == b"1P0":
            self._code = data[3:]
        elif head[:1] == b"k" and data == b"1Q0":
            self.codes.append(self._code.decode("ascii", "replace"))
            self._feed(8 * LETTER)
        elif head[:1] == b"k" and data[:2] in (b"1A", b"1C", b"1E"):
            pass
        else:
            self.junk += head + data

    def _cut(self) -> None:
        slip, text = self.paper(), self.text()
        self._rows.clear()
        self._texts.clear()
        self._mechanics.cut(slip, text)
