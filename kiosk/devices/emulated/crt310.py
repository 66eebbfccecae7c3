"""A CRT-310 at the far end of a pseudo-terminal: its talk, its motor and its entry, with faults to order."""

from __future__ import annotations

import threading
from collections.abc import Callable
from enum import Enum
from pathlib import Path

from kiosk.devices.emulated.pty_device import PtyDevice
from kiosk.devices.emulated.socialcard import ScriptedCard, Silence
from kiosk.devices.socialcard.crt310.codec import (
    CardPlace,
    Command,
    Control,
    Front,
    Rear,
    Result,
    TalkParser,
    encode_frame,
    error_frame,
    with_length,
    without_length,
)

VERSION = b"CRT-310 V3.0"
BABBLE = bytes.fromhex("FF0002A5C3") * 8
_AT_FRONT = (CardPlace.FRONT, CardPlace.FRONT_HELD)
_RESETS = (Command.COLD_RESET, Command.WARM_RESET)
_EXCHANGES = (Command.APDU_T0, Command.APDU_T1)


class Manner(Enum):
    """How a command is dealt with."""

    WELL = "well"
    NAK = "nak"
    """Refused as damaged."""
    NO_ACK = "no_ack"
    """Nothing at all, and nothing is done."""
    NO_REPLY = "no_reply"
    """Taken and done, but no reply."""
    WRONG_BCC = "wrong_bcc"
    OTHER_COMMAND = "other_command"
    """The reply belongs to another command."""
    TRUNCATED = "truncated"
    BABBLE = "babble"
    """Bytes that mean nothing, instead of everything."""


