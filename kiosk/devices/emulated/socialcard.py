"""An invented social security card: the files of the chip, the applet that answers for them, faults to order."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from kiosk.devices.socialcard.apdu import SSSE
from kiosk.devices.socialcard.records import EF05, EF06
from kiosk.domain.citizen_id import check_character

ATR = bytes.fromhex("3B6D000000815445535401990100000001")
"""Of region 9901, which is not assigned."""
FCI_SECOND = bytes.fromhex("6F16840F7378312E73682EC9E7BBE1B1A3D5CFA50388011E")
FCI_THIRD = bytes.fromhex("6F1C840F7378312E73682EC9E7BBE1B1A3D5CFA50988011E9F0C03860103")

_REGION = "999901"
_NAMES = ("测试员甲", "测试员乙", "测试员丙", "测试员丁", "测试员戊")
_STRADDLING = "测试A" + "阿" * 16
"""Byte 31, the first of the extension, is the second half of a character."""

_EF06_LENGTHS = {place.tag: place.length for place in EF06.places.values()}
_SELECT, _READ, _VERIFY, _RESPONSE = 0xA4, 0xB2, 0x20, 0xC0
_PIN_TRIES = 3


class Silence(Enum):
    """What a card gives instead of an answer."""

    GONE = "gone"
    """It was taken out."""
    MUTE = "mute"


@dataclass(frozen=True, slots=True)
class CardContent:
    """What is on the chip, and how its operating system behaves."""

    ef05: Mapping[int, bytes] = field(repr=False)
    """Tag → value, in the order of the records."""
    ef06: Mapping[int, bytes] = field(repr=False)
    atr: bytes = field(default=ATR, repr=False)
    """Empty: the chip does not answer, as when the card is the wrong way round."""
    fci: bytes = field(default=FCI_SECOND, repr=False)
    ssse: bool = True
    """False: a chip card of somebody else."""
    protected: frozenset[int] = frozenset()
    """Files (EF05, EF06) and tags that want an authenticated reader."""
    select_ways: frozenset[int] = frozenset({0x00, 0x02})
    """P1 of SELECT that the card knows."""
    by_tag: bool = True
    """READ RECORD finds a record by its identifier; by number and all at once always work."""
    t0_answers: bool = True
    """61xx and 6Cxx come to the surface; False: the reader deals with them."""
    locked: bool = False
    """By the issuer."""
    pin: bytes | None = field(default=bytes.fromhex("123456"), repr=False)
    """None: needs none."""
    pin_tries: int = _PIN_TRIES


def second_generation(index: int = 0) -> CardContent:
    """The same invented holder for the same index, 0 … 998. 0 is 999901199003070017, 测试员甲."""
    stem = f"{_REGION}19900307{index + 1:03d}"
    number = stem + check_character(stem)
    return CardContent(
        ef05={
            0x01: bytes.fromhex(f"990100D156000005{0x99000000 + index:08X}12345678"),
            0x02: b"3",
            0x03: b"2.00",
            0x04: bytes.fromhex("915600000299010099010000"),
            0x05: bytes.fromhex("20200101"),
            0x06: bytes.fromhex("20300101"),
            0x07: f"X{index + 19:08d}".encode(),
        },
        ef06={
            0x08: number.encode(),
            **_name_records(_NAMES[index % len(_NAMES)]),
            0x0A: b"1" if (index + 1) % 2 else b"2",
            0x0B: bytes.fromhex("01"),
            0x0C: bytes.fromhex("999901"),
            0x0D: bytes.fromhex(number[6:14]),
        },
    )


def third_generation(index: int = 0) -> CardContent:
    """Gives the card's own data; name and number only to authorised readers."""
    card = second_generation(index)
    return replace(card, ef05={**card.ef05, 0x03: b"3.00"}, fci=FCI_THIRD, protected=frozenset(_EF06_LENGTHS))


def without_card_number(card: CardContent) -> CardContent:
    return replace(card, ef05={tag: value for tag, value in card.ef05.items() if tag != 0x07})


def with_protected_ef05(card: CardContent) -> CardContent:
    return replace(card, protected=card.protected | {EF05.number})


def never_personalised(card: CardContent) -> CardContent:
    blank = {tag: b"\xff" * len(card.ef06[tag]) for tag in (0x0B, 0x0C, 0x0D)}
    return replace(card, ef06={**card.ef06, **blank})


def with_year_only(card: CardContent) -> CardContent:
    """As a card of 2012 stores its dates."""
    return replace(card, ef05={**card.ef05, 0x05: b"2012", 0x06: b"2022"})


def with_long_name(card: CardContent, name: str = _STRADDLING) -> CardContent:
    return replace(card, ef06={**card.ef06, **_name_records(name)})


def other_chip() -> CardContent:
    return replace(second_generation(), ssse=False)


def upside_down(card: CardContent) -> CardContent:
    return replace(card, atr=b"")


