"""One slip from bytes to proof. At most once: what cannot be proved is `unknown` and never sent again by itself."""

from __future__ import annotations

import time
from collections.abc import Sequence

from kiosk.config import PrinterConfig
from kiosk.devices.print_journal import PrintJournal
from kiosk.devices.printer import escpos
from kiosk.devices.printer.dialog import OnStop, PrinterDialog, Report
from kiosk.devices.printer.profile import PROFILES, Proof
from kiosk.devices.printer.status import AnswerKind, Condition
from kiosk.devices.serial_line import LineLost
from kiosk.domain.slip import PrintOutcome, PrintResult

_BLIND_PACE_S = 0.5
"""A printer that never answers gets one packet in this time beyond the line's own: 400 dot lines at 100 mm/s."""


class SlipDriver:
    """Prints on one open line; the journal knows every step before it happens."""

    def __init__(self, dialog: PrinterDialog, journal: PrintJournal, config: PrinterConfig, on_stop: OnStop) -> None:
        self._dialog = dialog
        self._journal = journal
        self._config = config
        self._profile = PROFILES[config.profile]
        self._on_stop = on_stop
        self.begun = False
        """Bytes of a slip may have left, and its end is not in the journal yet."""

    def print_slip(self, job: int, packets: Sequence[bytes], after_unknown: bool) -> PrintResult:
        """Sends the job packet by packet and asks the printer whether it came out.

        after_unknown: the remains of the slip before may still be buffered or hang from the printer; they are
        dropped and cut off first. Never raises for what a printer or its line may do.
        """
        try:
            before = self._free_mouth()
        except LineLost as lost:
            return self._end(job, PrintOutcome.BLOCKED, lost.reason, lost.reason)
        hindrance = Condition.TICKET_WAITING if before.ticket_waits else before.condition
        if not hindrance.can_print:
            return self._end(job, PrintOutcome.BLOCKED, hindrance.value, before.evidence)
        self._journal.sending(job)
        self.begun = True
        try:
            if self._send(job, packets, after_unknown):
                return self._end(job, PrintOutcome.PRINTED, "", self._proof(job))
            after = self._dialog.report()
            if after.condition is not Condition.NO_STATUS:  # that one may still be printing
                self._dialog.send(escpos.CLEAR)  # fresh paper must not bring the rest out before the next person
        except LineLost as lost:
            return self._end(job, PrintOutcome.UNKNOWN, lost.reason, lost.reason)
        return self._end(job, PrintOutcome.UNKNOWN, self._reason(after), after.evidence)

    def _free_mouth(self) -> Report:
        """The printer's state; a slip left in the mouth is taken back where the model can, else waited for."""
        report = self._dialog.report()
        if report.ticket_waits:
            self._on_stop(Condition.TICKET_WAITING)
            self._dialog.send(self._profile.retract)
        give_up = time.monotonic() + self._config.fence_patience_s
        while report.ticket_waits and not self._dialog.stopped and time.monotonic() < give_up:
            report = self._dialog.report()
        return report

    def _send(self, job: int, packets: Sequence[bytes], after_unknown: bool) -> bool:
        """True when the printer itself confirmed the end."""
        cut_off = after_unknown and self._profile.proof is not Proof.NONE  # there every slip is unknown, and whole
        if after_unknown:
            self._dialog.send(escpos.CLEAR)
        start = escpos.START + (escpos.CUT if cut_off else b"")
        return all(self._fenced(packet) for packet in (start, *packets)) and self._cut_and_prove(job)

    def _fenced(self, packet: bytes) -> bool:
        if self._profile.proof is not Proof.NONE:
            return self._asked(packet + escpos.FENCE, AnswerKind.FENCE)
        self._dialog.send(packet)
        self._dialog.wait(self._line_time(packet) + _BLIND_PACE_S)
        return not self._dialog.stopped

    def _cut_and_prove(self, job: int) -> bool:
        end = escpos.CUT + self._profile.present
        if self._profile.proof is Proof.PROCESS_ID:
            digits = _process_id(job)
            return self._asked(end + escpos.process_id_request(digits), AnswerKind.PROCESS_ID, digits.encode("ascii"))
        return self._fenced(end) and self._profile.proof is Proof.FENCE and self._dialog.report().condition.can_print

    def _asked(self, question: bytes, kind: AnswerKind, expected: bytes | None = None) -> bool:
        patience = self._config.fence_patience_s
        line_time = self._line_time(question)
        return self._dialog.ask(question, kind, expected, line_time=line_time, patience=patience, on_stop=self._on_stop)

    def _line_time(self, data: bytes) -> float:
        return len(data) * 10 / self._config.baud  # 8N1

    def _proof(self, job: int) -> str:
        proof = self._profile.proof
        return f"{proof.value} {_process_id(job)}" if proof is Proof.PROCESS_ID else proof.value

    def _reason(self, after: Report) -> str:
        if self._dialog.stopped:
            return "stopped"
        proved_nothing = after.condition.can_print and after.condition.answered
        return "no_proof" if proved_nothing else after.condition.value

    def _end(self, job: int, outcome: PrintOutcome, reason: str, evidence: str) -> PrintResult:
        self._journal.end(job, outcome, evidence)
        self.begun = False
        return PrintResult(job, outcome, reason)


def _process_id(job: int) -> str:
    """0001 to 9999, so that the late answer of an earlier job proves nothing."""
    return f"{(job - 1) % 9999 + 1:04}"
