"""What a printer answers, decoded. Pure; Epson's ESC/POS reference (DLE EOT, GS r, GS ( H), and the clones' manuals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum


class Condition(StrEnum):
    """One word for the whole printer; the value is the reason code of a DeviceStatus."""

    OK = "ok"
    PAPER_LOW = "paper_low"
    PAPER_OUT = "paper_out"
    COVER_OPEN = "cover_open"
    CUTTER_ERROR = "cutter_error"
    UNRECOVERABLE = "unrecoverable"
    """Only a power cycle or a technician helps."""
    FAULT = "fault"
    """Off-line for another cause: head too hot, paper jam, feed button held."""
    MUTE = "mute"
    """No answer: nothing is known."""
    WRONG_DEVICE = "wrong_device"
    """Answers that no ESC/POS printer gives: nothing is known."""

    @property
    def can_print(self) -> bool:
        return self in (Condition.OK, Condition.PAPER_LOW)


class AnswerKind(Enum):
    REAL_TIME = "DLE EOT"
    FENCE = "GS r"
    PROCESS_ID = "GS ( H"
    AUTOMATIC = "GS a"
    """First byte of an unasked status; its other three look like a fence."""
    STRAY = "none of these"


@dataclass(frozen=True, slots=True)
class Answer:
    kind: AnswerKind
    data: bytes
    """The byte itself; of a process ID its four digits."""


class AnswerParser:
    """Tells the answers in the byte stream apart by their fixed bits. A process ID is seven bytes in one piece."""

    _PROCESS_ID_SIZE = 7

    def __init__(self) -> None:
        self._pending = b""

    def feed(self, data: bytes) -> list[Answer]:
        self._pending += data
        answers = []
        while self._pending:
            size = self._PROCESS_ID_SIZE if self._pending[0] == 0x37 else 1
            if len(self._pending) < size:
                break
            answers.append(_classify(self._pending[:size]))
            self._pending = self._pending[size:]
        return answers


def _classify(block: bytes) -> Answer:
    if len(block) > 1:
        whole = block[1] == 0x22 and block[-1] == 0
        return Answer(AnswerKind.PROCESS_ID, block[2:6]) if whole else Answer(AnswerKind.STRAY, block)
    byte = block[0]
    if byte & 0x13 == 0x12:  # bit 7 is 0 in the manuals, but some kiosk models use it
        return Answer(AnswerKind.REAL_TIME, block)
    if byte & 0x90 == 0x00:
        return Answer(AnswerKind.FENCE, block)
    if byte & 0x93 == 0x10:
        return Answer(AnswerKind.AUTOMATIC, block)
    return Answer(AnswerKind.STRAY, block)


def decode(answers: Sequence[Answer | None]) -> Condition:
    """answers: to DLE EOT 1, 2, 3, 4; None where nothing came. The worst word that is true wins."""
    known = [answer for answer in answers if answer is not None]
    if any(answer.kind is not AnswerKind.REAL_TIME for answer in known):
        return Condition.WRONG_DEVICE
    if len(known) < 4:
        return Condition.MUTE
    printer, offline, error, paper = (answer.data[0] for answer in known)
    findings = (
        (error & 0x20, Condition.UNRECOVERABLE),
        (error & 0x08, Condition.CUTTER_ERROR),
        (offline & 0x04, Condition.COVER_OPEN),
        (offline & 0x20 or paper & 0x60 == 0x60, Condition.PAPER_OUT),
        (printer & 0x08 or offline & 0x40 or error & 0x44, Condition.FAULT),
        (paper & 0x0C == 0x0C, Condition.PAPER_LOW),
    )
    return next((condition for found, condition in findings if found), Condition.OK)


def stop_cause(answer: Answer) -> Condition:
    """From DLE EOT 2 alone: why a slip that was running stands still. OK when the printer names no cause."""
    byte = answer.data[0]
    findings = ((0x04, Condition.COVER_OPEN), (0x20, Condition.PAPER_OUT), (0x40, Condition.FAULT))
    return next((condition for bit, condition in findings if byte & bit), Condition.OK)
