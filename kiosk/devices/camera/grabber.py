"""Reads a source in a thread of its own, so that a driver that never answers is noticed and not waited for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from kiosk.devices.camera.source import Frame, FrameSource
from kiosk.devices.service import DeviceLost

_JOIN_S = 1.0


class Grabber:
    """Opens and reads at once; only the newest frame is kept. Used by one thread."""

    def __init__(self, open_source: Callable[[], FrameSource]) -> None:
        self._open_source = open_source
        self._changed = threading.Condition()
        self._newest: tuple[Frame, float] | None = None
        self._failure: Exception | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._grab, name="camera-grabber", daemon=True)
        self._thread.start()

    def read(self, timeout_s: float) -> tuple[Frame, float]:
        """The newest frame not yet given and its monotonic time. Raises DeviceLost; `stale` after the timeout."""
        with self._changed:
            self._changed.wait_for(lambda: self._newest is not None or self._failure is not None, timeout_s)
            if self._newest is not None:
                newest, self._newest = self._newest, None
                return newest
            raise self._failure or DeviceLost("stale")

    def close(self) -> bool:
        """False: the driver does not return; it keeps the device until it does."""
        self._closing = True
        self._thread.join(_JOIN_S)
        with self._changed:
            self._newest = None
        return not self._thread.is_alive()

    @property
    def hangs(self) -> bool:
        return self._thread.is_alive()

    def _grab(self) -> None:
        try:
            source = self._open_source()
            try:
                while not self._closing:
                    frame = source.read()
                    self._put(frame)
            finally:
                source.close()
        except Exception as failure:  # handed to the reader, where it ends
            with self._changed:
                self._failure = failure
                self._changed.notify()

    def _put(self, frame: Frame) -> None:
        with self._changed:
            self._newest = frame, time.monotonic()
            self._changed.notify()
