"""Reads a source in a thread of its own, so that a driver that never answers is noticed and not waited for."""

from __future__ import annotations

import itertools
import threading
import time
from collections import deque
from collections.abc import Callable

from kiosk.devices.camera.frames import FrameSource, Shot
from kiosk.devices.service import DeviceLost

_SLICE_S = 0.02
"""How late a stop is noticed at the latest."""
_CLOSE_S = 1.0

_numbers = itertools.count(1)


class Grabber:
    """Opens and reads at once; only the newest frames are kept. Used by one thread."""

    def __init__(self, open_source: Callable[[], FrameSource], name: str, keep: int = 1) -> None:
        """name: of the thread, followed by a number."""
        self._open_source = open_source
        self._changed = threading.Condition()
        self._shots: deque[Shot] = deque(maxlen=keep)
        self._failure: Exception | None = None
        self._closing = threading.Event()
        self.source: FrameSource | None = None
        """Its facts, from the first frame on; only the grabber's own thread works with it."""
        self._thread = threading.Thread(target=self._grab, name=f"{name}-{next(_numbers)}", daemon=True)
        self._thread.start()

    def read(self, timeout_s: float, stop: threading.Event) -> Shot | None:
        """The newest frame not yet given; None once stopped. Raises DeviceLost; `stale` after the timeout."""
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while not self._shots and self._failure is None and not stop.is_set():
                left = deadline - time.monotonic()
                if left <= 0:
                    raise DeviceLost("stale")
                self._changed.wait(min(left, _SLICE_S))
            if self._shots:
                newest = self._shots[-1]
                self._shots.clear()
                return newest
            if self._failure is not None:
                raise self._failure
            return None

    def drain(self) -> list[Shot]:
        """The frames that came since the last call, oldest first. Raises DeviceLost when there will be no more."""
        with self._changed:
            if not self._shots and self._failure is not None:
                raise self._failure
            shots = list(self._shots)
            self._shots.clear()
            return shots

    def end(self) -> None:
        """Asks it to let go of the device; does not wait."""
        self._closing.set()

    def close(self, give_up: threading.Event) -> bool:
        """False: the driver does not return, the thread is left behind and lets go of the device once it does.

        Waits a second for that, next to nothing once `give_up` is set. May be called again.
        """
        self.end()
        deadline = time.monotonic() + _CLOSE_S
        self._thread.join(_SLICE_S)
        while self._thread.is_alive() and time.monotonic() < deadline and not give_up.is_set():
            self._thread.join(_SLICE_S)
        with self._changed:
            self._shots.clear()
        return not self._thread.is_alive()

    @property
    def alive(self) -> bool:
        """It still has the device."""
        return self._thread.is_alive()

    @property
    def name(self) -> str:
        return self._thread.name

    def _grab(self) -> None:
        try:
            source = self._open_source()
            try:
                while not self._closing.is_set():
                    self._put(source, source.read())
            finally:
                source.close()
        except Exception as failure:  # handed to the reader, where it ends
            with self._changed:
                self._failure = failure
                self._changed.notify()

    def _put(self, source: FrameSource, shot: Shot) -> None:
        with self._changed:
            if not self._closing.is_set():  # nobody's picture stays in memory after the end
                self.source = source
                self._shots.append(shot)
                self._changed.notify()
