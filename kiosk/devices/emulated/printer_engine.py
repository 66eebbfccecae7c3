"""The mechanics of the emulated printer: takes commands out of the receive buffer in order and records the paper."""

from __future__ import annotations

from collections.abc import Callable, Generator

from kiosk.domain.slip import Raster

Program = Generator[int, bytes, None]
"""Yields how many bytes it needs next and is sent them."""


class PrinterEngine:
    def __init__(
        self,
        width: int,
        on_process_id: Callable[[bytes], None],
        on_fence: Callable[[], None],
        on_cut: Callable[[Raster], None],
    ) -> None:
        self._width = width
        self._on_process_id, self._on_fence, self._on_cut = on_process_id, on_fence, on_cut
        self.buffer = bytearray()
        self.bands: list[tuple[int, int]] = []
        """Bytes per row and rows of every raster band begun."""
        self.process_ids: list[bytes] = []
        self.junk = b""
        """Bytes that were no known command: a real printer would print them as text."""
        self.automatic_status = True
        """On at power-up, as on some kiosk models, until GS a 0."""
        self.lines_printed = 0
        self.line_done = False
        """The last step printed a dot line."""
        self._lines: list[bytes] = []
        self.clear()

    def clear(self) -> None:
        """Forgets what is buffered and the command begun; what is on paper stays."""
        self.buffer.clear()
        self._program = self._commands()
        self._wanted = next(self._program)

    def step(self) -> bool:
        """One step of the program; False when the buffer holds too little for it."""
        self.line_done = False
        if len(self.buffer) < self._wanted:
            return False
        data = bytes(self.buffer[: self._wanted])
        del self.buffer[: self._wanted]
        self._wanted = self._program.send(data)
        return True

    def paper(self) -> Raster:
        """What has been printed since the last cut."""
        row_bytes = (self._width + 7) // 8
        return Raster(self._width, len(self._lines), b"".join(line[:row_bytes].ljust(row_bytes, b"\x00") for line in self._lines))

    def _commands(self) -> Program:
        while True:
            lead = yield 1
            operation = (yield 1) if lead in (b"\x1b", b"\x1d") else b""
            match lead + operation:
                case b"\x1b@":
                    pass
                case b"\x1dv":
                    yield from self._raster()
                case b"\x1dV":
                    if (yield 1) in (b"A", b"B"):
                        yield 1
                    self._cut()
                case b"\x1dr":
                    yield 1
                    self._on_fence()
                case b"\x1da":
                    self.automatic_status = (yield 1) != b"\x00"
                case b"\x1d(":
                    yield from self._extended()
                case unknown:
                    self.junk += unknown

    def _raster(self) -> Program:
        header = yield 6
        row_bytes, rows = header[2] + header[3] * 256, header[4] + header[5] * 256
        self.bands.append((row_bytes, rows))
        for _ in range(rows):
            line = yield row_bytes
            self._lines.append(line)
            self.lines_printed += 1
            self.line_done = True

    def _extended(self) -> Program:
        head = yield 3
        data = yield head[1] + head[2] * 256
        if head[:1] == b"H" and data[:2] == b"00":
            self.process_ids.append(data[2:])
            self._on_process_id(data[2:])
        else:
            self.junk += head + data

    def _cut(self) -> None:
        slip = self.paper()
        self._lines.clear()
        self._on_cut(slip)
