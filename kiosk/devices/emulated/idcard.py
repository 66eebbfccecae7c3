"""An identity-card reader at the far end of a pseudo-terminal: SAM_V byte by byte, with faults to order."""

from __future__ import annotations

import itertools
import struct
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable
from enum import Enum
from pathlib import Path

from kiosk.devices.emulated.cards import EmulatedCard
from kiosk.devices.emulated.pty_device import PtyDevice
from kiosk.devices.idcard.codec import HEADER, Command, FrameFault, FrameParser, Sw3, encode_frame

NOISE = bytes.fromhex("00AAAA96")
VENDOR_TIMEOUT = bytes.fromhex("AAAAAA96690005050505")
"""What one vendor's firmware sends after its own time-out: two bytes short of what it declares."""
BABBLE = (bytes(range(64)), b"\x55" * 64, HEADER + b"\xff\xff", HEADER + b"\x0f\xf0" + b"\x90" * 30)
"""Noise, and beginnings of frames that never end."""
SAM_ID = struct.pack("<HHIII", 5, 3, 20230101, 12345678, 987654321)

_BITS_PER_BYTE = 10
_PACED_PIECE = 64
"""Bytes that leave together on a paced line; 5.6 ms at 115200 baud."""


class Manner(Enum):
    """How an answer goes out."""

    WELL = "well"
    NOISE_BEFORE = "noise_before"
    WRONG_CHECKSUM = "wrong_checksum"
    TRUNCATED = "truncated"
    """Half of it."""
    HALF_THEN_SILENT = "half_then_silent"
    """Half of it, and from then on nothing."""
    GLUED = "glued"
    """With another answer right behind it."""
    BABBLE = "babble"
    """No answer, but bytes without end."""
    MUTE = "mute"
    VENDOR_TIMEOUT = "vendor_timeout"
    LATE = "late"
    """After `late_s`, when nobody waits for it any more."""


class _Phase(Enum):
    NONE = 0
    FOUND = 1
    SELECTED = 2


