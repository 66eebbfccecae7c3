"""The social security card (社会保障卡) a person put into the reader: what its chip gave, and what it kept back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from kiosk.domain.document import CardKind, IdCard
from kiosk.domain.names import mask_name


class SocialCardLevel(StrEnum):
    FULL = "full"
    """Name and 社会保障号码 are known."""
    CARD_ONLY = "card_only"
    """The card is known, its holder is not: the chip gives name and number only to authorised readers."""
    ATR_ONLY = "atr_only"
    """A social security card of which at most the region is known."""
    NOT_SSC = "not_ssc"
    """Another chip card."""
    FAULT = "fault"
    """Nothing could be read; `fault` says why."""


class SocialCardTrouble(StrEnum):
    """Why there is no card to go on with, as far as the person can do something about it."""

    NO_CONTACT = "no_contact"
    """The chip does not answer: wrong way round, dirty, or no chip."""
    UNREADABLE = "unreadable"
    """It answers, but not as it should: take it out, wipe it, try again."""
    LOCKED = "locked"
    """The issuer or too many wrong passwords have locked the card: for the window."""
    PULLED = "pulled"
    """Taken out before it was read."""
    TAKE_FIRST = "take_first"
    """An earlier card is still there and must be taken out first."""
    READER_LOST = "reader_lost"
    """The reader failed in the middle; the device status says why."""


class CardItem(StrEnum):
    """The records of the card; each is named like the field of SocialCard it fills."""

    CARD_ID = "card_id"
    CARD_CLASS = "card_class"
    VERSION = "version"
    ISSUER = "issuer"
    ISSUED = "issued"
    VALID_UNTIL = "valid_until"
    CARD_NUMBER = "card_number"
    NUMBER = "number"
    NAME = "name"
    NAME_MORE = "name_more"
    """姓名扩展, where a long name goes on."""
    SEX = "sex"
    NATION_CODE = "nation_code"
    BIRTH_PLACE = "birth_place"
    BIRTH = "birth"


class ItemStatus(StrEnum):
    OK = "ok"
    """The card gave the record. It may still say nothing: never personalised records are None."""
    ABSENT = "absent"
    PROTECTED = "protected"


@dataclass(frozen=True, slots=True)
class SocialCard:
    """One card as read. What is unknown is None. Nothing of it shows in repr or str.

    The eleven items of the national interface function iReadCardBas are region, number, card_number, card_id, name,
    historical, version, issued, valid_until, terminal_number and device_number.
    """

    level: SocialCardLevel
    fault: SocialCardTrouble | None = None
    region: str | None = field(default=None, repr=False)
    """发卡地区行政区划代码, six digits of GB/T 2260."""
    number: str | None = field(default=None, repr=False)
    """社会保障号码, 18 characters of GB 11643 with a right check character."""
    card_number: str | None = field(default=None, repr=False)
    """卡号, nine characters."""
    card_id: str | None = field(default=None, repr=False)
    """卡识别码, 32 hexadecimal digits."""
    name: str | None = field(default=None, repr=False)
    historical: bytes = field(default=b"", repr=False)
    """卡复位信息: the historical bytes of the answer to reset."""
    version: str | None = field(default=None, repr=False)
    """规范版本, such as 2.00."""
    issued: dt.date | int | None = field(default=None, repr=False)
    """发卡日期; cards of 2012 tell only the year."""
    valid_until: dt.date | int | None = field(default=None, repr=False)
    """卡有效期; cards of 2012 tell only the year."""
    terminal_number: str | None = field(default=None, repr=False)
    """终端机编号; only a reader with a PSAM knows one."""
    device_number: str | None = field(default=None, repr=False)
    """终端设备号; only a reader with a PSAM knows one."""
    atr_region: str | None = field(default=None, repr=False)
    """First four digits of the issuing region, from the answer to reset."""
    card_class: str | None = field(default=None, repr=False)
    """卡的类别: 1 学龄前, 2 学生, 3 成年人, 4 老年人."""
    issuer: str | None = field(default=None, repr=False)
    """初始化机构编号, 24 hexadecimal digits."""
    sex: str | None = field(default=None, repr=False)
    """GB/T 2261.1: 1 男, 2 女, 9 未说明."""
    nation_code: str | None = field(default=None, repr=False)
    """GB/T 3304; 99 其他, where the identity card has 97 and 98."""
    birth_place: str | None = field(default=None, repr=False)
    """Six digits of GB/T 2260."""
    birth: dt.date | None = field(default=None, repr=False)
    items: Mapping[CardItem, ItemStatus] = field(default_factory=dict, repr=False, hash=False)
    """What became of each record; empty when none was asked for."""

    @property
    def generation(self) -> int | None:
        """2 or 3 for second and third generation, from the version; diagnostics only."""
        head = (self.version or "")[:1]
        return int(head) if head.isascii() and head.isdigit() else None

    @property
    def masked_name(self) -> str:
        return mask_name(self.name or "")

    @property
    def masked_number(self) -> str:
        number = self.number or ""
        return number[:3] + "*" * max(0, len(number) - 7) + number[-4:]

    @property
    def masked_card_number(self) -> str:
        number = self.card_number or ""
        return "*" * max(0, len(number) - 3) + number[-3:]

    @property
    def document(self) -> IdCard | None:
        """As the identity document of a conversation; None when the card does not tell who its holder is."""
        if self.level is not SocialCardLevel.FULL or self.number is None or not self.name:
            return None
        return IdCard(
            CardKind.SOCIAL_SECURITY, self.number, self.name, sex=self.sex, nation_code=self.nation_code, birth=self.birth,
        )

    def __str__(self) -> str:
        return f"social security card, {self.level.value}"
