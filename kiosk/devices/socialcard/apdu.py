"""Commands to the card and the meaning of its status words. Pure; 社会保障（个人）卡规范 part 5, ISO 7816-4.

There is deliberately no way here to build a VERIFY with a password or an EXTERNAL AUTHENTICATE.
"""

from __future__ import annotations

from enum import Enum

SSSE = "sx1.sh.社会保障".encode("gbk")
"""Name of the directory that makes a chip a social security card."""
PIN_QUERY = bytes.fromhex("0020000000")
"""VERIFY without a password: how many tries are left. The counter stays as it is."""

OK = 0x9000
_STATE = frozenset({0x6901, 0x6981, 0x6985, 0x6986})
_WAY = frozenset({0x6A80, 0x6A86, 0x6B00})
_LOCKED = frozenset({0x6A81, 0x6983, 0x9303})
_ABSENT = frozenset({0x6A82, 0x6A83, 0x6A88})
_PROTECTED = 0x6982


class Meaning(Enum):
    """What the reader makes of a status word."""

    OK = "ok"
    PROTECTED = "protected"
    """Only for authorised readers; asking again changes nothing."""
    ABSENT = "absent"
    """No such file or record."""
    OTHER_WAY = "other_way"
    """The card wants to be asked with other parameters."""
    STATE = "state"
    """Selecting anew may help."""
    LOCKED = "locked"
    FAULT = "fault"


def meaning(sw: int) -> Meaning:
    """sw: SW1 SW2 after 61xx and 6Cxx have been dealt with."""
    if sw == OK:
        return Meaning.OK
    if sw == _PROTECTED:
        return Meaning.PROTECTED
    for words, found in (
        (_ABSENT, Meaning.ABSENT), (_WAY, Meaning.OTHER_WAY), (_STATE, Meaning.STATE), (_LOCKED, Meaning.LOCKED)
    ):
        if sw in words:
            return found
    return Meaning.FAULT


def select_name(name: bytes) -> bytes:
    return bytes((0x00, 0xA4, 0x04, 0x00, len(name))) + name


def select_file(file: int, p1: int) -> bytes:
    """An elementary file under the current directory. p1: 02 by the standard, 00 for cards that know only that."""
    return bytes((0x00, 0xA4, p1, 0x00, 0x02)) + file.to_bytes(2, "big")


def read_record(tag: int, size: int) -> bytes:
    """The first record with this identifier. size: of the whole record, tag and length included."""
    return bytes((0x00, 0xB2, tag, 0x00, size))


def read_all_records(size: int) -> bytes:
    """Every record of the current file from number 1 on. size: of the whole file."""
    return bytes((0x00, 0xB2, 0x01, 0x05, size))


def get_response(size: int) -> bytes:
    return bytes((0x00, 0xC0, 0x00, 0x00, size))


def with_le(apdu: bytes, le: int) -> bytes:
    """The same command, asking for `le` bytes."""
    if len(apdu) <= 4:
        return apdu + bytes((le,))
    if len(apdu) == 5 or len(apdu) == 6 + apdu[4]:  # the last byte is an Le already
        return apdu[:-1] + bytes((le,))
    return apdu + bytes((le,))


def tries_left(sw: int) -> int | None:
    """x of 63Cx, else None."""
    return sw & 0x0F if sw & 0xFFF0 == 0x63C0 else None
