"""The card's content: the 256-byte text block of the four card kinds, and the answers that carry it.

Text is UTF-16LE padded with spaces. Bytes are sliced before anything is decoded: a rare character takes four
bytes, so positions counted in decoded characters would shift.
"""

from __future__ import annotations

import datetime as dt
import re
import struct
from dataclasses import fields
from typing import Any

from kiosk.domain.citizen_id import CitizenId, CitizenIdError
from kiosk.domain.document import CardKind, IdCard

TEXT_BYTES = 256
PHOTO_BYTES = 1024
NEW_ADDRESS_BYTES = 70
FLAG = slice(248, 250)
LONG_TERM = "长期"

FLAGS = {" ": CardKind.RESIDENT, "J": CardKind.HMT, "I": CardKind.FOREIGN_2017, "Y": CardKind.FOREIGN_2023}

Spans = tuple[slice, ...]


def _at(offset: int, length: int) -> slice:
    return slice(offset, offset + length)


LAYOUTS: dict[CardKind, dict[str, Spans]] = {
    CardKind.RESIDENT: {
        "name_cn": (_at(0, 30),),
        "sex": (_at(30, 2),),
        "nation_code": (_at(32, 4),),
        "birth": (_at(36, 16),),
        "address": (_at(52, 70),),
        "number": (_at(122, 36),),
        "issuer": (_at(158, 30),),
        "valid_from": (_at(188, 16),),
        "valid_to": (_at(204, 16),),
    },
    CardKind.HMT: {
        "name_cn": (_at(0, 30),),
        "sex": (_at(30, 2),),
        "birth": (_at(36, 16),),
        "address": (_at(52, 70),),
        "number": (_at(122, 36),),
        "issuer": (_at(158, 30),),
        "valid_from": (_at(188, 16),),
        "valid_to": (_at(204, 16),),
        "pass_number": (_at(220, 18),),
        "issue_count": (_at(238, 4),),
    },
    CardKind.FOREIGN_2017: {
        "name_en": (_at(0, 120),),
        "sex": (_at(120, 2),),
        "number": (_at(122, 30),),
        "nationality": (_at(152, 6),),
        "name_cn": (_at(158, 30),),
        "valid_from": (_at(188, 16),),
        "valid_to": (_at(204, 16),),
        "birth": (_at(220, 16),),
        "version": (_at(236, 4),),
        "authority_code": (_at(240, 8),),
    },
    CardKind.FOREIGN_2023: {
        "name_cn": (_at(0, 30),),
        "sex": (_at(30, 2),),
        "renewal_count": (_at(32, 4),),
        "birth": (_at(36, 16),),
        "name_en": (_at(52, 70), _at(220, 22)),
        "number": (_at(122, 36),),
        "valid_from": (_at(188, 16),),
        "valid_to": (_at(204, 16),),
        "nationality": (_at(242, 6),),
        "previous_link": (_at(250, 6),),
    },
}
"""Per kind: IdCard field → where its bytes stand. A field with two spans continues in the second."""


class CardDataError(ValueError):
    """The content cannot be used. The message names a field at most, never its value."""


class UnknownCardKind(CardDataError):
    """The type flag is none of the four: not an identity card that can be shown."""

    def __init__(self) -> None:
        super().__init__("unknown type flag: not one of the four identity documents")


class DamagedCard(CardDataError):
    """A length or a field contradicts the layout. Read again; never repaired."""


def decode_read_answer(data: bytes) -> IdCard:
    """The data after SW3 of a good answer to *read*, with or without a fingerprint, told apart by its length fields.

    Raises UnknownCardKind or DamagedCard.
    """
    lengths = _lengths(data)
    text_at = len(data) - sum(lengths)
    text, photo = data[text_at : text_at + lengths[0]], data[text_at + lengths[0] : text_at + lengths[0] + lengths[1]]
    if len(text) != TEXT_BYTES or len(photo) not in (0, PHOTO_BYTES):
        raise DamagedCard("text or photo do not have their length")
    return decode_text_block(text, photo or None)


def decode_text_block(block: bytes, photo: bytes | None = None) -> IdCard:
    """The 256 bytes of text, with the 1024 of the photo if there is one. Raises UnknownCardKind or DamagedCard."""
    if len(block) != TEXT_BYTES:
        raise DamagedCard("the text block does not have 256 bytes")
    kind = FLAGS.get(block[FLAG].decode("utf-16-le", errors="replace"))
    if kind is None:
        raise UnknownCardKind
    text = {name: _text(b"".join(block[span] for span in spans)) for name, spans in LAYOUTS[kind].items()}
    values: dict[str, Any] = {**text, "number": text["number"] or ""}
    for name in ("birth", "valid_from"):
        values[name] = _date(name, text[name]) if text[name] else None
    values["valid_to"] = None if text["valid_to"] == LONG_TERM else _date("valid_to", text["valid_to"])
    card = IdCard(kind=kind, photo_wlt=photo, **values)
    _check(card)
    return card


def decode_new_address(data: bytes) -> str:
    """The 70 bytes after SW3 of a good answer to *read new address*. Raises DamagedCard."""
    if len(data) != NEW_ADDRESS_BYTES:
        raise DamagedCard("a new address does not have 70 bytes")
    return _text(data) or ""


def damaged_fields(card: IdCard) -> tuple[str, ...]:
    """Names of the text fields that hold a character cut in half; such a character is kept as U+FFFD."""
    return tuple(item.name for item in fields(card) if "\ufffd" in str(getattr(card, item.name)))


def _lengths(data: bytes) -> tuple[int, ...]:
    """Text, photo and, where present, fingerprint length (big-endian words); together they must fill the answer."""
    for words in (2, 3):
        if len(data) >= 2 * words:
            lengths = struct.unpack_from(f">{words}H", data)
            if 2 * words + sum(lengths) == len(data):
                return lengths
    raise DamagedCard("the length fields do not match the length of the answer")


def _text(raw: bytes) -> str | None:
    """Without padding; None if nothing is left. Half a surrogate pair becomes U+FFFD."""
    return raw.decode("utf-16-le", errors="replace").rstrip(" \0") or None


def _date(name: str, text: str | None) -> dt.date:
    if text is None or not re.fullmatch(r"[0-9]{8}", text):
        raise DamagedCard(f"{name} is not a date")
    try:
        return dt.date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        raise DamagedCard(f"{name} is not a date") from None


def _check(card: IdCard) -> None:
    """What must agree before a card counts as read."""
    if not card.name:
        raise DamagedCard("name is empty")
    if card.sex not in (None, "0", "1", "2", "9"):
        raise DamagedCard("sex is not a code of GB/T 2261.1")
    if card.kind is CardKind.FOREIGN_2017:
        if not re.fullmatch(r"[0-9A-Z]{15}", card.number):
            raise DamagedCard("number does not have the 15 characters of this kind")
        return
    try:
        citizen = CitizenId.parse(card.number)
    except CitizenIdError:
        raise DamagedCard("number is no valid citizen number") from None
    if citizen.reveal() != card.number:
        raise DamagedCard("number does not have 18 characters")
    if citizen.birth != card.birth:
        raise DamagedCard("number and birth disagree")
