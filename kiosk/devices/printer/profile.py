"""What the makes of receipt printers do differently, as data. Sources: Epson's ESC/POS reference; manuals of SNBC BT-T080,
Equip 351006, Custom KPM210 / KPM150H / KPM300 and the public libraries for Custom and Pyramid printers.

No printer of these makes has been touched: a model is proved on the bench by `kiosk print test`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from kiosk.config import PrinterModel
from kiosk.devices.printer.escpos import full_status_query, status_query
from kiosk.devices.printer.status import Answer, AnswerKind, Condition

Finding = tuple[int, int, Condition]
"""Which of the four status bytes (from 0), the bits that must all be set in it, and what that means."""


class Proof(Enum):
    """What ends a slip as `printed`."""

    PROCESS_ID = "process id"
    """The printer's own word that everything before it is on paper."""
    FENCE = "fence after cut"
    """Everything has been taken out of the buffer, and the status afterwards knows of no fault. Weaker."""
    NONE = "no status"


@dataclass(frozen=True, slots=True)
class Profile:
    """The status of a printer is four bytes: the answers to DLE EOT 1-4, or the inside of Custom's full status."""

    proof: Proof
    queries: tuple[bytes, ...]
    answers: AnswerKind
    findings: tuple[Finding, ...]
    """Worst first."""
    ticket: tuple[bytes, bytes] | None = None
    """Mask over the status and what it leaves while a slip hangs in the mouth; None where the model cannot tell."""
    present: bytes = b""
    """Follows the cut: hands the slip out."""
    retract: bytes = b""
    """Takes a slip that nobody took back into the machine."""

    def condition(self, answers: Sequence[Answer | None]) -> Condition:
        """answers: one for each of `queries`, None where nothing came. The worst word that is true wins."""
        if not self.queries:
            return Condition.NO_STATUS
        known = [answer for answer in answers if answer is not None]
        if any(answer.kind is not self.answers for answer in known):
            return Condition.WRONG_DEVICE
        if len(known) < len(self.queries):
            return Condition.MUTE
        return self._worst(_status(known))

    def ticket_waits(self, answers: Sequence[Answer | None]) -> bool:
        """A slip hangs in the mouth. answers: as for `condition`."""
        if self.ticket is None or not self.condition(answers).answered:
            return False
        mask, waiting = self.ticket
        status = _status([answer for answer in answers if answer is not None])
        return bytes(one & part for one, part in zip(status, mask, strict=True)) == waiting

    @property
    def stop_query(self) -> bytes:
        """Asks why a slip that was running stands still."""
        return self.queries[min(1, len(self.queries) - 1)]

    def stop_cause(self, answer: Answer) -> Condition:
        """The answer to `stop_query`; OK when the printer names no cause."""
        only_second = len(self.queries) > 1
        cause = self._worst(b"\x00" + answer.data + b"\x00\x00" if only_second else answer.data)
        return Condition.OK if cause.can_print else cause

    def _worst(self, status: bytes) -> Condition:
        return next((condition for at, bits, condition in self.findings if status[at] & bits == bits), Condition.OK)


def _status(answers: Sequence[Answer]) -> bytes:
    return b"".join(answer.data for answer in answers)


_DLE_EOT: Final = tuple(status_query(n) for n in (1, 2, 3, 4))
_HARD: Final[tuple[Finding, ...]] = (
    (2, 0x20, Condition.UNRECOVERABLE),
    (2, 0x08, Condition.CUTTER_ERROR),
    (1, 0x04, Condition.COVER_OPEN),
    (1, 0x20, Condition.PAPER_OUT),
    (3, 0x60, Condition.PAPER_OUT),
)
_SOFT: Final[tuple[Finding, ...]] = (
    (0, 0x08, Condition.FAULT),
    (1, 0x40, Condition.FAULT),
    (2, 0x04, Condition.FAULT),
    (2, 0x40, Condition.FAULT),
    (3, 0x0C, Condition.PAPER_LOW),
)
_FULL_STATUS: Final[tuple[Finding, ...]] = (  # paper, user, recoverable, unrecoverable
    (3, 0x04, Condition.UNRECOVERABLE),  # RAM
    (3, 0x08, Condition.UNRECOVERABLE),  # EEPROM
    (3, 0x01, Condition.CUTTER_ERROR),
    (3, 0x02, Condition.COVER_OPEN),  # of the cutter
    (1, 0x02, Condition.COVER_OPEN),
    (1, 0x01, Condition.COVER_OPEN),  # head up
    (0, 0x01, Condition.PAPER_OUT),
    (2, 0x40, Condition.PAPER_JAM),
    (2, 0x01, Condition.HEAD_FAULT),  # hot
    (2, 0x08, Condition.HEAD_FAULT),  # voltage
    (2, 0x02, Condition.FAULT),  # line
    (2, 0x20, Condition.FAULT),  # command not acknowledged
    (2, 0x80, Condition.FAULT),  # black mark
    (0, 0x04, Condition.PAPER_LOW),
    (0, 0x40, Condition.PAPER_LOW),  # virtual end: by the printer's own count
)
_MOUTH_BIT: Final = (b"\x80\x80\x80\x80", b"\x80\x00\x00\x00")
"""Bit 7 of DLE EOT 1 alone; firmwares that set it in every answer mean nothing by it."""

PROFILES: Final = {
    PrinterModel.EPSON: Profile(Proof.PROCESS_ID, _DLE_EOT, AnswerKind.REAL_TIME, (*_HARD, *_SOFT)),
    PrinterModel.SNBC: Profile(
        Proof.FENCE, _DLE_EOT, AnswerKind.REAL_TIME,
        (*_HARD, (2, 0x04, Condition.PAPER_JAM), (2, 0x40, Condition.HEAD_FAULT), *_SOFT),
    ),
    PrinterModel.CUSTOM: Profile(
        Proof.FENCE, (full_status_query(),), AnswerKind.FULL_STATUS, _FULL_STATUS,
        ticket=(b"\x20\x00\x00\x00", b"\x20\x00\x00\x00"), present=b"\x1de\x03\x0c", retract=b"\x1de\x02",
    ),
    PrinterModel.CLONE: Profile(Proof.FENCE, _DLE_EOT, AnswerKind.REAL_TIME, (*_HARD, *_SOFT), ticket=_MOUTH_BIT),
    PrinterModel.MUTE: Profile(Proof.NONE, (), AnswerKind.STRAY, ()),
}