class Crt310Emulator(PtyDevice):
    """Answers in its own thread while entered as a context manager. Knobs may be turned at any time."""

    def __init__(self, link: Path) -> None:
        """link: the name under which the kiosk opens the reader."""
        super().__init__(link, "emulated-crt310")
        self.received: list[bytes] = []
        """Every command carried out, in order: CM PM data."""
        self.chunk_size = 0
        """Replies go out in pieces of this many bytes; 0: in one."""
        self.motor_s = 0.0
        """How long a card takes to move."""
        self.place = CardPlace.NONE
        self.stuck = False
        """The motor does not give the card back."""
        self.entry_stays_open = False
        """The switch at the front ignores its command."""
        self._front, self._rear = Front.SWITCH, Rear.OPEN  # as after every power-up
        self._card: ScriptedCard | None = None
        self._powered = False
        self._manner = Manner.WELL
        self._next_manners: list[tuple[Command | None, Manner]] = []
        self._errors: dict[bytes, tuple[int, int | None]] = {}
        self._lock = threading.Lock()

    # ------------------------------------------------------------------ what a person does

    def insert(self, card: ScriptedCard) -> bool:
        """False: the entry is closed or taken, the card does not go in."""
        with self._lock:
            if self._front is not Front.SWITCH or self.place is not CardPlace.NONE:
                return False
            self._card, self.place = card, CardPlace.INSIDE
            return True

    def take(self) -> bool:
        """False: no card stands out of the slot."""
        with self._lock:
            if self.place not in _AT_FRONT:
                return False
            self._remove()
            return True

    def pull(self) -> None:
        """By force, wherever it is."""
        with self._lock:
            self._remove()

    def leave(self, card: ScriptedCard, place: CardPlace = CardPlace.INSIDE) -> None:
        """A card is there since before: of a program that crashed, or one that does not fit."""
        with self._lock:
            self._card, self.place = card, place

    # ------------------------------------------------------------------ what a machine does

    @property
    def entry_open(self) -> bool:
        return self._front is Front.SWITCH or self._rear is Rear.OPEN

    def power_cycle(self) -> None:
        """Only the reader loses its power, its line stays."""
        with self._lock:
            self._front, self._rear, self._powered = Front.SWITCH, Rear.OPEN, False

    def behave(self, manner: Manner, times: int | None = None, command: Command | None = None) -> None:
        """The next `times` commands (one kind, or any) are dealt with in this manner; without `times` all from now on."""
        if times is None:
            self._manner = manner
        else:
            self._next_manners += [(command, manner)] * times

    def fail(self, command: Command, reason: int, times: int | None = None) -> None:
        """The next `times` of a command end with this error frame, or all until `cure`."""
        self._errors[command] = (reason, times)

    def cure(self) -> None:
        """Everything works again."""
        self._errors.clear()
        self._next_manners.clear()
        self._manner = Manner.WELL
        self.stuck = self.entry_stays_open = False

    # ------------------------------------------------------------------ its own thread

    def _serve(self) -> None:
        parser = TalkParser()
        pending, manner = b"", Manner.WELL
        while not self._stopping.is_set():
            for token in parser.feed(self.port.read(0.05)):
                if isinstance(token, bytes):
                    pending, manner = token, self._manner_for(token)
                    self._acknowledge(manner)
                elif token is Control.ENQ and pending and manner not in (Manner.NAK, Manner.NO_ACK, Manner.BABBLE):
                    body, pending = pending, b""
                    self._reply(body, manner)
                elif token is Control.CANCEL:
                    pending = b""
                    self.port.write(bytes((Control.CANCEL,)))

    def _manner_for(self, body: bytes) -> Manner:
        for order in self._next_manners:
            if order[0] is None or body.startswith(order[0]):
                self._next_manners.remove(order)
                return order[1]
        return self._manner

    def _acknowledge(self, manner: Manner) -> None:
        match manner:
            case Manner.NO_ACK:
                return
            case Manner.NAK:
                self.port.write(bytes((Control.NAK,)))
            case Manner.BABBLE:
                self.port.write(BABBLE)
            case _:
                self.port.write(bytes((Control.ACK,)))

    def _reply(self, body: bytes, manner: Manner) -> None:
        self.received.append(body)
        frame = self._error_for(body) or encode_frame(body[:2] + self._obey(body))
        match manner:
            case Manner.NO_REPLY:
                return
            case Manner.WRONG_BCC:
                frame = frame[:-1] + bytes((frame[-1] ^ 0xFF,))
            case Manner.OTHER_COMMAND:
                frame = encode_frame(b"\x45\x30" + frame[5:-2])
            case Manner.TRUNCATED:
                frame = frame[: len(frame) // 2]
        size = self.chunk_size or len(frame)
        for start in range(0, len(frame), size):
            self.port.write(frame[start : start + size])

    def _error_for(self, body: bytes) -> bytes:
        reason, times = self._errors.get(body[:2], (0, 0))
        if times == 0:
            return b""
        if times is not None:
            self._errors[body[:2]] = (reason, times - 1)
        return error_frame(body[0], reason)

    def _obey(self, body: bytes) -> bytes:
        """The data of the reply."""
        commands: dict[bytes, Callable[[bytes], bytes]] = {
            Command.RESET: self._reset,
            Command.STATUS: lambda _: bytes((self.place, self._front, self._rear)),
            Command.CLOSE_FRONT: lambda data: self._set_entry(Front.CLOSED, data),
            Command.OPEN_FRONT: lambda data: self._set_entry(Front.SWITCH, data),
            Command.TO_CONTACTS: self._to_contacts,
            Command.EJECT: lambda _: self._move_out(CardPlace.FRONT),
            Command.EJECT_HELD: lambda _: self._move_out(CardPlace.FRONT_HELD),
            Command.POWER_OFF: self._power_off,
            **dict.fromkeys(_RESETS, self._power_on),
            **dict.fromkeys(_EXCHANGES, self._exchange),
        }
        with self._lock:
            return commands[body[:2]](body[2:])

    def _reset(self, data: bytes) -> bytes:
        self._front, self._rear, self._powered = Front.SWITCH, Rear.OPEN, False
        return VERSION

    def _set_entry(self, front: Front, data: bytes) -> bytes:
        if not self.entry_stays_open:
            self._front = front
        self._rear = Rear.CLOSED if data == b"1" else Rear.OPEN
        return bytes((Result.FAILED,))  # "success" in one of the two readings of the vendor's document

    def _to_contacts(self, data: bytes) -> bytes:
        self._stopping.wait(self.motor_s)
        if self.place is CardPlace.NONE:
            return bytes((Result.NO_CARD,))
        if self.place not in (CardPlace.INSIDE, CardPlace.CONTACTS):
            return bytes((Result.WRONG_POSITION,))
        self.place = CardPlace.CONTACTS
        return bytes((Result.OK,))

    def _move_out(self, place: CardPlace) -> bytes:
        self._stopping.wait(self.motor_s)
        if self.place is CardPlace.NONE:
            return bytes((Result.NO_CARD,))
        if self.stuck:
            return bytes((Result.FAILED,))
        self.place, self._powered = place, False
        return bytes((Result.OK,))

    def _power_off(self, data: bytes) -> bytes:
        self._powered = False
        if self._card is None:
            return bytes((Result.NO_CARD,))
        self._card.power_off()
        return bytes((Result.OK,))

    def _power_on(self, data: bytes) -> bytes:
        if self._card is None:
            return bytes((Result.NO_CARD,))
        if self.place is not CardPlace.CONTACTS:
            return bytes((Result.WRONG_POSITION,))
        if not self._card.atr:
            return bytes((Result.FAILED,))
        self._powered = True
        return bytes((Result.OK,)) + with_length(self._card.atr)

    def _exchange(self, data: bytes) -> bytes:
        apdu = without_length(data)
        if self._card is None:
            return bytes((Result.NO_CARD,))
        if not self._powered or apdu is None:
            return bytes((Result.FAILED,))
        answer = self._card.answer(apdu)
        if answer is Silence.GONE:
            self._remove()
            return bytes((Result.NO_CARD,))
        if answer is Silence.MUTE:
            return bytes((Result.FAILED,))
        return bytes((Result.OK,)) + with_length(answer)

    def _remove(self) -> None:
        if self._card is not None:
            self._card.power_off()
        self._card, self.place, self._powered = None, CardPlace.NONE, False
