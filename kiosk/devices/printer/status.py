"""What a printer answers, taken apart. Pure; Epson's ESC/POS reference (DLE EOT, GS r, GS a, GS ( H), Custom's manuals."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum


class Condition(StrEnum):
    """One word for the whole printer; the value is the reason code of a DeviceStatus."""

    OK = "ok"
    PAPER_LOW = "paper_low"
    PAPER_OUT = "paper_out"
    PAPER_JAM = "paper_jam"
    COVER_OPEN = "cover_open"
    CUTTER_ERROR = "cutter_error"
    HEAD_FAULT = "head_fault"
    """Too hot, lifted, or fed the wrong voltage."""
    UNRECOVERABLE = "unrecoverable"
    """Only a power cycle or a technician helps."""
    FAULT = "fault"
    """Off-line for a cause the model does not name: head too hot, paper jam, feed button held."""
    TICKET_WAITING = "ticket_waiting"
    """The slip before hangs in the mouth."""
    NO_STATUS = "no_status"
    """The configuration says that this model never answers: nothing is known, now and later."""
    MUTE = "mute"
    """No answer: nothing is known."""
    WRONG_DEVICE = "wrong_device"
    """Answers that no printer of this profile gives: nothing is known."""

    @property
    def can_print(self) -> bool:
        return self in (Condition.OK, Condition.PAPER_LOW, Condition.NO_STATUS)

    @property
    def answered(self) -> bool:
        return self not in (Condition.NO_STATUS, Condition.MUTE, Condition.WRONG_DEVICE)


class AnswerKind(Enum):
    REAL_TIME = "DLE EOT"
    FENCE = "GS r"
    PROCESS_ID = "GS ( H"
    FULL_STATUS = "DLE EOT 20"
    """Custom's six bytes in one."""
    AUTOMATIC = "GS a"
    """Four bytes nobody asked for."""
    STRAY = "none of these"


@dataclass(frozen=True, slots=True)
class Answer:
    kind: AnswerKind
    data: bytes
    """The byte itself; of a process ID its four digits; of a full status paper, user, recoverable, unrecoverable."""


class AnswerParser:
    """Tells the answers in the byte stream apart by their fixed bits.

    Answers of several bytes come in one piece: taken apart, the inside of a process ID or of an automatic status
    would pass for the answer to a fence.
    """

    _PROCESS_ID_SIZE, _FULL_STATUS_SIZE, _AUTOMATIC_SIZE = 7, 6, 4

    def __init__(self, full_status: bool = False) -> None:
        """full_status: `10 0F` begins the block of a Custom printer, which otherwise may be an automatic status."""
        self._full_status = full_status
        self._pending = b""

    def feed(self, data: bytes) -> list[Answer]:
        self._pending += data
        answers = []
        while self._pending:
            size = self._size()
            if len(self._pending) < size:
                break
            block, self._pending = self._pending[:size], self._pending[size:]
            if block not in (b"\x11", b"\x13"):  # XON, XOFF of a printer set to that handshake
                answers.append(_classify(block))
        return answers

    def _size(self) -> int:
        """How many of the pending bytes belong together; more than there are when that cannot be told yet."""
        first, rest = self._pending[0], self._pending[1 : self._AUTOMATIC_SIZE]
        if first == 0x37:
            return self._PROCESS_ID_SIZE
        if self._full_status and first == 0x10 and rest[:1] in (b"", b"\x0f"):
            return self._FULL_STATUS_SIZE
        if _begins_automatic(first) and all(byte & 0x90 == 0 for byte in rest):
            return self._AUTOMATIC_SIZE
        return 1


def _begins_automatic(byte: int) -> bool:
    return byte & 0x93 == 0x10


def _classify(block: bytes) -> Answer:
    first = block[0]
    if first == 0x37:
        whole = block[1] == 0x22 and block[-1] == 0
        return Answer(AnswerKind.PROCESS_ID, block[2:6]) if whole else Answer(AnswerKind.STRAY, block)
    if len(block) == 6:
        return Answer(AnswerKind.FULL_STATUS, block[2:])
    if first & 0x13 == 0x12:  # bit 7 is 0 in the manuals, but some kiosk models use it
        return Answer(AnswerKind.REAL_TIME, block)
    if first & 0x90 == 0x00:
        return Answer(AnswerKind.FENCE, block)
    if _begins_automatic(first):
        return Answer(AnswerKind.AUTOMATIC, block)
    return Answer(AnswerKind.STRAY, block)
