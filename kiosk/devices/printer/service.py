"""The receipt printer as a supervised device: slips one after the other, and a heartbeat in between."""

from __future__ import annotations

import hashlib
import queue
from collections.abc import Callable
from dataclasses import dataclass, field

from kiosk.config import PrinterConfig
from kiosk.devices.printer import escpos
from kiosk.devices.printer.dialog import PrinterDialog
from kiosk.devices.printer.driver import SlipDriver
from kiosk.devices.printer.journal import PrintJournal
from kiosk.devices.printer.status import Condition
from kiosk.devices.serial_device import SerialDevice
from kiosk.domain.slip import PrintOutcome, PrintResult, Raster
from kiosk.domain.status import DeviceKind, DeviceState, DeviceStatus

_SLIP = "slip"


@dataclass(frozen=True, slots=True)
class _Request:
    raster: Raster = field(repr=False)
    case_number: str
    copy: int


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
        self._greeted = False
        self._after_unknown = False

    def print(self, raster: Raster, case_number: str, copy: int = 1) -> None:
        """Queues one slip. While the printer cannot be reached the answer is BLOCKED, some seconds later at most.

        Raises ValueError for a picture wider than the head.
        """
        if raster.width > self._config.width_dots:
            raise ValueError(f"a slip of {raster.width} dots does not fit a head of {self._config.width_dots}")
        self._requests.put(_Request(raster, case_number, copy))
        self.attention.set()

    def open(self) -> None:
        if self._journal.settle_interrupted():
            self._after_unknown = True
        super().open()

    def run(self) -> None:
        dialog = PrinterDialog(self.line, self.stopping)
        driver = SlipDriver(dialog, self._journal, self._config, self._standing_still)
        self._greeted = False
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

    def _next_request(self) -> _Request | None:
        try:
            return self._requests.get_nowait()
        except queue.Empty:
            return None

    def _heartbeat(self, dialog: PrinterDialog) -> None:
        condition = dialog.report().condition
        if self.stopping.is_set():
            return
        match condition:
            case Condition.OK:
                self.report(DeviceState.READY)
            case Condition.PAPER_LOW:
                self.report(DeviceState.DEGRADED, condition.value)
            case _:
                self.report(DeviceState.OFFLINE, condition.value)
        answers = condition not in (Condition.MUTE, Condition.WRONG_DEVICE)
        if answers and not self._greeted:  # after power-up some models report every change unasked
            dialog.send(escpos.AUTOMATIC_STATUS_OFF)
        self._greeted = answers

    def _print(self, driver: SlipDriver, request: _Request) -> None:
        self.report(DeviceState.BUSY)
        job = 0
        try:
            job = self._queue(request)
            result = driver.print_slip(job, request.raster, self._after_unknown)
        except Exception:
            self._after_unknown = True
            self._on_event(request.case_number, PrintResult(job, PrintOutcome.UNKNOWN, "program_fault"))
            raise
        if result.outcome is not PrintOutcome.BLOCKED:
            self._after_unknown = result.outcome is PrintOutcome.UNKNOWN
        self._on_event(request.case_number, result)

    def _refuse(self, request: _Request) -> None:
        """The printer cannot be reached: nothing is sent, and whoever waits is told even if the journal fails."""
        job, reason = 0, self.status.reason
        try:
            job = self._queue(request)
            self._journal.end(job, PrintOutcome.BLOCKED, reason)
        finally:
            self._on_event(request.case_number, PrintResult(job, PrintOutcome.BLOCKED, reason))

    def _queue(self, request: _Request) -> int:
        data = request.raster.data
        return self._journal.queue(request.case_number, _SLIP, request.copy, hashlib.sha256(data).hexdigest(), len(data))

    def _standing_still(self, cause: Condition) -> None:
        self.report(DeviceState.BUSY, "" if cause is Condition.OK else cause.value)
