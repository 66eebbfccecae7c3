"""The identity document a person laid on the reader."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from enum import StrEnum

from kiosk.domain.names import mask_name, mask_number


class CardKind(StrEnum):
    RESIDENT = "resident"
    """居民身份证"""
    HMT = "hmt"
    """港澳台居民居住证"""
    FOREIGN_2017 = "foreign2017"
    """外国人永久居留身份证, 2017 layout"""
    FOREIGN_2023 = "foreign2023"
    """外国人永久居留身份证, 2023 layout (五星卡)"""
    SOCIAL_SECURITY = "social_security"
    """社会保障卡 whose chip tells its holder"""


@dataclass(frozen=True, slots=True)
class IdCard:
    """One card as read. Absent fields are None; `valid_to` None means 长期. Nothing of it shows in repr or str."""

    kind: CardKind
    number: str = field(repr=False)
    """18 characters of GB 11643, except FOREIGN_2017 with its own 15 characters."""
    name_cn: str | None = field(repr=False)
    name_en: str | None = field(default=None, repr=False)
    sex: str | None = field(default=None, repr=False)
    """GB/T 2261.1: 0 未知, 1 男, 2 女, 9 未说明"""
    nation_code: str | None = field(default=None, repr=False)
    birth: dt.date | None = field(default=None, repr=False)
    address: str | None = field(default=None, repr=False)
    new_address: str | None = field(default=None, repr=False)
    """Written to the card after its issue (追加住址); read only where the configuration asks for it."""
    issuer: str | None = field(default=None, repr=False)
    valid_from: dt.date | None = field(default=None, repr=False)
    valid_to: dt.date | None = field(default=None, repr=False)
    pass_number: str | None = field(default=None, repr=False)
    issue_count: str | None = field(default=None, repr=False)
    nationality: str | None = field(default=None, repr=False)
    version: str | None = field(default=None, repr=False)
    authority_code: str | None = field(default=None, repr=False)
    renewal_count: str | None = field(default=None, repr=False)
    previous_link: str | None = field(default=None, repr=False)
    photo_wlt: bytes | None = field(default=None, repr=False)
    """1024 bytes, WLT-compressed, as stored on the chip; never persisted."""

    @property
    def name(self) -> str:
        return self.name_cn or self.name_en or ""

    @property
    def masked_name(self) -> str:
        return mask_name(self.name)

    @property
    def masked_number(self) -> str:
        return mask_number(self.number)

    def expired_on(self, day: dt.date) -> bool:
        return self.valid_to is not None and self.valid_to < day

    def __str__(self) -> str:
        return f"{self.kind.value} card"
