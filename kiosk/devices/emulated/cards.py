"""Invented identity cards, as the chip holds them. No region, name or number belongs to anybody."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from kiosk.devices.idcard.layouts import FLAG, FLAGS, LAYOUTS, LONG_TERM, NEW_ADDRESS_BYTES, PHOTO_BYTES, TEXT_BYTES
from kiosk.domain.citizen_id import check_character
from kiosk.domain.document import CardKind, IdCard

PHOTO = bytes.fromhex("574C66007E00320000FF85").ljust(PHOTO_BYTES, b"\0")
"""Begins like a photo of the chip; no decoder accepts it."""

_SPACE = " ".encode("utf-16-le")
_REGION = "999901"
"""Not assigned in GB/T 2260."""
_LATER = 900
"""Where the numbers of those begin who are not `sample_card`s."""
_NAMES = ("测试员甲", "测试员乙", "测试员丙", "测试员丁", "测试员戊")


@dataclass(frozen=True, slots=True)
class EmulatedCard:
    """The chip's content. `of` builds it from fields; damaged cards are made by changing `text`."""

    text: bytes = field(repr=False)
    """256 bytes."""
    photo: bytes = field(default=PHOTO, repr=False)
    """1024 bytes, or none."""
    new_address: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, card: IdCard) -> EmulatedCard:
        return cls(encode_text_block(card), card.photo_wlt or PHOTO, card.new_address)

    def read_answer(self) -> bytes:
        """The data after SW3 of the answer to *read*."""
        return len(self.text).to_bytes(2, "big") + len(self.photo).to_bytes(2, "big") + self.text + self.photo

    def new_address_answer(self) -> bytes | None:
        if self.new_address is None:
            return None
        return _padded(self.new_address, NEW_ADDRESS_BYTES)


def encode_text_block(card: IdCard) -> bytes:
    """The 256 bytes for one of the four kinds. Raises ValueError for a field that is longer than its place."""
    layout = LAYOUTS[card.kind]
    block = bytearray(_SPACE * (TEXT_BYTES // 2))
    for name, spans in layout.items():
        raw = _padded(_as_text(name, getattr(card, name)), sum(span.stop - span.start for span in spans))
        for span in spans:
            size = span.stop - span.start
            block[span], raw = raw[:size], raw[size:]
    block[FLAG] = next(flag for flag, kind in FLAGS.items() if kind is card.kind).encode("utf-16-le")
    return bytes(block)


def sample_card(index: int = 0) -> IdCard:
    """The same invented resident for the same index, 0 … 998, born between 1940 and 1959."""
    birth = dt.date(1940 + index % 20, 1 + index % 12, 1 + index % 28)
    stem = f"{_REGION}{birth:%Y%m%d}{index + 1:03d}"
    return IdCard(
        kind=CardKind.RESIDENT,
        number=stem + check_character(stem),
        name_cn=_NAMES[index % len(_NAMES)],
        sex="1" if (index + 1) % 2 else "2",
        nation_code="01",
        birth=birth,
        address=f"测试市测试区测试路{index + 1}号",
        issuer="测试公安局",
        valid_from=dt.date(2020, 1, 1),
        valid_to=None,
    )


def sample_of(kind: CardKind) -> IdCard:
    """One invented person of each kind of LAYOUTS; the resident is `sample_card(0)`."""
    birth, start, end = dt.date(1948, 7, 12), dt.date(2023, 12, 1), dt.date(2033, 11, 30)
    stem = f"{_REGION}{birth:%Y%m%d}{_LATER + list(CardKind).index(kind):03d}"
    number = stem + check_character(stem)
    match kind:
        case CardKind.RESIDENT:
            return sample_card()
        case CardKind.HMT:
            return IdCard(
                kind, number, "测试港", sex="2", birth=birth, address="测试市测试区测试路2号", issuer="测试公安局",
                valid_from=start, valid_to=end, pass_number="H00000000", issue_count="01",
            )
        case CardKind.FOREIGN_2017:
            return IdCard(
                kind, "XXX999948071201", "测试", "TEST, PERSON", sex="1", birth=birth, nationality="XXX",
                valid_from=start, valid_to=end, version="01", authority_code="9999",
            )
        case CardKind.FOREIGN_2023:
            return IdCard(
                kind, number, "测试外", "TEST, PERSON WITH A NAME FOR BOTH PLACES", sex="1", birth=birth,
                nationality="XXX", valid_from=start, valid_to=end, renewal_count="01",
            )
        case CardKind.SOCIAL_SECURITY:
            raise ValueError("a social security card is no card of this reader")


def _as_text(name: str, value: str | dt.date | None) -> str:
    if isinstance(value, dt.date):
        return f"{value.year:04d}{value:%m%d}"
    if value is None:
        return LONG_TERM if name == "valid_to" else ""
    return value


def _padded(text: str, size: int) -> bytes:
    raw = text.encode("utf-16-le")
    if len(raw) > size:
        raise ValueError("a field is longer than its place on the chip")
    return raw + _SPACE * ((size - len(raw)) // 2)
