"""A receipt printer at the far end of a pseudo-terminal: real ESC/POS, real paper speed, faults to order."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from PIL import Image

from kiosk.devices.emulated.printer_engine import PrinterEngine
from kiosk.devices.emulated.pty import PtyPort
from kiosk.domain.slip import Raster


@dataclass(slots=True)
class PrinterFaults:
    """Each may be switched at any time, from any thread."""

    paper_end: bool = False
    near_end: bool = False
    cover: bool = False
    cutter: bool = False
    unrecoverable: bool = False
    overheat: bool = False
    silent: bool = False
    """Answers nothing, prints all the same."""
    stall: bool = False
    """Takes no bytes from the line."""
    bit_7: bool = False
    """A firmware that uses the highest bit of its status bytes."""
    no_process_id: bool = False
    """A model without GS ( H."""

    @property
    def offline(self) -> bool:
        return self.paper_end or self.cover or self._error

    @property
    def _error(self) -> bool:
        return self.cutter or self.unrecoverable or self.overheat

    def status(self) -> tuple[int, int, int, int]:
        """The answers to DLE EOT 1, 2, 3, 4."""
        return (
            0x12 | self.offline << 3,
            0x12 | self.cover << 2 | self.paper_end << 5 | self._error << 6,
            0x12 | self.cutter << 3 | self.unrecoverable << 5 | self.overheat << 6,
            0x12 | (self.near_end or self.paper_end) * 0x0C | self.paper_end * 0x60,
        )

    def paper_sensor(self) -> int:
        """The answer to GS r 1."""
        return (self.near_end or self.paper_end) * 0x03 | self.paper_end * 0x0C

    def automatic_status(self) -> bytes:
        """The four bytes of ASB."""
        first = 0x10 | self.offline << 3 | self.cover << 5
        second = self.cutter << 3 | self.unrecoverable << 5 | self.overheat << 6
        return bytes((first, second, self.paper_sensor(), 0x0F))


class PrinterEmulator:
    """Runs while entered as a context. Its records may be read at any time."""

    def __init__(
        self,
        port: PtyPort,
        *,
        width: int = 576,
        lines_per_s: float = 800.0,
        buffer_size: int = 4096,
        slip_dir: Path | None = None,
    ) -> None:
        """lines_per_s: dot lines, 800 is 100 mm/s at 203 dpi; slip_dir: receives every slip that was cut off, as PNG."""
        self.port = port
        self.faults = PrinterFaults()
        self.received = bytearray()
        """Everything taken from the line."""
        self.lost = 0
        """Bytes that found the receive buffer full."""
        self.slips: list[Raster] = []
        """What has been cut off, oldest first."""
        self.on_line: Callable[[int], None] = lambda printed: None
        """Called in the printer's thread after each dot line with the number of lines printed so far."""
        self.on_cut: Callable[[Raster], None] = lambda slip: None
        """Called in the printer's thread with each slip as it is cut off."""
        self._slip_dir = slip_dir
        self._lines_per_s = lines_per_s
        self._buffer_size = buffer_size
        self._real_time = b""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="printer-emulator", daemon=True)
        self.engine = PrinterEngine(width, self._process_id_answer, self._answer_fence, self._cut)

    def __enter__(self) -> PrinterEmulator:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join(5.0)

    def _run(self) -> None:
        last, credit, reported = time.monotonic(), 0.0, self.faults.automatic_status()
        while not self._stop.is_set():
            if self.faults.stall:
                self._stop.wait(0.01)
                continue
            for byte in self.port.read(0.002 if self.engine.buffer else 0.02):
                self._receive(byte)
            now = time.monotonic()
            credit = min(credit + (now - last) * self._lines_per_s, self._lines_per_s)
            last = now
            credit -= self._print(credit)
            if self.engine.automatic_status and self.faults.automatic_status() != reported:
                self._answer(self.faults.automatic_status())
            reported = self.faults.automatic_status()

    def _receive(self, byte: int) -> None:
        """Real-time commands are obeyed wherever they stand, pictures included, and leave the stream."""
        self.received.append(byte)
        self._real_time += bytes((byte,))
        command = self._real_time
        if command in (b"\x10", b"\x10\x04", b"\x10\x05"):
            return
        self._real_time = b""
        if command[:2] == b"\x10\x04" and command[2] in (1, 2, 3, 4):
            self._answer(bytes((self.faults.status()[command[2] - 1] | self.faults.bit_7 << 7,)))
        elif command == b"\x10\x05\x02":
            self.engine.clear()
        elif command[-1] == 0x10:
            self._buffer(command[:-1])
            self._real_time = b"\x10"
        else:
            self._buffer(command)

    def _buffer(self, data: bytes) -> None:
        room = max(0, self._buffer_size - len(self.engine.buffer))
        self.engine.buffer += data[:room]
        self.lost += len(data[room:])

    def _print(self, credit: float) -> int:
        """Prints at most `credit` dot lines; stops at once when the printer goes off-line."""
        printed = 0
        while printed < credit and not self.faults.offline and self.engine.step():
            if self.engine.line_done:
                printed += 1
                self.on_line(self.engine.lines_printed)
        return printed

    def _answer(self, data: bytes) -> None:
        if not self.faults.silent:
            self.port.write(data)

    def _answer_fence(self) -> None:
        self._answer(bytes((self.faults.paper_sensor(),)))

    def _process_id_answer(self, process_id: bytes) -> None:
        if not self.faults.no_process_id:
            self._answer(b"\x37\x22" + process_id + b"\x00")

    def _cut(self, slip: Raster) -> None:
        self.slips.append(slip)
        if self._slip_dir is not None and slip.height:
            self._slip_dir.mkdir(parents=True, exist_ok=True)
            picture = Image.frombytes("1", (slip.row_bytes * 8, slip.height), bytes(byte ^ 0xFF for byte in slip.data))
            picture.save(self._slip_dir / f"slip-{len(self.slips):04}.png")
        self.on_cut(slip)
