"""What one card says: its files read record by record over any CardTransport, as far as the card allows.

    power on → SELECT SSSE → EF05 → EF06 → power off

The status words decide, not the version. A protected record is not asked for twice; the kiosk holds no key and sends
no password. 社会保障（个人）卡规范 parts 3, 5, 6.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum

from kiosk.devices.socialcard import records
from kiosk.devices.socialcard.apdu import (
    OK,
    PIN_QUERY,
    SSSE,
    Meaning,
    meaning,
    read_all_records,
    read_record,
    select_file,
    select_name,
    tries_left,
)
from kiosk.devices.socialcard.atr import parse_atr
from kiosk.devices.socialcard.records import EF05, EF06, CardFile, Place, RecordError, single_record, split_records
from kiosk.devices.socialcard.transport import CardFault, CardGone, CardTransport
from kiosk.domain.citizen_id import CitizenId, CitizenIdError
from kiosk.domain.social_card import CardItem, ItemStatus, SocialCard, SocialCardLevel, SocialCardTrouble

_log = logging.getLogger(__name__)

_SELECT_WAYS = (0x02, 0x00)
_FILE_NOT_FOUND = 0x6A82
_PIN_LOCKED = 0x6983
_TROUBLES = {Meaning.LOCKED: SocialCardTrouble.LOCKED}


class PinQuery(Enum):
    """Answers to the question for tries left that are no number."""

    NOT_NEEDED = "not_needed"
    LOCKED = "locked"
    UNKNOWN = "unknown"


class SocialCardReader:
    """Keeps nothing of the card; logs levels and status words, never content."""

    def __init__(self, transport: CardTransport) -> None:
        self._transport = transport

    def read(self) -> SocialCard:
        """The card in the reader, powered off again. A card that cannot be read comes back as level FAULT.

        Raises CardGone when it is taken out meanwhile, DeviceLost when the reader fails.
        """
        try:
            with self._powered() as atr:
                return self._read(atr)
        except CardFault as fault:
            return SocialCard(SocialCardLevel.FAULT, fault.trouble)

    def pin_tries(self) -> int | PinQuery:
        """How many tries for the password are left; the counter stays as it is. Raises like `read`."""
        try:
            with self._powered():
                if self._transport.transmit(select_name(SSSE))[1] != OK:
                    return PinQuery.UNKNOWN
                sw = self._transport.transmit(PIN_QUERY)[1]
        except CardFault:
            return PinQuery.UNKNOWN
        if sw == OK:
            return PinQuery.NOT_NEEDED
        left = tries_left(sw)
        if sw == _PIN_LOCKED or left == 0:
            return PinQuery.LOCKED
        return PinQuery.UNKNOWN if left is None else left

    @contextmanager
    def _powered(self) -> Iterator[bytes]:
        try:
            yield self._transport.power_on()
        except (CardFault, CardGone):
            self._transport.power_off()
            raise
        else:
            self._transport.power_off()

    def _read(self, raw_atr: bytes) -> SocialCard:
        atr = parse_atr(raw_atr)
        if not self._select_ssse():
            return SocialCard(SocialCardLevel.NOT_SSC, atr_region=atr.region, historical=atr.historical)
        taken = _Taken()
        self._read_file(EF05, taken)
        self._read_file(EF06, taken)
        card = taken.as_card(atr.historical, atr.region)
        _log.info("read: %s, generation %s", card.level.value, card.generation or "unknown")
        return card

    def _select_ssse(self) -> bool:
        """False: not a social security card."""
        sw = self._transport.transmit(select_name(SSSE))[1]
        if sw == _FILE_NOT_FOUND:
            return False
        self._accept(sw)
        return True

    def _read_file(self, file: CardFile, taken: _Taken) -> None:
        selected = self._select_file(file)
        if selected is not ItemStatus.OK:
            taken.mark(file, selected)
            return
        for item, place in file.places.items():
            found = self._read_record(file, place)
            if found is Meaning.OTHER_WAY:
                self._read_whole(file, taken)
                return
            if found is Meaning.PROTECTED and file is EF06:
                taken.mark(file, ItemStatus.PROTECTED)  # the holder's file opens as a whole or not at all
                return
            taken.put(item, found)

    def _select_file(self, file: CardFile, again: bool = True) -> ItemStatus:
        for p1 in _SELECT_WAYS:
            sw = self._transport.transmit(select_file(file.number, p1))[1]
            found = meaning(sw)
            if found not in (Meaning.OTHER_WAY, Meaning.ABSENT):
                break
        if found is Meaning.STATE and again:
            self._select_ssse()
            return self._select_file(file, again=False)
        return _status(found) or self._refused(sw)

    def _read_record(self, file: CardFile, place: Place, again: bool = True) -> bytes | Meaning:
        """The value, or why there is none: ABSENT, PROTECTED, OTHER_WAY. Once more if the card has lost its place."""
        data, sw = self._transport.transmit(read_record(place.tag, place.size))
        found = meaning(sw)
        try:
            if found is Meaning.OK:
                return single_record(data, place.tag)
        except RecordError as error:
            _log.warning("record %02X: %s", place.tag, error)
            found = Meaning.STATE
        if found in (Meaning.ABSENT, Meaning.PROTECTED, Meaning.OTHER_WAY):
            return found
        if found is not Meaning.STATE or not again:
            self._refused(sw)
        self._select_ssse()
        self._select_file(file)
        return self._read_record(file, place, again=False)

    def _read_whole(self, file: CardFile, taken: _Taken) -> None:
        """For cards that do not find a record by its tag."""
        data, sw = self._transport.transmit(read_all_records(file.size))
        if (status := _status(meaning(sw))) not in (None, ItemStatus.OK):
            taken.mark(file, status)
            return
        self._accept(sw)
        try:
            found = split_records(data)
        except RecordError as error:
            _log.warning("file %04X: %s", file.number, error)
            raise CardFault(SocialCardTrouble.UNREADABLE) from None
        for item, place in file.places.items():
            taken.put(item, found.get(place.tag, Meaning.ABSENT))

    def _accept(self, sw: int) -> None:
        if sw != OK:
            self._refused(sw)

    def _refused(self, sw: int) -> ItemStatus:
        _log.warning("card refused with %04X", sw)
        raise CardFault(_TROUBLES.get(meaning(sw), SocialCardTrouble.UNREADABLE))


def _status(found: Meaning) -> ItemStatus | None:
    return {
        Meaning.OK: ItemStatus.OK, Meaning.ABSENT: ItemStatus.ABSENT, Meaning.PROTECTED: ItemStatus.PROTECTED,
    }.get(found)


class _Taken:
    """What has been read so far."""

    def __init__(self) -> None:
        self._values: dict[CardItem, bytes] = {}
        self._items: dict[CardItem, ItemStatus] = {}

    def put(self, item: CardItem, found: bytes | Meaning) -> None:
        if isinstance(found, bytes):
            self._values[item] = found
            self._items[item] = ItemStatus.OK
        else:
            self._items[item] = ItemStatus.PROTECTED if found is Meaning.PROTECTED else ItemStatus.ABSENT

    def mark(self, file: CardFile, status: ItemStatus) -> None:
        for item in file.places:
            self._items[item] = status
            self._values.pop(item, None)

    def as_card(self, historical: bytes, atr_region: str | None) -> SocialCard:
        get = self._values.get
        card_id = records.code(get(CardItem.CARD_ID, b""))
        card_number = records.text(get(CardItem.CARD_NUMBER, b""))
        number = _citizen_number(records.text(get(CardItem.NUMBER, b"")))
        name = records.name(get(CardItem.NAME, b""), get(CardItem.NAME_MORE, b""))
        region = card_id[:6] if card_id else ""
        birth = records.date(get(CardItem.BIRTH, b""))
        return SocialCard(
            level=_level(name and number, card_id or card_number),
            region=region if region.isdigit() else None,
            number=number,
            card_number=card_number,
            card_id=card_id,
            name=name,
            historical=historical,
            version=records.version(get(CardItem.VERSION, b"")),
            issued=records.date(get(CardItem.ISSUED, b"")),
            valid_until=records.date(get(CardItem.VALID_UNTIL, b"")),
            atr_region=atr_region,
            card_class=_one_of("1234", records.text(get(CardItem.CARD_CLASS, b""))),
            issuer=records.code(get(CardItem.ISSUER, b"")),
            sex=_one_of("129", records.text(get(CardItem.SEX, b""))),
            nation_code=records.digits(get(CardItem.NATION_CODE, b"")),
            birth_place=records.digits(get(CardItem.BIRTH_PLACE, b"")),
            birth=birth if isinstance(birth, dt.date) else None,
            items=self._items,
        )


def _level(holder: str | None, card: str | None) -> SocialCardLevel:
    if holder:
        return SocialCardLevel.FULL
    return SocialCardLevel.CARD_ONLY if card else SocialCardLevel.ATR_ONLY


def _citizen_number(text: str | None) -> str | None:
    """Only a number that is right in itself may stand for a person."""
    try:
        return text if text and CitizenId.parse(text).reveal() == text else None
    except CitizenIdError:
        return None


def _one_of(allowed: str, text: str | None) -> str | None:
    return text if text and len(text) == 1 and text in allowed else None
