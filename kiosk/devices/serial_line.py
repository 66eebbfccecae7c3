"""A serial line as the device threads need it: short reads, absolute deadlines, one kind of loss."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import select
import termios
import threading
import time
from collections.abc import Callable, Iterator
from enum import Enum

import serial

from kiosk.devices.service import DeviceLost

_log = logging.getLogger(__name__)

_SLICE_S = 0.04
"""How long one read, write or close may block, hence how late a deadline or a stop is noticed."""
_STALL_S = 1.0
"""A device that has taken nothing for this long takes nothing at all."""
_OPEN_REASONS = {
    errno.EAGAIN: "busy_port",
    errno.EBUSY: "busy_port",
    errno.EACCES: "port_denied",
    errno.EPERM: "port_denied",
}


class Direction(Enum):
    SENT = ">"
    RECEIVED = "<"


Tap = Callable[[Direction, bytes], None]
"""Sees every byte of a line, in the thread that works with it; for a technician's trace, which masks what it shows."""


class LineLost(DeviceLost):
    """The port is gone, taken or refused.

    `no_port`: nothing there to open · `busy_port`: another program owns it · `port_denied`: no permission
    · `line_lost`: it vanished while in use · `stalled`: the device takes no bytes.
    """


class SerialLine:
    """An open port, 8N1 without flow control. Used by one thread; only the stop event may be set by others.

    Every call except `close` raises LineLost and nothing else when the port fails. termios.error, which pyserial
    lets through after an unplug, is neither an OSError nor a SerialException.
    """

    def __init__(self, port: serial.Serial, stop: threading.Event, tap: Tap | None = None) -> None:
        self._port = port
        self._stop = stop
        self._tap = tap

    @classmethod
    def open(cls, path: str, baud: int, stop: threading.Event | None = None, tap: Tap | None = None) -> SerialLine:
        """Opens the port for this program alone (advisory lock). `stop`, once set, ends every read at once."""
        try:
            port = serial.Serial(path, baud, timeout=_SLICE_S, exclusive=True)
        except (OSError, termios.error) as error:
            raise LineLost(_OPEN_REASONS.get(getattr(error, "errno", 0), "no_port")) from None
        return cls(port, stop or threading.Event(), tap)

    def write(self, data: bytes) -> None:
        """Hands over all bytes; when stopped, those the line takes at once. Raises LineLost("stalled") when the device
        has not taken one within a second, or takes them far slower than the line is.
        """
        left = memoryview(data)
        now = time.monotonic()
        stalled, too_slow = now + _STALL_S, now + _STALL_S + 4 * len(data) * 10 / self._port.baudrate
        while left:
            with _guarded():
                taken = self._write_some(left)
            now = time.monotonic()
            if taken:
                left, stalled = left[taken:], now + _STALL_S
            elif self._stop.is_set():
                break
            if left and now > min(stalled, too_slow):
                raise LineLost("stalled")
        if self._tap:
            self._tap(Direction.SENT, data[: len(data) - len(left)])

    def _write_some(self, data: memoryview) -> int:
        """How many bytes were taken, within one slice; at once when stopped."""
        _, ready, _ = select.select([], [self._port.fileno()], [], 0.0 if self._stop.is_set() else _SLICE_S)
        try:
            return os.write(self._port.fileno(), data) if ready else 0
        except BlockingIOError:
            return 0

    def read_some(self, deadline: float, limit: int = 4096) -> bytes:
        """The bytes at hand, at least one; b"" at the deadline (time.monotonic seconds) or when stopped."""
        data = b""
        with _guarded():
            while not data and not self._stop.is_set() and time.monotonic() < deadline:
                if first := self._port.read(1):
                    data = first + self._port.read(min(self._port.in_waiting, limit - 1))
        if data and self._tap:
            self._tap(Direction.RECEIVED, data)
        return data

    def discard_input(self) -> None:
        """Forgets what came in unasked, such as the late answer to an earlier command."""
        with _guarded():
            self._port.reset_input_buffer()

    def close(self) -> None:
        """Never raises. What the device has not taken within a slice is given up: the kernel would wait 30 s for it."""
        with contextlib.suppress(OSError, termios.error):
            if self._port.is_open:
                self._drain()
        with contextlib.suppress(OSError, termios.error):
            self._port.close()

    def _drain(self) -> None:
        deadline = time.monotonic() + _SLICE_S
        while self._port.out_waiting:
            if time.monotonic() > deadline:
                self._port.reset_output_buffer()
                return
            time.sleep(_SLICE_S / 10)


@contextlib.contextmanager
def _guarded() -> Iterator[None]:
    try:
        yield
    except (OSError, termios.error) as error:
        _log.info("line lost: %s %s", type(error).__name__, getattr(error, "errno", None) or "")
        raise LineLost("line_lost") from None
