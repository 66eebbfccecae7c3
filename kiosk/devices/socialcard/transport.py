"""How a card is reached: one Protocol over all readers, its few exceptions, and what every adapter does alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from kiosk.devices.service import DeviceLost
from kiosk.devices.socialcard.apdu import get_response, with_le
from kiosk.domain.social_card import SocialCardTrouble

_PARTS = 16
"""Pieces one answer may come in; the longest record needs one."""


class CardGone(Exception):
    """The card was taken out in the middle."""


class CardFault(Exception):
    """The card cannot be worked with; the reader can."""

    def __init__(self, trouble: SocialCardTrouble) -> None:
        super().__init__(trouble.value)
        self.trouble = trouble


class ReaderGone(DeviceLost):
    """The reader, or what leads to it, is not there."""


class ReaderFault(DeviceLost):
    """The reader is there and does not do its work."""


class Timeout(DeviceLost):
    """No answer within the deadline."""


class CardState(Enum):
    NONE = "none"
    PRESENT = "present"
    CONTACT = "contact"
    """The contacts of a motor reader are on the chip."""
    HELD = "held"
    """Given back, held at the front until the person pulls."""
    EJECTED = "ejected"
    """Given back and loose at the front."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds, for one exchange with a reader."""

    ack: float = 1.0
    """Until a CRT-310 has taken a command."""
    answer: float = 5.0
    """Until the command is done, motor movements and the card's own time included."""
    resends: int = 2
    """Of a frame that was refused or not acknowledged, or whose reply was damaged. A command that was taken and then
    not answered is not repeated: its late reply could be taken for that of another."""


class CardTransport(Protocol):
    """One reader. Every call has a deadline and raises ReaderGone, ReaderFault or Timeout when the reader fails;
    `power_on` and `transmit` also CardGone and CardFault.

    Used by one thread. `open` and `close` may follow each other any number of times.
    """

    def open(self) -> None:
        """Takes hold of the reader, proves that it is one, and gives back a card left inside by a crash."""

    def admit(self, wanted: bool) -> None:
        """Opens or closes the entry, where there is one."""

    def card_state(self) -> CardState: ...

    def power_on(self) -> bytes:
        """Contacts, cold reset, after a failure one more. The answer to reset."""

    def transmit(self, apdu: bytes) -> tuple[bytes, int]:
        """Data and status word, 61xx and 6Cxx dealt with."""

    def power_off(self) -> None:
        """Also fine when there is no card any more."""

    def eject(self) -> None:
        """Gives the card back, held so that the person pulls it; without a motor the person's hand does it."""

    def close(self) -> None:
        """Never raises."""


def resolve(send: Callable[[bytes], bytes], apdu: bytes) -> tuple[bytes, int]:
    """One command with everything that T=0 makes of it: 6Cxx repeated with the right length, 61xx fetched.

    Some readers do this themselves and some do not; above this the answer is the same. send: R-APDU for C-APDU.
    """
    data, sw = _right_length(send, apdu)
    for _ in range(_PARTS):
        if sw >> 8 != 0x61:
            return data, sw
        more, sw = _right_length(send, get_response(sw & 0xFF))
        data += more
    raise CardFault(SocialCardTrouble.UNREADABLE)


def _right_length(send: Callable[[bytes], bytes], apdu: bytes) -> tuple[bytes, int]:
    data, sw = _parted(send(apdu))
    return _parted(send(with_le(apdu, sw & 0xFF))) if sw >> 8 == 0x6C else (data, sw)


def _parted(answer: bytes) -> tuple[bytes, int]:
    if len(answer) < 2:
        raise CardFault(SocialCardTrouble.UNREADABLE)
    return answer[:-2], int.from_bytes(answer[-2:], "big")
