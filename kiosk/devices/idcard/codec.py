"""SAM_V frames: bytes in, values out. Serial protocol of the identity-card security module (SAM_V).

    request   AA AA AA 96 69 | LenH LenL | CMD PARA [data]      | CHK
    answer    AA AA AA 96 69 | LenH LenL | SW1 SW2 SW3 [data]   | CHK

Len is big-endian and counts every byte after it, CHK included; CHK makes the XOR of LenH … CHK zero.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from functools import reduce
from operator import xor

HEADER = bytes.fromhex("AAAAAA9669")
LONGEST = 4096
"""Upper bound of Len; more is noise, not a frame."""


class Command(bytes, Enum):
    """CMD PARA. `READ_WITH_FINGERPRINT` exists so that it can be recognised; the kiosk never sends it."""

    RESET = b"\x10\xff"
    STATUS = b"\x11\xff"
    SAM_ID = b"\x12\xff"
    FIND = b"\x20\x01"
    SELECT = b"\x20\x02"
    READ = b"\x30\x01"
    READ_NEW_ADDRESS = b"\x30\x03"
    READ_WITH_FINGERPRINT = b"\x30\x10"


class Sw3(IntEnum):
    """The third status byte, which decides. Success is FOUND for *find* and OK for everything else."""

    HOST_CHECKSUM = 0x10
    HOST_LENGTH = 0x11
    UNKNOWN_COMMAND = 0x21
    NOT_ALLOWED_NOW = 0x23
    UNRECOGNISED_ERROR = 0x24
    CARD_REJECTS_SAM = 0x31
    SAM_REJECTS_CARD = 0x32
    VERIFICATION_FAILED = 0x33
    UNKNOWN_CARD_TYPE = 0x40
    READ_FAILED = 0x41
    RANDOM_FAILED = 0x47
    SELF_TEST_FAILED = 0x60
    SAM_NOT_AUTHORISED = 0x66
    NO_CARD = 0x80
    SELECT_FAILED = 0x81
    OK = 0x90
    NO_CONTENT = 0x91
    """Success, the card just has no such content."""
    FOUND = 0x9F


class FrameFault(Enum):
    """Bytes that began like a frame and were none."""

    CHECKSUM = "checksum"
    LENGTH = "length"


@dataclass(frozen=True, slots=True)
class Answer:
    """sw3 may hold undocumented values, hence an int to compare with Sw3."""

    sw3: int
    data: bytes = field(default=b"", repr=False)


_SHORT, _RECORD = range(16), range(260, LONGEST)
_GOOD_SIZES = {
    Command.RESET: _SHORT,
    Command.STATUS: _SHORT,
    Command.SELECT: _SHORT,
    Command.SAM_ID: range(16, 17),
    Command.READ: _RECORD,
    Command.READ_WITH_FINGERPRINT: _RECORD,
    Command.READ_NEW_ADDRESS: range(17, 260),
}
"""Bytes of data in an answer with OK: wide enough for modules that differ, narrow enough to tell commands apart."""


def answers(command: Command, answer: Answer) -> bool:
    """Whether this can be the answer to that command. A late answer to an earlier one mostly cannot."""
    match answer.sw3:
        case Sw3.FOUND:
            return command is Command.FIND
        case Sw3.NO_CONTENT:
            return command is Command.READ_NEW_ADDRESS
        case Sw3.OK:
            return len(answer.data) in _GOOD_SIZES.get(command, ())
        case _:
            return True


def encode_frame(body: bytes) -> bytes:
    """Puts header, length and checksum around CMD PARA [data] or SW1 SW2 SW3 [data]."""
    counted = struct.pack(">H", len(body) + 1) + body
    return HEADER + counted + bytes([checksum(counted)])


def checksum(counted: bytes | bytearray) -> int:
    """XOR of all bytes: of LenH … last data byte the CHK, of LenH … CHK zero."""
    return reduce(xor, counted, 0)


def parse_answer(body: bytes) -> Answer:
    """body: at least three bytes, as FrameParser(shortest=4) delivers them."""
    return Answer(body[2], body[3:])


def format_sam_id(data: bytes) -> str:
    """The module's own number as printed on it, e.g. 05.03-20230101-0012345678-0987654321.

    Raises ValueError if there are not 16 bytes.
    """
    if len(data) != 16:
        raise ValueError("a SAM id has 16 bytes")
    return "{:02d}.{:02d}-{:08d}-{:010d}-{:010d}".format(*struct.unpack("<HHIII", data))


class FrameParser:
    """Finds frames in a stream that may be cut anywhere and may hold noise. After a fault it looks on one byte later."""

    def __init__(self, shortest: int = 4) -> None:
        """shortest: smallest Len taken for a frame; 4 for answers, 3 for requests."""
        self._shortest = shortest
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[bytes | FrameFault]:
        """Takes the next bytes; returns the bodies (without header, Len, CHK) and faults completed by them, in order."""
        self._buffer += data
        results: list[bytes | FrameFault] = []
        while (result := self._next()) is not None:
            results.append(result)
        return results

    def _next(self) -> bytes | FrameFault | None:
        start = self._buffer.find(HEADER)
        if start < 0:
            del self._buffer[: -(len(HEADER) - 1)]  # a header may have begun
            return None
        del self._buffer[:start]
        if len(self._buffer) < len(HEADER) + 2:
            return None
        length = int.from_bytes(self._buffer[5:7], "big")
        if not self._shortest <= length <= LONGEST:
            return self._drop(FrameFault.LENGTH)
        if len(self._buffer) < 7 + length:
            return None
        if checksum(self._buffer[5 : 7 + length]):
            return self._drop(FrameFault.CHECKSUM)
        body = bytes(self._buffer[7 : 6 + length])
        del self._buffer[: 7 + length]
        return body

    def _drop(self, fault: FrameFault) -> FrameFault:
        del self._buffer[:1]
        return fault