class ScriptedCard:
    """One card with its state and its log. Put into an emulated reader, it answers what that sends."""

    def __init__(self, content: CardContent) -> None:
        self.content = content
        self.log: list[bytes] = []
        """Every C-APDU in order."""
        self.silent_at: tuple[int, Silence] | None = None
        """At the n-th command from now on, counted from 0, it is taken out or falls mute."""
        self.tries = content.pin_tries
        self._injected: list[tuple[int, int]] = []
        self._lock = threading.Lock()
        self.power_off()

    @property
    def atr(self) -> bytes:
        return self.content.atr

    def inject(self, sw: int, at: int) -> None:
        """The answer to the n-th command, counted from 0 since the card was made, is this status word."""
        self._injected.append((at, sw))

    def power_off(self) -> None:
        self._directory = False
        self._file: Mapping[int, bytes] | None = None
        self._file_number = 0
        self._waiting = b""

    def answer(self, apdu: bytes) -> bytes | Silence:
        """R-APDU for C-APDU. Called by one reader at a time."""
        with self._lock:
            index = len(self.log)
            self.log.append(apdu)
            if self.silent_at is not None and index >= self.silent_at[0]:
                return self.silent_at[1]
            for at, sw in self._injected:
                if at == index:
                    return sw.to_bytes(2, "big")
            data, sw = self._obey(apdu) if len(apdu) >= 4 else (b"", 0x6700)
            return data + sw.to_bytes(2, "big")

    def _obey(self, apdu: bytes) -> tuple[bytes, int]:
        commands: dict[int, Callable[[bytes], tuple[bytes, int]]] = {
            _SELECT: self._select, _READ: self._read, _VERIFY: self._verify, _RESPONSE: self._get_response,
        }
        if self.content.locked:
            return b"", 0x6A81
        if apdu[0] != 0x00:
            return b"", 0x6E00
        command = commands.get(apdu[1])
        return command(apdu) if command else (b"", 0x6D00)

    def _select(self, apdu: bytes) -> tuple[bytes, int]:
        way, name = apdu[2], apdu[5 : 5 + apdu[4]]
        if way == 0x04:
            if name != SSSE or not self.content.ssse:
                return b"", 0x6A82
            self._directory, self._file = True, None
            return self._given(self.content.fci)
        if way not in self.content.select_ways:
            return b"", 0x6A86
        number = int.from_bytes(name, "big")
        file = {EF05.number: self.content.ef05, EF06.number: self.content.ef06}.get(number)
        if not self._directory or file is None:
            return b"", 0x6A82
        if number in self.content.protected:
            return b"", 0x6982
        self._file = file
        return b"", 0x9000

    def _read(self, apdu: bytes) -> tuple[bytes, int]:
        if self._file is None:
            return b"", 0x6986
        which, way, le = apdu[2], apdu[3], apdu[4] if len(apdu) > 4 else 0
        if way == 0x05:
            tags = list(self._file)[which - 1 :]
        elif way == 0x04:
            tags = list(self._file)[which - 1 : which]
        elif way == 0x00 and self.content.by_tag:
            tags = [which] if which in self._file else []
        else:
            return b"", 0x6A86
        if not tags:
            return b"", 0x6A83
        if self.content.protected & set(tags):
            return b"", 0x6982
        found = b"".join(bytes((tag, len(self._file[tag]))) + self._file[tag] for tag in tags)
        if self.content.t0_answers and le != len(found):
            return b"", 0x6C00 | len(found)
        return found, 0x9000

    def _verify(self, apdu: bytes) -> tuple[bytes, int]:
        """A wrong password costs a try here as on a real card, so that a test would see it."""
        password = apdu[5:]
        if self.content.pin is None:
            return b"", 0x9000
        if self.tries == 0:
            return b"", 0x6983
        if password:
            self.tries = _PIN_TRIES if password == self.content.pin else self.tries - 1
            if password == self.content.pin:
                return b"", 0x9000
        return b"", 0x63C0 | self.tries

    def _get_response(self, apdu: bytes) -> tuple[bytes, int]:
        if not self._waiting:
            return b"", 0x6985
        if len(apdu) < 5 or apdu[4] != len(self._waiting):
            return b"", 0x6C00 | len(self._waiting)
        waiting, self._waiting = self._waiting, b""
        return waiting, 0x9000

    def _given(self, data: bytes) -> tuple[bytes, int]:
        if not self.content.t0_answers:
            return data, 0x9000
        self._waiting = data
        return b"", 0x6100 | len(data)


def _name_records(name: str) -> dict[int, bytes]:
    """姓名 and 姓名扩展. Raises ValueError for a name longer than both."""
    raw = name.encode("gb18030")
    first, more = _EF06_LENGTHS[0x09], _EF06_LENGTHS[0x4E]
    if len(raw) > first + more:
        raise ValueError("a name is longer than its records")
    return {0x09: raw[:first].ljust(first, b"\0"), 0x4E: raw[first:].ljust(more, b"\0")}
