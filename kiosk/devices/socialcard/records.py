"""The records of EF05 and EF06: tag, length, value, and every oddity of the values. Pure; 人社信息函〔2012〕37号.

    cn  BCD, padded with F on the right      an  ASCII or GBK, padded with 00 or spaces on the right
    all bytes FF: never personalised, which is None and not text
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from kiosk.domain.social_card import CardItem

_EARLIEST = 1900
_CONTROLS = (*range(0x20), *range(0x7F, 0xA0))
"""isprintable would also refuse the private-use characters that old cards have for rare names."""


@dataclass(frozen=True, slots=True)
class Place:
    """A record's identifier and the length of its value."""

    tag: int
    length: int

    @property
    def size(self) -> int:
        return 2 + self.length


@dataclass(frozen=True, slots=True)
class CardFile:
    """An elementary file. `places` are in the order in which they are read."""

    number: int
    places: dict[CardItem, Place]

    @property
    def size(self) -> int:
        return sum(place.size for place in self.places.values())


EF05 = CardFile(0xEF05, {
    CardItem.CARD_ID: Place(0x01, 0x10),
    CardItem.VERSION: Place(0x03, 0x04),
    CardItem.CARD_NUMBER: Place(0x07, 0x09),
    CardItem.CARD_CLASS: Place(0x02, 0x01),
    CardItem.ISSUER: Place(0x04, 0x0C),
    CardItem.ISSUED: Place(0x05, 0x04),
    CardItem.VALID_UNTIL: Place(0x06, 0x04),
})
EF06 = CardFile(0xEF06, {
    CardItem.NUMBER: Place(0x08, 0x12),
    CardItem.NAME: Place(0x09, 0x1E),
    CardItem.NAME_MORE: Place(0x4E, 0x14),
    CardItem.SEX: Place(0x0A, 0x01),
    CardItem.NATION_CODE: Place(0x0B, 0x01),
    CardItem.BIRTH_PLACE: Place(0x0C, 0x03),
    CardItem.BIRTH: Place(0x0D, 0x04),
})


class RecordError(ValueError):
    """Tag or length contradict the bytes. The message never repeats them."""


def split_records(data: bytes) -> dict[int, bytes]:
    """Tag → value of records that follow each other without a gap; of a repeated tag the first counts.

    Raises RecordError unless they fill the bytes exactly.
    """
    records: dict[int, bytes] = {}
    at = 0
    while at < len(data):
        start = at + 2
        if start > len(data) or start + data[at + 1] > len(data):
            raise RecordError("a record is longer than the answer")
        at, tag = start + data[at + 1], data[at]
        records.setdefault(tag, data[start:at])
    return records


def single_record(data: bytes, tag: int) -> bytes:
    """The value of the only record in an answer. Raises RecordError if it is not that one."""
    records = split_records(data)
    if list(records) != [tag] or len(data) != 2 + len(records[tag]):
        raise RecordError("the answer is not the record asked for")
    return records[tag]


def code(value: bytes) -> str | None:
    """An identification code: hexadecimal digits, padding included, because FFFFFFFF stands for no authentication code."""
    return None if _blank(value) else value.hex().upper()


def digits(value: bytes) -> str | None:
    """BCD without its padding; None for anything that is no number."""
    text = value.hex().upper().rstrip("F")
    return text if text.isdigit() else None


def text(value: bytes) -> str | None:
    """One line of printable text; None if it is empty or not decodable."""
    return None if _blank(value) else _decoded(_stripped(value))


def name(first: bytes, more: bytes = b"") -> str | None:
    """姓名 and 姓名扩展, decoded together: a character may begin in one and end in the other."""
    if _blank(first):
        return None
    return _decoded(_stripped(first) + (b"" if _blank(more) else _stripped(more)))


def date(value: bytes) -> dt.date | int | None:
    """BCD yyyymmdd, or the year alone in ASCII as cards of 2012 have it; else None.

    The two cannot be confused: an ASCII digit is no month in BCD.
    """
    if len(value) != 4:
        return None
    if value.isdigit():
        year = int(value)
        return year if year >= _EARLIEST else None
    found = digits(value) or ""
    try:
        day = dt.date(int(found[:4]), int(found[4:6]), int(found[6:]))
    except ValueError:
        return None
    return day if day.year >= _EARLIEST else None


def version(value: bytes) -> str | None:
    """规范版本, forms seen: 2.0 and 3.00; None unless it begins with a digit."""
    found = text(value)
    return found if found and found[0].isascii() and found[0].isdigit() else None


def _blank(value: bytes) -> bool:
    return value.strip(b"\xff") == b""


def _stripped(value: bytes) -> bytes:
    return value.rstrip(b"\x00 ")


def _decoded(raw: bytes) -> str | None:
    try:
        found = raw.decode("gb18030")
    except UnicodeDecodeError:
        return None
    found = found.strip(" \u3000")
    return found if found and not any(ord(character) in _CONTROLS for character in found) else None
