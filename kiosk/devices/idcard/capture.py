"""A captured answer, looked at by a technician: the card in it, or what is wrong with it."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import fields
from enum import Enum

from kiosk.devices.idcard.codec import HEADER, LONGEST, Sw3, checksum, parse_answer
from kiosk.devices.idcard.layouts import damaged_fields, decode_read_answer
from kiosk.domain.document import IdCard

_REQUEST_LENGTH = 3
_SHOWN = frozenset({"kind", "valid_from", "valid_to", "issue_count", "renewal_count", "version"})
"""Fields that tell nothing about the person."""
_HIDDEN = "***"


class CaptureError(ValueError):
    """The capture holds no card. The message says what is wrong, without anything of its content."""


def decode_capture(data: bytes) -> IdCard:
    """data: the bytes of an answer to *read*, raw or as hexadecimal text. Of a whole dialogue the last frame counts.

    Raises CaptureError for the frame, CardDataError (UnknownCardKind, DamagedCard) for the card in it.
    """
    answer = parse_answer(_last_answer(_as_bytes(data)))
    if answer.sw3 != Sw3.OK:
        raise CaptureError(f"the reader answered {answer.sw3:02X} ({_meaning(answer.sw3)}), not the content of a card")
    return decode_read_answer(answer.data)


def as_json(card: IdCard, show: bool) -> dict[str, object]:
    """Ready for json.dumps, absent fields left out. Without `show` the person stays unrecognisable.

    `valid_to` null means 长期; `damaged` lists fields that hold half a character.
    """
    result: dict[str, object] = {}
    for item in fields(card):
        value = getattr(card, item.name)
        if item.name == "photo_wlt":
            result["photo_bytes"] = len(value or b"")
        elif value is not None or item.name == "valid_to":
            result[item.name] = _plain(value) if show or item.name in _SHOWN else _HIDDEN
    if not show:
        result |= {"number": card.masked_number, "name": card.masked_name}
    return result | {"damaged": list(damaged_fields(card))}


def _as_bytes(data: bytes) -> bytes:
    if HEADER in data:
        return data
    digits = re.sub(rb"0x|[\s,:;-]", b"", data.removeprefix(b"\xef\xbb\xbf"))
    if not re.fullmatch(rb"[0-9A-Fa-f]+", digits):
        return data
    if len(digits) % 2:
        raise CaptureError("the hexadecimal text ends in the middle of a byte")
    return bytes.fromhex(digits.decode())


def _last_answer(data: bytes) -> bytes:
    at = data.find(HEADER)
    if at < 0:
        raise CaptureError(f"no frame: the header {HEADER.hex(' ').upper()} does not occur")
    while True:
        total = _frame_size(data[at:])
        body, following = data[at + 7 : at + total - 1], data.find(HEADER, at + total)
        if following >= 0:
            at = following
        elif total == 7 + _REQUEST_LENGTH:
            raise CaptureError("the capture ends with a request, its answer is missing")
        else:
            return body


def _frame_size(data: bytes) -> int:
    """data: from a header on. Raises CaptureError unless a whole frame with a right checksum follows."""
    if len(data) < 7:
        raise CaptureError(f"cut after {len(data)} bytes, before the length of the frame")
    length = int.from_bytes(data[5:7], "big")
    if not _REQUEST_LENGTH <= length <= LONGEST:
        raise CaptureError(f"the length field says {length}, allowed are {_REQUEST_LENGTH} to {LONGEST}")
    total = 7 + length
    if len(data) < total:
        raise CaptureError(f"cut after {len(data)} of {total} bytes")
    if checksum(data[5:total]):
        raise CaptureError("wrong checksum: the bytes were damaged on the way")
    return total


def _meaning(sw3: int) -> str:
    return Sw3(sw3).name.lower().replace("_", " ") if sw3 in set(Sw3) else "undocumented"


def _plain(value: object) -> object:
    if isinstance(value, Enum):
        return value.value
    return value.isoformat() if isinstance(value, dt.date) else value
