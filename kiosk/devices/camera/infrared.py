"""The infrared half of a binocular module: a second source that may be lost and come back beside the first."""

from __future__ import annotations

import threading
import time

from kiosk.config import CameraConfig
from kiosk.devices.camera.frames import Shot
from kiosk.devices.camera.grabber import Grabber
from kiosk.devices.camera.picture import Picture
from kiosk.devices.camera.source import open_source
from kiosk.devices.service import DeviceLost

_RETRY_S = 2.0
_FIRST_FRAME_S = 6.0
_KEEP = 4


class Infrared:
    """Worked by the thread of the colour camera and never waited for. Without `ir_source` it has nothing to do.

    How bright it is says nothing: with nobody before the machine an infrared picture is dark.
    """

    def __init__(self, config: CameraConfig) -> None:
        self._grabber: Grabber | None = None
        self._streaming = False
        """The grabber is to work; otherwise it has been asked to end."""
        self.prepare(config)

    def prepare(self, config: CameraConfig) -> None:
        """Before an opening: its settings."""
        self._config = config
        self._picture = Picture(config.stale_s)
        self._due = 0.0
        """While streaming: when the next frame must have come; otherwise when it may be opened again."""
        self.lost = False
        self.settled = config.ir_source is None
        """Seen to move, or known to be lost: nothing is left to wait for."""

    def frames(self) -> list[Shot]:
        """What has come since the last call. Opens it when it is not open, but never beside a driver that hangs."""
        now = time.monotonic()
        if self._grabber is None or not self._streaming:
            if now >= self._due:
                self._open(now)
            return []
        try:
            return self._judged(self._grabber, now)
        except DeviceLost:
            self._streaming = False
            self._grabber.end()
            self._miss(now)
            return []

    def close(self, give_up: threading.Event) -> None:
        """Returns early once `give_up` is set; a driver that does not return is left behind."""
        self._streaming = False
        if self._grabber is not None and self._grabber.close(give_up):
            self._grabber = None
        self._picture = Picture(self._config.stale_s)

    @property
    def left_behind(self) -> str | None:
        """Name of the thread whose driver does not return."""
        return self._grabber.name if self._grabber is not None and not self._streaming and self._grabber.alive else None

    def _open(self, now: float) -> None:
        source, config = self._config.ir_source, self._config
        if source is None:
            return
        if self.left_behind:
            self._miss(now)
            return
        self._grabber = Grabber(lambda: open_source(source, config), "camera-ir-grabber", _KEEP)
        self._picture = Picture(config.stale_s)
        self._streaming = True
        self._due = now + _FIRST_FRAME_S

    def _judged(self, grabber: Grabber, now: float) -> list[Shot]:
        shots = grabber.drain()
        for shot in shots:
            self._picture.judge(shot)
        if shots:
            self._due = now + self._config.stale_s
        elif now > self._due:
            raise DeviceLost("stale")
        if self._picture.proved:
            self.lost, self.settled = False, True
        return shots

    def _miss(self, now: float) -> None:
        self.lost = self.settled = True
        self._due = now + _RETRY_S
