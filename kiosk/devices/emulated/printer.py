"""A receipt printer at the far end of a pseudo-terminal: real ESC/POS, real paper speed, faults to order."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal

from PIL import Image

from kiosk.devices.emulated.printer_engine import PrinterEngine
from kiosk.devices.emulated.printer_faults import PrinterFaults
from kiosk.devices.emulated.pty import PtyPort
from kiosk.domain.slip import Raster

Make = Literal["epson", "snbc", "custom", "clone", "mute"]


@dataclass(frozen=True, slots=True)
class _Traits:
    """How a make differs."""

    process_id: bool = False
    full_status: bool = False
    presenter: bool = False
    mouth_bit: bool = False
    """Bit 7 of DLE EOT 1 says that the slip has not been taken."""
    answers: bool = True


_MAKES: dict[Make, _Traits] = {
    "epson": _Traits(process_id=True),
    "snbc": _Traits(),
    "custom": _Traits(full_status=True, presenter=True),
    "clone": _Traits(mouth_bit=True),
    "mute": _Traits(answers=False),
}


class PrinterEmulator:
    """Runs while entered as a context. Its records may be read at any time."""

    def __init__(
        self,
        port: PtyPort,
        *,
        make: Make = "epson",
        width: int = 576,
        lines_per_s: float = 800.0,
        buffer_size: int = 4096,
        baud: int | None = None,
        slip_dir: Path | None = None,
    ) -> None:
        """lines_per_s: dot lines, 800 is 100 mm/s at 203 dpi; baud: the speed of the line, None for as fast as it goes;
        slip_dir: receives every slip that was cut off, as PNG, and its text where it has any.
        """
        self.port = port
        self.faults = PrinterFaults()
        self.received = bytearray()
        """Everything taken from the line."""
        self.lost = 0
        """Bytes that found the receive buffer full."""
        self.slips: list[Raster] = []
        """What has been cut off, oldest first."""
        self.texts: list[str] = []
        """The text of each of them."""
        self.retracted = 0
        """Slips taken back into the machine."""
        self.on_line: Callable[[int], None] = lambda printed: None
        """Called in the printer's thread after each dot line with the number of lines printed so far."""
        self.on_cut: Callable[[Raster], None] = lambda slip: None
        """Called in the printer's thread with each slip as it is cut off."""
        self._traits = _MAKES[make]
        self._slip_dir = slip_dir
        self._lines_per_s = lines_per_s
        self._buffer_size = buffer_size
        self._bytes_per_s = baud / 10 if baud else 1e9
        self._line = bytearray()
        self._real_time = b""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="printer-emulator", daemon=True)
        self.engine = PrinterEngine(width, self)

    def __enter__(self) -> PrinterEmulator:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join(5.0)

    def _run(self) -> None:
        last, line, paper, reported = time.monotonic(), 0.0, 0.0, self.faults.automatic_status()
        while not self._stop.is_set():
            if self.faults.stall:
                self._stop.wait(0.01)
                continue
            self._line += self.port.read(0.002 if self.engine.buffer or self._line else 0.02)
            now = time.monotonic()
            line = min(line + (now - last) * self._bytes_per_s, float(len(self._line)))
            paper = min(paper + (now - last) * self._lines_per_s, self._lines_per_s)
            last = now
            arrived = int(line)
            for byte in self._line[:arrived]:
                self._receive(byte)
            del self._line[:arrived]
            line -= arrived
            paper -= self._print(paper)
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
            self._answer_status(self.faults.status()[command[2] - 1] | self._mouth(command[2]))
        elif command == b"\x10\x04\x14" and self._traits.full_status:
            self._answer(self.faults.full_status())
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
        if self.faults.early_fence and self.received.endswith(b"\x1dr\x01"):
            self._answer_status(self.faults.paper_sensor())

    def _print(self, credit: float) -> int:
        """Prints at most `credit` dot lines; stops at once when the printer goes off-line."""
        before = seen = self.engine.lines_printed
        while self.engine.lines_printed - before < credit and not self.faults.offline and self.engine.step():
            if self.engine.lines_printed > seen:
                seen = self.engine.lines_printed
                self.on_line(seen)
        return self.engine.lines_printed - before

    def _mouth(self, n: int) -> int:
        return 0x80 if n == 1 and self._traits.mouth_bit and self.faults.ticket else 0

    def _answer_status(self, byte: int) -> None:
        self._answer((self.faults.automatic_status() if self.faults.stray_status else b"") + bytes((byte,)))

    def _answer(self, data: bytes) -> None:
        if self._traits.answers and not self.faults.silent:
            self.port.write(data)

    # ------------------------------------------------------------------------------------ Mechanics

    def fence(self) -> None:
        if not self.faults.early_fence:
            self._answer_status(self.faults.paper_sensor())

    def process_id(self, digits: bytes) -> None:
        if self._traits.process_id and not self.faults.no_process_id:
            self._answer(b"\x37\x22" + digits + b"\x00")

    def presenter(self, command: bytes) -> None:
        if not self._traits.presenter:
            self.engine.junk += b"\x1de" + command
        elif command[:1] == b"\x03":
            self.faults.ticket = True
        elif self.faults.ticket:
            self.faults.ticket = False
            self.retracted += command == b"\x02"

    def cut(self, slip: Raster, text: str) -> None:
        self.slips.append(slip)
        self.texts.append(text)
        if self._slip_dir is not None and slip.height:
            self._save(self._slip_dir / f"slip-{len(self.slips):04}.png", slip, text)
        self.on_cut(slip)

    def _save(self, path: Path, slip: Raster, text: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        picture = Image.frombytes("1", (slip.row_bytes * 8, slip.height), bytes(byte ^ 0xFF for byte in slip.data))
        picture.save(path)
        if text:
            path.with_suffix(".txt").write_text(text + "\n", encoding="utf-8")
