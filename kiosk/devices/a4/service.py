"""The office printer as a supervised device: one PDF after the other, and a heartbeat in between."""

from __future__ import annotations

import hashlib
import queue
import socket
from collections.abc import Callable
from dataclasses import dataclass, field

from kiosk.config import A4Config
from kiosk.devices.a4.driver import PdfDriver, job_prefix
from kiosk.devices.a4.states import Condition
from kiosk.devices.print_journal import PrintJournal
from kiosk.devices.service import DeviceLost, DeviceService
from kiosk.domain.slip import PrintOutcome, PrintResult
from kiosk.domain.status import DeviceKind, DeviceState, DeviceStatus

_A4 = "a4"
_MISSES = 3
"""So many unanswered questions in a row make a printer offline; a busy one may leave one open."""
_MISS_S = 0.5
_STATES = {
    Condition.OK: DeviceState.READY,
    Condition.PAPER_LOW: DeviceState.DEGRADED,
    Condition.TONER_LOW: DeviceState.DEGRADED,
    Condition.UNCLEAR: DeviceState.UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class _Request:
    pdf: bytes = field(repr=False)
    case_number: str
    copy: int


class A4Service(DeviceService):
    """READY only while the printer says that it can print, the queue passes jobs on, and neither holds an old job of ours.

    `print` may be called from any thread at any time. `busy_queue`: another program of this terminal prints there.
    """

    def __init__(
        self,
        config: A4Config,
        journal: PrintJournal,
        on_event: Callable[[str, PrintResult], None],
        on_status: Callable[[DeviceStatus], None],
        *,
        heartbeat_s: float = 3.0,
        poll_s: float = 0.5,
        retry_s: tuple[float, float] = (0.5, 5.0),
    ) -> None:
        """on_event: case number and result, called from the device thread, once for every `print`, in their order."""
        super().__init__(DeviceKind.A4, on_status, retry_s)
        self._config = config
        self._journal = journal
        self._on_event = on_event
        self._heartbeat_s = heartbeat_s
        self._poll_s = poll_s
        self._requests: queue.SimpleQueue[_Request] = queue.SimpleQueue()
        self._claim: socket.socket | None = None
        self._misses = 0

    def print(self, pdf: bytes, case_number: str, copy: int = 1) -> None:
        """Queues one document. While it cannot be printed the answer is BLOCKED, some seconds later at most."""
        self._requests.put(_Request(pdf, case_number, copy))
        self.attention.set()

    def open(self) -> None:
        """The queue for this program alone: the name of an abstract socket, free again whenever its owner ends."""
        self._claim = socket.socket(socket.AF_UNIX)
        try:
            self._claim.bind(f"\0{job_prefix(self._config)}")
        except OSError:
            raise DeviceLost("busy_queue") from None
        self._journal.settle_interrupted(_A4)

    def run(self) -> None:
        driver = PdfDriver(self._config, self._journal, self._standing_still, self.stopping, self._poll_s)
        while not self.stopping.is_set():
            if not self._print_next(driver):
                self._heartbeat(driver)
                self.pause(min(_MISS_S, self._heartbeat_s) if self._misses else self._heartbeat_s)

    def close(self) -> None:
        if self._claim:
            self._claim.close()
            self._claim = None
        while request := self._next_request():
            self._refuse(request)

    def _next_request(self) -> _Request | None:
        try:
            return self._requests.get_nowait()
        except queue.Empty:
            return None

    def _heartbeat(self, driver: PdfDriver) -> None:
        """Old jobs are taken back even while the printer is away, before it can return and print them."""
        clear = driver.clear(0)
        condition = driver.condition()
        if self.stopping.is_set():
            return
        self._misses = self._misses + 1 if condition.silent else 0
        if 0 < self._misses < _MISSES:
            return
        if condition.can_print and not clear:
            condition = Condition.OLD_JOB
        reason = "" if condition is Condition.OK else condition.value
        self.report(_STATES.get(condition, DeviceState.OFFLINE), reason)

    def _print_next(self, driver: PdfDriver) -> bool:
        """False: nobody waits. The document is let go of on return."""
        request = self._next_request()
        if request is None:
            return False
        self.report(DeviceState.BUSY)
        job = 0
        try:
            job = self._queue(request)
            result = driver.print_pdf(job, request.pdf)
        except Exception:
            outcome = PrintOutcome.UNKNOWN if driver.begun else PrintOutcome.BLOCKED
            self._on_event(request.case_number, PrintResult(job, outcome, "program_fault"))
            raise
        self._on_event(request.case_number, result)
        if result.outcome is PrintOutcome.PRINTED:
            driver.settle()
        return True

    def _refuse(self, request: _Request) -> None:
        """There is no way to print just now: nothing is sent, and whoever waits is told even if the journal fails."""
        job, reason = 0, "interrupted" if self.stopping.is_set() else self.status.reason
        try:
            job = self._queue(request)
            self._journal.end(job, PrintOutcome.BLOCKED, reason)
        finally:
            self._on_event(request.case_number, PrintResult(job, PrintOutcome.BLOCKED, reason))

    def _queue(self, request: _Request) -> int:
        digest = hashlib.sha256(request.pdf).hexdigest()
        return self._journal.queue(request.case_number, _A4, request.copy, digest, len(request.pdf))

    def _standing_still(self, cause: Condition) -> None:
        self.report(DeviceState.BUSY, "" if cause is Condition.OK else cause.value)
