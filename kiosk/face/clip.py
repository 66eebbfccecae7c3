"""The evidence clip: small pictures of the challenge for the officer, thinned out evenly when it lasts long."""

from __future__ import annotations

import cv2
import numpy as np

from kiosk.domain.decision import ClipFrame
from kiosk.face.engine import Image

_QUALITY = 60
_SLACK_S = 0.01
"""Frames are not taken to the millisecond."""


class Clip:
    """Begins with the first frame it sees."""

    def __init__(self, fps: float, width: int, frames_max: int) -> None:
        """`frames_max` 0 keeps nothing."""
        self._apart = 1 / fps
        self._width = width
        self._frames_max = frames_max
        self._times: list[float] = []
        self._frames: list[ClipFrame] = []

    @property
    def frames(self) -> tuple[ClipFrame, ...]:
        return tuple(self._frames)

    def see(self, t: float, rgb: Image) -> None:
        if self._due(t) and len(self._frames) == self._frames_max:
            self._thin_out()
        if self._due(t) and len(self._frames) < self._frames_max:
            self._times.append(t)
            self._frames.append(ClipFrame(round(1000 * (t - self._times[0])), to_jpeg(rgb, self._width, _QUALITY)))

    def wipe(self) -> None:
        self._times.clear()
        self._frames.clear()

    def _due(self, t: float) -> bool:
        """The first frame in its slot of time: so the clip keeps its rate, whatever the camera's is."""
        return not self._times or self._slot(t) > self._slot(self._times[-1])

    def _slot(self, t: float) -> int:
        return int((t - self._times[0] + _SLACK_S) / self._apart)

    def _thin_out(self) -> None:
        """Every second picture goes, and from now on they come half as often."""
        self._apart *= 2
        self._times, self._frames = self._times[::2], self._frames[::2]


def to_jpeg(rgb: Image, width: int, quality: int) -> bytes:
    """Shrunk to `width` where it is wider."""
    scale = min(1.0, width / rgb.shape[1])
    small = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(data).tobytes()
