"""The A4 service between a real cupsd and a real ippeveprinter, and what it has said so far."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from pypdf import PdfWriter

from kiosk.config import A4Config
from kiosk.devices.a4.driver import job_prefix
from kiosk.devices.a4.exchange import Failure, IppAddress
from kiosk.devices.a4.ipp import IppPeer, Jobs
from kiosk.devices.a4.service import A4Service
from kiosk.devices.emulated.a4 import QUEUE, A4Emulator
from kiosk.domain.slip import PrintOutcome, PrintResult
from kiosk.domain.status import DeviceState, DeviceStatus

CASE = "HG00-20261122-000137"
PATIENCE_S = 60.0
READY = (DeviceState.READY, "")


def pdf(pages: int = 1) -> bytes:
    """Blank A4 pages; every call makes the same bytes."""
    writer = PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(595, 842)
    data = io.BytesIO()
    writer.write(data)
    return data.getvalue()


def until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.01)


@dataclass
class MemoryJournal:
    """The journal as a list of lines. `before_sending` acts at that very moment."""

    lines: list[str] = field(default_factory=list)
    settled: list[str] = field(default_factory=list)
    broken: str = ""
    before_sending: Callable[[], None] = lambda: None

    def queue(self, case_number: str, kind: str, copy: int, digest: str, size: int) -> int:
        if self.broken == "queue":
            raise RuntimeError("journal broken on purpose")
        assert len(digest) == 64
        job = 1 + sum(line.startswith("queued") for line in self.lines)
        self.lines.append(f"queued {job} {case_number} {kind} {copy}")
        return job

    def sending(self, job: int) -> None:
        self.before_sending()
        self.lines.append(f"sending {job}")

    def end(self, job: int, outcome: PrintOutcome, evidence: str) -> None:
        if self.broken == "end":
            raise RuntimeError("journal broken on purpose")
        self.lines.append(f"{outcome.value} {job} {evidence}")

    def settle_interrupted(self, kind: str) -> int:
        self.settled.append(kind)
        return 0

    def last_is_unknown(self, kind: str) -> bool:
        return False


class Bench:
    def __init__(self, emulator: A4Emulator, **settings: object) -> None:
        self.printer, self.spooler = emulator.printer, emulator.spooler
        self.journal = MemoryJournal()
        self.results: list[PrintResult] = []
        self.statuses: list[tuple[DeviceState, str]] = []
        values = {
            "enabled": True, "server": self.spooler.server, "queue": QUEUE, "printer": self.printer.uri,
            "patience_s": PATIENCE_S, "page_s": 0, **settings,
        }
        self.config = A4Config.model_validate(values)
        self.service = A4Service(
            self.config, self.journal, self._ended, self._status, heartbeat_s=0.1, poll_s=0.05, retry_s=(0.05, 0.1)
        )
        self.pages_before = len(self.printer.paper)

    @property
    def state(self) -> tuple[DeviceState, str]:
        return self.service.status.state, self.service.status.reason

    @property
    def pages(self) -> int:
        """Pages that came out since the bench was built."""
        return len(self.printer.paper) - self.pages_before

    def print(self, document: bytes | None = None, copy: int = 1) -> PrintResult:
        done = len(self.results)
        self.service.print(document or pdf(), CASE, copy)
        until(lambda: len(self.results) > done, 60)
        return self.results[-1]

    def peers(self) -> tuple[IppPeer, IppPeer]:
        """CUPS and the printer, asked by somebody who is never stopped."""
        server = IppAddress.parse(self.config.server)
        queue = IppAddress(server.host, server.port, f"/printers/{self.config.queue}")
        return IppPeer(queue, threading.Event()), IppPeer(IppAddress.parse(self.config.printer), threading.Event())

    def open_jobs(self) -> list[str]:
        """Names of the jobs of ours that CUPS or the printer still hold."""
        names = []
        for peer in self.peers():
            jobs = peer.jobs(Jobs.OPEN, time.monotonic() + 5)
            assert not isinstance(jobs, Failure)
            names += [job.name for job in jobs if job.name.startswith(job_prefix(self.config))]
        return names

    def nothing_more_comes_out(self, seconds: float = 2.0) -> bool:
        """Both queues are empty, and no page follows."""
        until(lambda: self.open_jobs() == [])
        pages = self.pages
        time.sleep(seconds)
        return self.pages == pages and self.open_jobs() == []

    def _ended(self, case_number: str, result: PrintResult) -> None:
        assert case_number == CASE
        self.results.append(result)

    def _status(self, status: DeviceStatus) -> None:
        self.statuses.append((status.state, status.reason))
