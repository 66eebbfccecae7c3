"""The camera as everybody uses it: open only while somebody wants it, watched, brought back when it is lost."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable

import numpy as np

from kiosk.config import CameraConfig
from kiosk.devices.camera.grabber import Grabber
from kiosk.devices.camera.source import Frame, open_source
from kiosk.devices.service import DeviceLost, DeviceService
from kiosk.domain.status import DeviceKind, DeviceState, DeviceStatus

OnFrame = Callable[[Frame, float], None]
"""frame (BGR, not mirrored, its own array) and monotonic time of arrival; called from the camera thread."""

_BLACK_MEAN = 8.0
_BLACK_S = 1.0
_GLANCE = 8
"""Every eighth pixel is enough to tell a frozen or black picture."""
_REST_S = 60.0
_FIRST_FRAME_S = 6.0
"""Opening a camera and its first exposure take longer than the next frame."""


class CameraService(DeviceService):
    """Reasons: `no_device` nothing to open · `stale` no new frame in time · `frozen` frames that are equal to the
    last bit, which no sensor sends · `black` covered or without light (DEGRADED).

    At the start it is opened once to prove itself; while nobody wants it the last state stands.
    """

    def __init__(self, config: CameraConfig, on_status: Callable[[DeviceStatus], None]) -> None:
        super().__init__(DeviceKind.CAMERA, on_status)
        self._config = config
        self._subscribers: tuple[OnFrame, ...] = ()
        self._holders: frozenset[str] = frozenset()
        self._lock = threading.Lock()
        self._grabber: Grabber | None = None

    def subscribe(self, on_frame: OnFrame) -> None:
        """Frames go to every subscriber while the camera is open."""
        with self._lock:
            self._subscribers = (*self._subscribers, on_frame)

    def want(self, holder: str) -> None:
        """Keeps the camera open until this holder no longer wants it. Asking twice is asking once."""
        with self._lock:
            self._holders |= {holder}
        self.attention.set()

    def unwant(self, holder: str) -> None:
        with self._lock:
            self._holders -= {holder}

    def open(self) -> None:
        config = self._config
        if self._grabber is not None and self._grabber.hangs:
            raise DeviceLost("stale")  # the driver still sits on the device
        self._grabber = Grabber(lambda: open_source(config.source, config.width, config.height, config.fps))

    def close(self) -> None:
        if self._grabber is not None and self._grabber.close():
            self._grabber = None

    def run(self) -> None:
        picture = _Picture(self._config.stale_s)
        while not self.stopping.is_set():
            if self._holders or not picture.proved:
                self._take(picture)
            else:
                picture = _Picture(self._config.stale_s)  # before the rest: nobody's picture is kept meanwhile
                self._rest()

    def _take(self, picture: _Picture) -> None:
        assert self._grabber is not None
        frame, t = self._grabber.read(self._config.stale_s if picture.started else _FIRST_FRAME_S)
        verdict = picture.judge(frame, t)
        if verdict is not None:
            self.report(*verdict)
        if self._holders:
            for on_frame in self._subscribers:
                on_frame(frame, t)

    def _rest(self) -> None:
        """Closed until somebody wants it."""
        self.close()
        while not self._holders and not self.stopping.is_set():
            self.pause(_REST_S)
        if not self.stopping.is_set():
            self.open()


class _Picture:
    """Judges one opening of the camera by its frames."""

    def __init__(self, frozen_s: float) -> None:
        self.proved = False
        """Frames have been seen to change."""
        self._frozen_s = frozen_s
        self._last: Frame | None = None
        self._changed_at = math.inf
        self._light_at = math.inf

    @property
    def started(self) -> bool:
        return self._last is not None

    def judge(self, frame: Frame, t: float) -> tuple[DeviceState, str] | None:
        """None: not known yet. Raises DeviceLost("frozen")."""
        glance = frame[::_GLANCE, ::_GLANCE]
        moved = self._last is not None and not np.array_equal(self._last, glance)
        if not self.started:
            self._changed_at = self._light_at = t
        self._last = glance.copy()
        if moved:
            self._changed_at = t
        elif t - self._changed_at > self._frozen_s:
            raise DeviceLost("frozen")
        self.proved = self.proved or moved
        if glance.mean() > _BLACK_MEAN:
            self._light_at = t
        if not self.proved:
            return None
        if t - self._light_at > _BLACK_S:
            return DeviceState.DEGRADED, "black"
        return DeviceState.READY, ""