class IdCardEmulator(PtyDevice):
    """Answers in its own thread while entered as a context manager. Knobs may be turned at any time."""

    def __init__(self, link: Path) -> None:
        """link: the name under which the kiosk opens the reader."""
        super().__init__(link, "emulated-idcard")
        self.received: list[bytes] = []
        """Every request in order, as CMD PARA."""
        self.chunk_size = 0
        """Answers go out in pieces of this many bytes; 0: in one."""
        self.chunk_delay_s = 0.0
        self.baud = 0
        """Requests and answers take the time that a line of this speed needs; 0: none."""
        self.delays: dict[bytes, float] = {}
        """How many seconds the module thinks about a command."""
        self.late_s = 1.2
        self.finds_again = True
        """Whether a card is found again after a good read while it lies there. Real firmware differs."""
        self.vanish_after: Command | None = None
        """The card is taken away once this command has succeeded; once."""
        self.unplug_after: Command | None = None
        """The reader is pulled out once it has answered this command; once."""
        self.flapping = False
        """A card that lies there is found only every other time, as at the edge of the field."""
        self._finds = itertools.count()
        self._manner = Manner.WELL
        self._every = 1
        self._answered = itertools.count(1)
        self._next_manners: list[tuple[Command | None, Manner]] = []
        self._injected: dict[bytes, deque[int]] = defaultdict(deque)
        self._always: dict[bytes, int] = {}
        self._card: EmulatedCard | None = None
        self._phase = _Phase.NONE
        self._read_since_laid = False
        self._lock = threading.Lock()

    def lay(self, card: EmulatedCard) -> None:
        """Puts a card on the plate, in place of one that may lie there."""
        with self._lock:
            self._card, self._phase, self._read_since_laid = card, _Phase.NONE, False

    def lift(self) -> None:
        with self._lock:
            self._card, self._phase = None, _Phase.NONE

    def replug_elsewhere(self) -> None:
        self.port.replug_elsewhere()

    def stall(self) -> None:
        """Takes no more bytes, until cured."""
        self.port.stall()

    def behave(
        self, manner: Manner, times: int | None = None, command: Command | None = None, every: int = 1
    ) -> None:
        """The next `times` answers (to one command, or to any) go out in this manner; without `times` all from now on,
        or every second, third, … one.
        """
        if times is None:
            self._manner, self._every = manner, every
        else:
            self._next_manners += [(command, manner)] * times

    def inject(self, command: Command, sw3: int, times: int | None = None) -> None:
        """The next `times` answers to a command carry this status instead, or all until `cure`."""
        if times is None:
            self._always[command] = sw3
        else:
            self._injected[command].extend([sw3] * times)

    def cure(self) -> None:
        """Everything works again."""
        self._always.clear()
        self._injected.clear()
        self._next_manners.clear()
        self._manner = Manner.WELL
        self.chunk_size, self.chunk_delay_s, self.baud = 0, 0.0, 0
        self.delays.clear()
        self.vanish_after = self.unplug_after = None
        self.flapping = False
        self.port.stall(False)

    def _serve(self) -> None:
        parser, babble = FrameParser(shortest=3), itertools.cycle(BABBLE)
        while not self._stopping.is_set():
            if babbling := self._manner is Manner.BABBLE:
                self.port.write(next(babble))
            for request in parser.feed(self.port.read(0.002 if babbling else 0.05)):
                if isinstance(request, bytes):
                    self._handle(request)
                else:
                    fault = Sw3.HOST_CHECKSUM if request is FrameFault.CHECKSUM else Sw3.HOST_LENGTH
                    self._send(encode_frame(_status(fault)), self._manner)

    def _handle(self, request: bytes) -> None:
        self.received.append(request)
        frame = encode_frame(self._answer(request))
        asking_s = len(encode_frame(request)) * _BITS_PER_BYTE / self.baud if self.baud else 0.0
        self._stopping.wait(asking_s + self.delays.get(request, 0.0))
        self._send(frame, self._manner_for(request))
        if request == self.unplug_after:
            self.unplug_after = None
            self.port.unplug()

    def _manner_for(self, request: bytes) -> Manner:
        for order in self._next_manners:
            if order[0] in (None, request):
                self._next_manners.remove(order)
                return order[1]
        return Manner.WELL if next(self._answered) % self._every else self._manner

    def _answer(self, request: bytes) -> bytes:
        if queue := self._injected[request]:
            return _status(queue.popleft())
        if (always := self._always.get(request)) is not None:
            return _status(always)
        with self._lock:
            body = self._obey(request)
            if request == self.vanish_after and body[2] in (Sw3.OK, Sw3.FOUND):
                self.vanish_after = self._card = None
                self._phase = _Phase.NONE
            return body

    def _obey(self, request: bytes) -> bytes:
        commands: dict[bytes, Callable[[], bytes]] = {
            Command.RESET: self._reset,
            Command.STATUS: lambda: _status(Sw3.OK),
            Command.SAM_ID: lambda: _status(Sw3.OK) + SAM_ID,
            Command.FIND: self._find,
            Command.SELECT: self._select,
            Command.READ: self._read,
            Command.READ_NEW_ADDRESS: self._read_new_address,
        }
        return commands.get(request, lambda: _status(Sw3.UNKNOWN_COMMAND))()

    def _reset(self) -> bytes:
        self._phase = _Phase.NONE
        return _status(Sw3.OK)

    def _find(self) -> bytes:
        if self._card is None or (self._read_since_laid and not self.finds_again):
            return _status(Sw3.NO_CARD)
        if self.flapping and next(self._finds) % 2:
            self._phase = _Phase.NONE
            return _status(Sw3.NO_CARD)
        self._phase = _Phase.FOUND
        return _status(Sw3.FOUND) + bytes(4)

    def _select(self) -> bytes:
        if self._phase is not _Phase.FOUND:
            return _status(Sw3.SELECT_FAILED)
        self._phase = _Phase.SELECTED
        return _status(Sw3.OK) + bytes(8)

    def _read(self) -> bytes:
        if self._card is None or self._phase is not _Phase.SELECTED:
            return _status(Sw3.READ_FAILED)
        self._read_since_laid = True
        return _status(Sw3.OK) + self._card.read_answer()

    def _read_new_address(self) -> bytes:
        if self._card is None or self._phase is not _Phase.SELECTED:
            return _status(Sw3.READ_FAILED)
        address = self._card.new_address_answer()
        return _status(Sw3.NO_CONTENT) if address is None else _status(Sw3.OK) + address

    def _send(self, frame: bytes, manner: Manner) -> None:
        if manner is Manner.LATE:
            self._stopping.wait(self.late_s)
        if manner is Manner.HALF_THEN_SILENT:
            self._manner = Manner.MUTE
        frame = _spoiled(frame, manner)
        size = self.chunk_size or (_PACED_PIECE if self.baud else len(frame)) or 1
        began = time.monotonic()
        for start in range(0, len(frame), size):
            piece = frame[start : start + size]
            if self.baud:  # the piece arrives when its last bit has passed
                self._stopping.wait(began + (start + len(piece)) * _BITS_PER_BYTE / self.baud - time.monotonic())
            self.port.write(piece)
            if self.chunk_delay_s:
                self._stopping.wait(self.chunk_delay_s)


def _status(sw3: int) -> bytes:
    return bytes([0, 0, sw3])


def _spoiled(frame: bytes, manner: Manner) -> bytes:
    match manner:
        case Manner.NOISE_BEFORE:
            return NOISE + frame
        case Manner.WRONG_CHECKSUM:
            return frame[:-1] + bytes([frame[-1] ^ 0xFF])
        case Manner.TRUNCATED | Manner.HALF_THEN_SILENT:
            return frame[: len(frame) // 2]
        case Manner.GLUED:
            return frame + encode_frame(_status(Sw3.NO_CARD))
        case Manner.MUTE | Manner.BABBLE:
            return b""
        case Manner.VENDOR_TIMEOUT:
            return VENDOR_TIMEOUT
        case _:
            return frame
