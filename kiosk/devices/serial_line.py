"""A serial line as the device threads need it: short reads, absolute deadlines, one kind of loss."""

from __future__ import annotations

import contextlib
import errno
import termios
import threading
import time
from collections.abc import Callable, Iterator
from enum import Enum

import serial

from kiosk.devices.service import DeviceLost

_READ_SLICE_S = 0.05
"""How long one read may block, hence how late a deadline or a stop is noticed."""
_WRITE_TIMEOUT_S = 1.0
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
            port = serial.Serial(path, baud, timeout=_READ_SLICE_S, write_timeout=_WRITE_TIMEOUT_S, exclusive=True)
        except (OSError, termios.error) as error:
            raise LineLost(_OPEN_REASONS.get(getattr(error, "errno", 0), "no_port")) from None
        return cls(port, stop or threading.Event(), tap)

    def write(self, data: bytes) -> None:
        """Hands over all bytes; raises LineLost("stalled") when the device has not taken them within a second."""
        with _guarded():
            self._port.write(data)
        if self._tap:
            self._tap(Direction.SENT, data)

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
        """Never raises."""
        with contextlib.suppress(OSError, termios.error):
            self._port.close()


@contextlib.contextmanager
def _guarded() -> Iterator[None]:
    try:
        yield
    except serial.SerialTimeoutException:
        raise LineLost("stalled") from None
    except (OSError, termios.error):
        raise LineLost("line_lost") from None
