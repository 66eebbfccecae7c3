"""The receipt printer as a supervised device: slips one after the other, and a heartbeat in between."""

from __future__ import annotations

import hashlib
import queue
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from kiosk.config import PrinterConfig
from kiosk.devices.cabling import WRONGLY_CABLED
from kiosk.devices.print_journal import PrintJournal
from kiosk.devices.printer import escpos, text_mode
from kiosk.devices.printer.dialog import PrinterDialog, Report
from kiosk.devices.printer.driver import SlipDriver
from kiosk.devices.printer.profile import PROFILES
from kiosk.devices.printer.status import Condition
from kiosk.devices.serial_device import SerialDevice
from kiosk.devices.service import DeviceLost
from kiosk.domain.slip import Printable, PrintOutcome, PrintResult, TextSlip
from kiosk.domain.status import DeviceKind, DeviceState, DeviceStatus

_SLIP = "slip"
_THRICE = 3


@dataclass(frozen=True, slots=True)
class _Request:
    slip: Printable = field(repr=False)
    case_number: str
    copy: int

    def packets(self) -> list[bytes]:
        return text_mode.packets(self.slip) if isinstance(self.slip, TextSlip) else escpos.packets(self.slip)


class PrinterService(SerialDevice):
    """READY only while the printer answers that it can print; `print` may be called from any thread at any time."""

    def __init__(
        self,
        config: PrinterConfig,
        journal: PrintJournal,
        on_event: Callable[[str, PrintResult], None],
        on_status: Callable[[DeviceStatus], None],
        *,
        heartbeat_s: float = 2.0,
        retry_s: tuple[float, float] = (0.5, 5.0),
    ) -> None:
        """on_event: case number and result, called from the device thread, once for every `print`, in their order."""
        super().__init__(DeviceKind.PRINTER, config.port, config.baud, on_status, retry_s)
        self._config = config
        self._journal = journal
        self._on_event = on_event
        self._heartbeat_s = heartbeat_s
        self._requests: queue.SimpleQueue[_Request] = queue.SimpleQueue()
        self._profile = PROFILES[config.profile]
        self._greeted = False
        self._unproved = 0
        """Heartbeats in a row without a printer's answer."""
        self._known = False
        """A printer has answered since the port last vanished."""
        self._ticket_since: float | None = None
        """When the slip that hangs in the mouth was first seen there."""

    def print(self, slip: Printable, case_number: str, copy: int = 1) -> None:
        """Queues one slip. While the printer cannot be reached the answer is BLOCKED, some seconds later at most.

        Raises ValueError for a slip wider than the head.
        """
        if slip.width > self._config.width_dots:
            raise ValueError(f"a slip of {slip.width} dots does not fit a head of {self._config.width_dots}")
        self._requests.put(_Request(slip, case_number, copy))
        self.attention.set()

    def open(self) -> None:
        self._journal.settle_interrupted(_SLIP)
        super().open()

    def run(self) -> None:
        dialog = PrinterDialog(self.line, self.stopping, self._profile)
        driver = SlipDriver(dialog, self._journal, self._config, self._standing_still)
        self._greeted, self._unproved = False, 0
        while not self.stopping.is_set():
            if request := self._next_request():
                self._print(driver, request)
            else:
                self._heartbeat(dialog)
                self.pause(self._heartbeat_s)

    def close(self) -> None:
        super().close()
        while request := self._next_request():
            self._refuse(request)

    def explain(self, reason: str) -> str:
        """A printer that has fallen silent is not asked as if it were another device: it might print the questions."""
        self._known = self._known and reason in WRONGLY_CABLED
        return reason if self._known and reason == Condition.MUTE.value else super().explain(reason)

    def _next_request(self) -> _Request | None:
        try:
            return self._requests.get_nowait()
        except queue.Empty:
            return None

    def _heartbeat(self, dialog: PrinterDialog) -> None:
        report = dialog.report()
        condition = report.condition
        if self.stopping.is_set():
            return
        if not condition.can_print:
            self.report(DeviceState.OFFLINE, condition.value)
        elif self._ticket_forgotten(report):
            dialog.send(self._profile.retract)
            self.report(DeviceState.DEGRADED, Condition.TICKET_WAITING.value)
        elif condition is Condition.OK:
            self.report(DeviceState.READY)
        else:
            self.report(DeviceState.DEGRADED, condition.value)
        if condition.answered and not self._greeted:
            dialog.send(escpos.START)  # after power-up some models report every change unasked
        self._greeted = condition.answered
        self._known = self._known or condition.answered
        self._unproved = self._unproved + 1 if condition.value in WRONGLY_CABLED else 0
        if self._unproved >= _THRICE:
            raise DeviceLost(condition.value)  # closed and opened again; in between somebody looks who is there

    def _ticket_forgotten(self, report: Report) -> bool:
        """The slip has been in the mouth for longer than a person needs to take it."""
        if not report.ticket_waits:
            self._ticket_since = None
            return False
        self._ticket_since = self._ticket_since or time.monotonic()
        return time.monotonic() - self._ticket_since > self._config.ticket_left_s

    def _print(self, driver: SlipDriver, request: _Request) -> None:
        self.report(DeviceState.BUSY)
        job = 0
        try:
            packets = request.packets()
            after_unknown = self._journal.last_is_unknown(_SLIP)
            job = self._queue(request, packets)
            result = driver.print_slip(job, packets, after_unknown)
        except Exception:
            outcome = PrintOutcome.UNKNOWN if driver.begun else PrintOutcome.BLOCKED
            self._ticket_since = None
            self._on_event(request.case_number, PrintResult(job, outcome, "program_fault"))
            raise
        if result.outcome is not PrintOutcome.BLOCKED:
            self._ticket_since = None  # what hangs there now is another person's
        self._on_event(request.case_number, result)

    def _refuse(self, request: _Request) -> None:
        """The printer cannot be reached: nothing is sent, and whoever waits is told even if the journal fails."""
        job, reason = 0, "interrupted" if self.stopping.is_set() else self.status.reason
        try:
            job = self._queue(request, request.packets())
            self._journal.end(job, PrintOutcome.BLOCKED, reason)
        finally:
            self._on_event(request.case_number, PrintResult(job, PrintOutcome.BLOCKED, reason))

    def _queue(self, request: _Request, packets: list[bytes]) -> int:
        data = b"".join(packets)
        return self._journal.queue(request.case_number, _SLIP, request.copy, hashlib.sha256(data).hexdigest(), len(data))

    def _standing_still(self, cause: Condition) -> None:
        self.report(DeviceState.BUSY, "" if cause is Condition.OK else cause.value)
