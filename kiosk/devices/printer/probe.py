"""What a printer at an open port answers: facts for a technician, and the profile they speak for."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass

from kiosk.config import PrinterModel
from kiosk.devices.printer import escpos
from kiosk.devices.printer.dialog import PrinterDialog, Report
from kiosk.devices.printer.profile import PROFILES
from kiosk.devices.printer.status import AnswerKind, Condition
from kiosk.devices.serial_line import SerialLine

_PATIENCE_S = 2.0
_DIGITS = "9999"


@dataclass(frozen=True, slots=True)
class Probed:
    """fence, process_id: None where it was not asked, because a printer that is off-line does not answer in order."""

    status: Report
    full_status: Report
    fence: bool | None
    process_id: bool | None

    @property
    def fits(self) -> PrinterModel | None:
        """The profile that claims no more than the answers show; None where only a question not asked would tell.

        SNBC answers as the clones do.
        """
        if self.full_status.condition.answered:
            return PrinterModel.CUSTOM
        if not self.status.condition.answered:
            return PrinterModel.MUTE
        if self.process_id is None:
            return None
        return PrinterModel.EPSON if self.process_id else PrinterModel.CLONE

    def lines(self) -> Iterator[str]:
        yield f"DLE EOT 1-4  {self.status.evidence}  {self.status.condition.value}"
        yield f"DLE EOT 20   {self.full_status.evidence}"
        for name, answered in (("GS r 1", self.fence), ("GS ( H", self.process_id)):
            yield f"{name:12} {'not asked' if answered is None else 'answered' if answered else '--'}"


def probe(line: SerialLine, stop: threading.Event) -> Probed:
    """Takes some seconds. Nothing is printed, except by a device that is no printer. Raises LineLost."""
    dialog = PrinterDialog(line, stop, PROFILES[PrinterModel.CLONE])
    status = dialog.report()
    full_status = PrinterDialog(line, stop, PROFILES[PrinterModel.CUSTOM]).report()
    if not (status.condition.answered and status.condition.can_print):
        return Probed(status, full_status, None, None)
    dialog.send(escpos.START)
    fence = _answers(dialog, escpos.FENCE, AnswerKind.FENCE, None)
    process_id = _answers(dialog, escpos.process_id_request(_DIGITS), AnswerKind.PROCESS_ID, _DIGITS.encode("ascii"))
    return Probed(status, full_status, fence, process_id)


def _answers(dialog: PrinterDialog, question: bytes, kind: AnswerKind, expected: bytes | None) -> bool:
    return dialog.ask(question, kind, expected, line_time=0.0, patience=_PATIENCE_S, on_stop=_ignore)


def _ignore(cause: Condition) -> None:
    """The answer alone counts here."""
