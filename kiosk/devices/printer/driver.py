"""One slip from picture to proof. At most once: what cannot be proved is `unknown` and never sent again by itself."""

from __future__ import annotations

from kiosk.config import PrinterConfig
from kiosk.devices.printer import escpos
from kiosk.devices.printer.dialog import OnStop, PrinterDialog, Report
from kiosk.devices.printer.journal import PrintJournal
from kiosk.devices.printer.status import AnswerKind
from kiosk.devices.serial_line import LineLost
from kiosk.domain.slip import PrintOutcome, PrintResult, Raster


class SlipDriver:
    """Prints on one open line; the journal knows every step before it happens."""

    def __init__(self, dialog: PrinterDialog, journal: PrintJournal, config: PrinterConfig, on_stop: OnStop) -> None:
        self._dialog = dialog
        self._journal = journal
        self._config = config
        self._on_stop = on_stop

    def print_slip(self, job: int, raster: Raster, after_unknown: bool) -> PrintResult:
        """Sends the job's picture band by band and asks the printer whether it came out.

        after_unknown: the remains of the slip before may still be buffered or hang from the printer; they are
        dropped and cut off first. Never raises for what a printer or its line may do.
        """
        try:
            before = self._dialog.report()
        except LineLost as lost:
            return self._end(job, PrintOutcome.BLOCKED, lost.reason, lost.reason)
        if not before.condition.can_print:
            return self._end(job, PrintOutcome.BLOCKED, before.condition.value, before.evidence)
        self._journal.sending(job)
        try:
            if self._send(job, raster, after_unknown):
                return self._end(job, PrintOutcome.PRINTED, "", self._proof(job))
            after = self._dialog.report()
        except LineLost as lost:
            return self._end(job, PrintOutcome.UNKNOWN, lost.reason, lost.reason)
        return self._end(job, PrintOutcome.UNKNOWN, self._reason(after), after.evidence)

    def _send(self, job: int, raster: Raster, after_unknown: bool) -> bool:
        """True when the printer itself confirmed the end."""
        if after_unknown:
            self._dialog.send(escpos.CLEAR)
        start = escpos.START + (escpos.CUT if after_unknown else b"")
        return all(self._fenced(packet) for packet in (start, *escpos.packets(raster))) and self._cut_and_prove(job)

    def _fenced(self, packet: bytes) -> bool:
        return self._asked(packet + escpos.FENCE, AnswerKind.FENCE)

    def _cut_and_prove(self, job: int) -> bool:
        if not self._config.process_id:
            return self._fenced(escpos.CUT)
        request = escpos.process_id_request(_process_id(job))
        return self._asked(escpos.CUT + request, AnswerKind.PROCESS_ID, _process_id(job).encode("ascii"))

    def _asked(self, question: bytes, kind: AnswerKind, expected: bytes | None = None) -> bool:
        line_time = len(question) * 10 / self._config.baud  # 8N1
        patience = self._config.fence_patience_s
        return self._dialog.ask(question, kind, expected, line_time=line_time, patience=patience, on_stop=self._on_stop)

    def _proof(self, job: int) -> str:
        return f"process id {_process_id(job)}" if self._config.process_id else "fence after cut"

    def _reason(self, after: Report) -> str:
        if self._dialog.stopped:
            return "stopped"
        return "no_proof" if after.condition.can_print else after.condition.value

    def _end(self, job: int, outcome: PrintOutcome, reason: str, evidence: str) -> PrintResult:
        self._journal.end(job, outcome, evidence)
        return PrintResult(job, outcome, reason)


def _process_id(job: int) -> str:
    """0001 to 9999, so that the late answer of an earlier job proves nothing."""
    return f"{(job - 1) % 9999 + 1:04}"
