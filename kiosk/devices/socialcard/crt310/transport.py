"""A CRT-310 as CardTransport: the entry closed while nobody wants a card, every card given back, none ever captured."""

from __future__ import annotations

import contextlib
import threading

from kiosk.devices.serial_line import LineLost, SerialLine, Tap
from kiosk.devices.service import DeviceLost
from kiosk.devices.socialcard.crt310.codec import (
    REAR_CLOSED,
    CardPlace,
    Command,
    Front,
    Rear,
    Result,
    Status,
    parse_status,
    with_length,
    without_length,
)
from kiosk.devices.socialcard.crt310.driver import Crt310Driver
from kiosk.devices.socialcard.transport import CardFault, CardGone, CardState, Patience, ReaderFault, ReaderGone, resolve
from kiosk.domain.social_card import SocialCardTrouble

_STATES: dict[int, CardState] = {
    CardPlace.FRONT: CardState.EJECTED,
    CardPlace.FRONT_HELD: CardState.HELD,
    CardPlace.INSIDE: CardState.PRESENT,
    CardPlace.CONTACTS: CardState.CONTACT,
    CardPlace.NONE: CardState.NONE,
}
_INSIDE = (CardState.PRESENT, CardState.CONTACT)
_STRAY = (*_INSIDE, CardState.HELD, CardState.EJECTED)
_ENTRY_TRIES = 3
_GOOD = (Result.OK, Result.OK_T1)


class Crt310Transport:
    def __init__(
        self, port: str, baud: int, stop: threading.Event, tap: Tap | None = None, patience: Patience | None = None
    ) -> None:
        """stop: once set, ends every wait. tap: sees every byte of the line."""
        self._port, self._baud = port, baud
        self._stop = stop
        self._tap = tap
        self._patience = patience or Patience()
        self._line: SerialLine | None = None
        self._driver: Crt310Driver
        self._front = Front.CLOSED
        """How the entry should be."""
        self._entry_faults = 0
        self._inside = False
        """A card was last seen where only the motor can give it back."""
        self._powered = False
        self._apdu = Command.APDU_T0
        self._giving_up = False

    def open(self) -> None:
        """Reasons: those of the line and of Crt310Driver, `eject_failed`, `entry_refused`."""
        try:
            self._line = SerialLine.open(self._port, self._baud, self._stop, self._tap)
        except LineLost as lost:
            raise ReaderGone(lost.reason) from None
        self._driver = Crt310Driver(self._line, self._stop, self._patience)
        self._front, self._entry_faults = Front.CLOSED, 0
        self._powered = self._giving_up = False
        self._place(self._status())  # nothing else answers this
        self._ask(Command.RESET)
        if self._place(self._status()) in _STRAY:
            self._move_out(Command.EJECT)
        self._ask(Command.POWER_OFF)  # refused if no chip module is fitted
        self._set_entry()

    def admit(self, wanted: bool) -> None:
        front = Front.SWITCH if wanted else Front.CLOSED
        if front is not self._front:
            self._front, self._entry_faults = front, 0
            self._set_entry()

    def card_state(self) -> CardState:
        """Also looks after the entry, which stands open after every power-up of the reader."""
        status = self._status()
        if (status.front, status.rear) == (self._front, Rear.CLOSED):
            self._entry_faults = 0
        elif self._entry_faults >= _ENTRY_TRIES:
            raise ReaderFault("entry_refused")
        else:
            self._entry_faults += 1
            self._set_entry()
        return self._place(status)

    def power_on(self) -> bytes:
        _need(self._ask(Command.TO_CONTACTS))
        self._powered = True
        for command in (Command.COLD_RESET, Command.WARM_RESET):
            reply = self._ask(command)
            if _result(reply) != Result.FAILED:
                _need(reply)
                self._apdu = Command.APDU_T1 if _result(reply) == Result.OK_T1 else Command.APDU_T0
                return without_length(reply[1:]) or b""
        raise CardFault(SocialCardTrouble.NO_CONTACT)

    def transmit(self, apdu: bytes) -> tuple[bytes, int]:
        return resolve(self._send, apdu)

    def power_off(self) -> None:
        self._powered = False
        self._ask(Command.POWER_OFF)

    def eject(self) -> None:
        if self._powered:
            self.power_off()
        self._move_out(Command.EJECT_HELD)

    def close(self) -> None:
        """At the end of the program a card still inside is pushed out without waiting for the reader's answers."""
        if self._line is None:
            return
        if self._inside and self._stop.is_set():
            self._driver.send_blind(Command.EJECT)
        self._line.close()
        self._line = None

    def _ask(self, command: Command, data: bytes = b"") -> bytes:
        try:
            return self._driver.ask(command, data)
        except ReaderFault as fault:
            if fault.reason == "reader_power_lost" and not self._giving_up:
                self._giving_up = True  # on its last reserve: the card first
                with contextlib.suppress(DeviceLost):
                    self._driver.ask(Command.EJECT)
            raise

    def _status(self) -> Status:
        status = parse_status(self._ask(Command.STATUS))
        if status is None:
            raise ReaderFault("wrong_device")
        return status

    def _place(self, status: Status) -> CardState:
        if status.place not in set(CardPlace):
            raise ReaderFault("wrong_device")
        state = _STATES.get(status.place)
        if state is None:  # too long, too short, or where no card of ours goes
            raise ReaderFault("abnormal_card")
        self._inside = state in _INSIDE
        return state

    def _set_entry(self) -> None:
        """What the reply to this means is printed both ways in the vendor's document: the status tells."""
        command = Command.OPEN_FRONT if self._front is Front.SWITCH else Command.CLOSE_FRONT
        self._ask(command, REAR_CLOSED)

    def _move_out(self, command: Command) -> None:
        if _result(self._ask(command)) == Result.FAILED:
            raise ReaderFault("eject_failed")
        self._inside = False

    def _send(self, apdu: bytes) -> bytes:
        reply = self._ask(self._apdu, with_length(apdu))
        if _result(reply) not in _GOOD and self._place(self._status()) is not CardState.CONTACT:
            raise CardGone
        _need(reply)
        answer = without_length(reply[1:])
        if answer is None:
            raise CardFault(SocialCardTrouble.UNREADABLE)
        return answer


def _result(reply: bytes) -> int:
    """P, or 0 where there is none."""
    return reply[0] if reply else 0


def _need(reply: bytes) -> None:
    """Raises unless the reply says that the card did what it should."""
    result = _result(reply)
    if result == Result.NO_CARD:
        raise CardGone
    if result == Result.WRONG_POSITION:
        raise CardFault(SocialCardTrouble.NO_CONTACT)
    if result not in _GOOD:
        raise CardFault(SocialCardTrouble.UNREADABLE)
