"""CRT-310 V3 frames and single bytes of its talk: bytes in, values out. Vendor's protocol document V3.0.

    frame   02 | LenH LenL | CM PM [data] | 03 | BCC       Len counts CM PM data, BCC is the XOR of 02 … 03
    talk    host: frame → reader: 06 → host: 05 → reader executes and sends its reply frame with the same CM PM
    error   CM 4E, then the CM it is about and a reason
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum
from functools import reduce
from operator import xor

STX, ETX = 0x02, 0x03
SHORTEST, LONGEST = 2, 266
"""CM and PM, and up to 264 bytes of data."""
ERROR_CM = 0x4E


class Command(bytes, Enum):
    """CM PM."""

    RESET = b"\x30\x30"
    STATUS = b"\x31\x30"
    CLOSE_FRONT = b"\x2f\x31"
    """Followed by REAR_CLOSED."""
    OPEN_FRONT = b"\x2f\x33"
    """By the switch alone, as chip cards need it; followed by REAR_CLOSED."""
    TO_CONTACTS = b"\x32\x2f"
    EJECT = b"\x32\x30"
    """To the front, loose."""
    EJECT_HELD = b"\x32\x31"
    """To the front, held until somebody pulls."""
    POWER_OFF = b"\x33\x31"
    COLD_RESET = b"\x37\x30"
    WARM_RESET = b"\x37\x2f"
    APDU_T0 = b"\x37\x31"
    APDU_T1 = b"\x37\x32"


REAR_CLOSED = b"\x31"


class Result(IntEnum):
    """P, the first data byte of most replies."""

    OK = 0x59
    OK_T1 = 0x5A
    """At a reset: the card speaks T=1."""
    FAILED = 0x4E
    NO_CARD = 0x45
    WRONG_POSITION = 0x57


class CardPlace(IntEnum):
    """S1 of the status."""

    LONG_CARD = 0x46
    SHORT_CARD = 0x47
    FRONT = 0x48
    FRONT_HELD = 0x49
    INSIDE = 0x4A
    CONTACTS = 0x4B
    REAR_HELD = 0x4C
    CAPTURED = 0x4D
    NONE = 0x4E


class Front(IntEnum):
    """S2: by what the entry opens."""

    MAGNETIC = 0x49
    SWITCH = 0x4A
    MAGNETIC_SIGNAL = 0x4B
    CLOSED = 0x4E


class Rear(IntEnum):
    """S3."""

    OPEN = 0x4A
    CLOSED = 0x4E


class ErrorReason(IntEnum):
    UNKNOWN_COMMAND = 0x00
    BAD_PARAMETER = 0x01
    NOT_FITTED = 0x02
    BAD_DATA = 0x04
    SUPPLY = 0x05
    ABNORMAL_CARD = 0x06
    POWER_LOST = 0x07


class Control(IntEnum):
    CANCEL = 0x04
    ENQ = 0x05
    ACK = 0x06
    NAK = 0x15


class FrameFault(Enum):
    """Bytes that began like a frame and were none."""

    BCC = "bcc"
    LENGTH = "length"


@dataclass(frozen=True, slots=True)
class Status:
    """Raw bytes; undocumented values are possible."""

    place: int
    front: int
    rear: int


def encode_frame(body: bytes) -> bytes:
    """body: CM PM data."""
    counted = bytes((STX,)) + len(body).to_bytes(2, "big") + body + bytes((ETX,))
    return counted + bytes((bcc(counted),))


def bcc(counted: bytes | bytearray) -> int:
    """XOR of all bytes: of 02 … 03 the BCC, of 02 … BCC zero."""
    return reduce(xor, counted, 0)


def error_frame(cm: int, reason: int) -> bytes:
    return encode_frame(bytes((ERROR_CM, cm, reason)))


def error_reason(body: bytes, cm: int) -> int | None:
    """The reason, if the reply says that this command failed; may be undocumented."""
    return body[2] if len(body) == 3 and body[0] == ERROR_CM and body[1] == cm else None


def parse_status(data: bytes) -> Status | None:
    """data: after CM PM. None if it is no status."""
    return Status(*data) if len(data) == 3 else None


def with_length(apdu: bytes) -> bytes:
    """An APDU or an answer to reset with the two bytes of its length before it."""
    return len(apdu).to_bytes(2, "big") + apdu


def without_length(data: bytes) -> bytes | None:
    """None if the length does not match."""
    return data[2:] if len(data) >= 2 and int.from_bytes(data[:2], "big") == len(data) - 2 else None


Token = bytes | Control | FrameFault


class TalkParser:
    """Finds frames and single control bytes in a stream that may be cut anywhere and may hold noise.

    The length decides where a frame ends, for 03 occurs in data too. After a fault it looks on one byte later.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Token]:
        """Takes the next bytes; returns what they complete: bodies (CM PM data), controls and faults, in order."""
        self._buffer += data
        tokens: list[Token] = []
        while (token := self._next()) is not None:
            tokens.append(token)
        return tokens

    def _next(self) -> Token | None:
        while self._buffer and self._buffer[0] != STX:
            first = self._buffer.pop(0)
            if first in set(Control):
                return Control(first)
        if len(self._buffer) < 3:
            return None
        length = int.from_bytes(self._buffer[1:3], "big")
        if not SHORTEST <= length <= LONGEST:
            return self._drop(FrameFault.LENGTH)
        end = length + 5
        if len(self._buffer) < end:
            return None
        if self._buffer[end - 2] != ETX or bcc(self._buffer[:end]):
            return self._drop(FrameFault.BCC)
        body = bytes(self._buffer[3 : end - 2])
        del self._buffer[:end]
        return body

    def _drop(self, fault: FrameFault) -> FrameFault:
        del self._buffer[:1]
        return fault
