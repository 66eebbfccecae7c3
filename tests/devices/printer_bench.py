"""A printer service, the emulated printer at the other end of a pseudo-terminal, and a journal in memory between them."""

from __future__ import annotations

import errno
import random
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from kiosk.config import PrinterConfig
from kiosk.devices.emulated.printer import Make, PrinterEmulator
from kiosk.devices.emulated.pty import PtyPort
from kiosk.devices.print_journal import PrintJournal
from kiosk.devices.printer.service import PrinterService
from kiosk.domain.slip import Printable, PrintOutcome, PrintResult, QrCode, Raster, TextLine, TextSlip
from kiosk.domain.status import DeviceState, DeviceStatus

CASE = "HG00-20261122-000137"
PATIENCE_S = 1.2
HEIGHT = 900


def slip(seed: int = 1, width: int = 576) -> Raster:
    """Lines of noise with blank rows between, as lines of text are; no byte 10h, which may lose a dot."""
    noise = random.Random(seed)
    row_bytes = width // 8
    inked = [bytes(noise.choices(b"\x00\x3c\xff\x81", k=row_bytes)) for _ in range(HEIGHT)]
    rows = [bytes(row_bytes) if y % 60 > 40 else row for y, row in enumerate(inked)]
    return Raster(width, HEIGHT, b"".join(rows))


@dataclass
class MemoryJournal:
    """The journal as a list of lines. `before_sending` looks at the world at that very moment."""

    lines: list[str] = field(default_factory=list)
    interrupted: int = 0
    broken: str = ""
    """The call that fails, as a full disk makes it fail."""
    before_sending: Callable[[], None] = lambda: None

    def queue(self, case_number: str, kind: str, copy: int, digest: str, size: int) -> int:
        self._write("queue")
        assert len(digest) == 64 and size
        job = 1 + sum(line.startswith("queued") for line in self.lines)
        self.lines.append(f"queued {job} {case_number} {kind} {copy}")
        return job

    def sending(self, job: int) -> None:
        self._write("sending")
        self.before_sending()
        self.lines.append(f"sending {job}")

    def end(self, job: int, outcome: PrintOutcome, evidence: str) -> None:
        self._write("end")
        self.lines.append(f"{outcome.value} {job} {evidence}")

    def settle_interrupted(self, kind: str) -> int:
        count, self.interrupted = self.interrupted, 0
        self.lines += [f"unknown {job} interrupted" for job in range(count)]
        return count

    def last_is_unknown(self, kind: str) -> bool:
        sent = [line.split()[0] for line in self.lines if line.split()[0] in ("sending", "printed", "unknown")]
        return bool(sent) and sent[-1] != "printed"

    def _write(self, call: str) -> None:
        if self.broken == call:
            raise OSError(errno.ENOSPC, "No space left on device")


class Bench:
    """Service, emulator and journal together, and what the service has said so far."""

    def __init__(
        self, tmp_path: Path, *, lines_per_s: float = 30_000, make: Make | None = None, line_baud: int | None = None,
        journal: PrintJournal | None = None, **settings: object,
    ) -> None:
        """make: of the printer; without it the one of the profile in `settings`. line_baud: slows the line down.
        journal: instead of the one in memory.
        """
        self.tmp_path = tmp_path
        self.port = PtyPort(tmp_path / "dev" / "printer")
        make = make or settings.get("profile", "epson")  # type: ignore[assignment]
        self.printer = PrinterEmulator(
            self.port, make=make, lines_per_s=lines_per_s, baud=line_baud, slip_dir=tmp_path / "paper"
        )
        self.journal = MemoryJournal()
        self.results: list[PrintResult] = []
        self.statuses: list[tuple[DeviceState, str]] = []
        values = {"port": str(self.port.path), "fence_patience_s": PATIENCE_S, **settings}
        self.config = PrinterConfig.model_validate(values)
        self.service = PrinterService(
            self.config, journal or self.journal, self._ended, self._status, heartbeat_s=0.05, retry_s=(0.05, 0.1)
        )

    def _status(self, status: DeviceStatus) -> None:
        self.statuses.append((status.state, status.reason))

    @property
    def sent(self) -> bytes:
        """What went over the line without the status queries, which come at any time; no picture here holds such bytes."""
        return re.sub(rb"\x10\x04[\x01-\x04\x14]", b"", bytes(self.printer.received))

    @property
    def state(self) -> tuple[DeviceState, str]:
        return self.service.status.state, self.service.status.reason

    def _ended(self, case_number: str, result: PrintResult) -> None:
        assert case_number == CASE
        self.results.append(result)

    def print(self, slip: Printable, copy: int = 1, seconds: float = 8.0) -> PrintResult:
        done = len(self.results)
        self.service.print(slip, CASE, copy)
        until(lambda: len(self.results) > done, seconds)
        return self.results[-1]

    def at_line(self, line: int, act: Callable[[], None]) -> None:
        """Does something in the printer's own thread, exactly when that dot line is on paper."""
        self.printer.on_line = lambda printed: act() if printed == line else None

    def fault(self, name: str, line: int) -> None:
        self.at_line(line, lambda: setattr(self.printer.faults, name, True))


def until(condition: Callable[[], bool], seconds: float = 8.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.005)



@contextmanager
def running(tmp_path: Path, ready: tuple[DeviceState, str] = (DeviceState.READY, ""), **settings: object) -> Iterator[Bench]:
    """A bench whose printer is plugged in and has been found."""
    bench = Bench(tmp_path, **settings)  # type: ignore[arg-type]
    with bench.port, bench.printer:
        bench.service.start()
        until(lambda: bench.state == ready)
        yield bench
        assert bench.service.stop()


def text_slip(width: int = 576) -> TextSlip:
    """Letters of every kind there is, a code and a picture."""
    return TextSlip(width, (
        TextLine("业务回执", double=True, bold=True, centred=True),
        TextLine("HG00-20261122-000137"),
        TextLine("-" * (width // 12)),
        Raster(width, 3, (b"\x00" + b"\xaa" * (width // 8 - 1)) * 3),
        QrCode("SAMPLE0SAMPLE0"),
        TextLine("请拍照保存。"),
    ))
