"""The code scanner at work: proves itself, hands on one code when asked, ignores every other.

Newland models are asked who they are, first and while idle. Others cannot be asked: they stay UNKNOWN `unproven`
until their first good code, and an unplug is noticed by reading, which never ends.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue

from kiosk.config import ScannerConfig, ScannerProof
from kiosk.devices.scanner.codec import NEWLAND_QUERY, SILENCE_S, Frame, Framer, NewlandAnswer, type_frame
from kiosk.devices.scanner.events import ScanEvent, ScanRefused
from kiosk.devices.serial_device import SerialDevice
from kiosk.devices.service import DeviceLost
from kiosk.domain.status import DeviceKind, DeviceState, DeviceStatus

_log = logging.getLogger(__name__)

_THRICE = 3


@dataclass(frozen=True, slots=True)
class Timing:
    """All delays of the service, in seconds."""

    answer: float = 1.0
    """A query unanswered for this long has not been heard."""
    heartbeat: float = 3.0
    """Between two queries while nothing is scanned."""
    same_code: float = 3.0
    """The code seen last, again within this time, is the same showing; refusals are told no more often than this."""
    babble: float = 5.0
    """No code takes this long: bytes without a pause are noise."""
    retry: tuple[float, float] = (0.5, 5.0)
    """First and longest wait before the port is opened again."""


class ScannerService(SerialDevice):
    """Statuses: READY once proved, UNKNOWN `unproven` before, OFFLINE with a reason of LineLost, `mute`,
    `wrong_device` or `babbling`.
    """

    def __init__(
        self,
        config: ScannerConfig,
        on_status: Callable[[DeviceStatus], None],
        on_event: Callable[[ScanEvent], None],
        timing: Timing | None = None,
    ) -> None:
        """Both listeners are called from the device thread."""
        self._timing = timing or Timing()
        super().__init__(DeviceKind.SCANNER, config.port, config.baud, on_status, self._timing.retry)
        self._config = config
        self._on_event = on_event
        self._orders: SimpleQueue[bool] = SimpleQueue()
        self._wanted = False
        self._memory = _Memory(self._timing.same_code)
        self._refused_at = -self._timing.same_code

    def seek(self) -> None:
        """Hand on the next code. Ends with the first ScannedToken or ScannedLookup; ScanRefused may come before."""
        self._orders.put(True)

    def release(self) -> None:
        """Ignore what is scanned."""
        self._orders.put(False)

    def run(self) -> None:
        self._framer = Framer()
        self._asked_at: float | None = None
        self._heard_at = self._quiet_at = time.monotonic()
        self._unanswered = 0
        if self._asks:
            self._prove()
            self.report(DeviceState.READY)
        while not self.stopping.is_set():
            for frame in self._receive():
                if isinstance(frame, Frame):
                    self._scanned(frame)
            if self._asks:
                self._heartbeat()

    @property
    def _asks(self) -> bool:
        return self._config.proof is ScannerProof.NEWLAND

    def _prove(self) -> None:
        """What is scanned meanwhile counts as no answer: wrong devices send letters, too."""
        heard = False
        for _ in range(_THRICE):
            self._ask()
            deadline = time.monotonic() + self._timing.answer
            while time.monotonic() < deadline and not self.stopping.is_set():
                before = self._heard_at
                if any(isinstance(frame, NewlandAnswer) for frame in self._receive()):
                    return
                heard = heard or self._heard_at != before
        raise DeviceLost("wrong_device" if heard else "mute")

    def _heartbeat(self) -> None:
        """Any sign of life will do; three queries into silence are the end."""
        now = time.monotonic()
        if self._asked_at is not None and self._heard_at > self._asked_at:
            self._asked_at, self._unanswered = None, 0
        if self._asked_at is not None and now - self._asked_at > self._timing.answer:
            self._asked_at = None
            self._unanswered += 1
            if self._unanswered >= _THRICE:
                raise DeviceLost("mute")
            self._ask()
        elif self._asked_at is None and not self._framer.pending and now - self._heard_at > self._timing.heartbeat:
            self._ask()

    def _ask(self) -> None:
        self._asked_at = time.monotonic()
        self.line.write(NEWLAND_QUERY)

    def _receive(self) -> list[Frame | NewlandAnswer]:
        """One read: what it completes, or what the silence instead of it completes."""
        data = self.line.read_some(time.monotonic() + SILENCE_S)
        now = time.monotonic()
        if not data:
            self._quiet_at = now
            if not self._asks and not self.status.usable:  # only now: noise is told as noise
                self.report(DeviceState.UNKNOWN, "unproven")
            return self._framer.silence()
        self._heard_at = now
        if now - self._quiet_at > self._timing.babble:
            raise DeviceLost("babbling")
        return self._framer.feed(data)

    def _scanned(self, frame: Frame) -> None:
        event = type_frame(frame, self._config.aim_id)
        if not isinstance(event, ScanRefused) and not self._asks:
            self.report(DeviceState.READY)
        now = time.monotonic()
        again = self._memory.again(frame.text, now)
        self._take_orders()
        if not self._wanted or again:
            return
        if isinstance(event, ScanRefused):
            if now - self._refused_at < self._timing.same_code:
                return
            self._refused_at = now
        else:
            self._wanted = False
            _log.info("%s handed on", type(event).__name__)
        self._memory.told(frame.text, now)
        self._emit(event)

    def _take_orders(self) -> None:
        while not self._orders.empty():
            self._wanted = self._orders.get()

    def _emit(self, event: ScanEvent) -> None:
        if not self.stopping.is_set():
            self.notify(self._on_event, event)


class _Memory:
    """The last code that was told, as a keyed digest only: no token outlives its conversation here."""

    def __init__(self, same_code_s: float) -> None:
        self._same_code_s = same_code_s
        self._key = secrets.token_bytes(32)
        self._last: tuple[bytes, float] | None = None

    def told(self, text: str, now: float) -> None:
        """This code went to the conversation. now: monotonic seconds."""
        self._last = self._digest(text), now

    def again(self, text: str, now: float) -> bool:
        """Whether this is that code, held on without a longer break."""
        if self._last is None or self._last[0] != self._digest(text) or now - self._last[1] >= self._same_code_s:
            return False
        self.told(text, now)
        return True

    def _digest(self, text: str) -> bytes:
        return hashlib.blake2b(text.encode(), key=self._key).digest()
