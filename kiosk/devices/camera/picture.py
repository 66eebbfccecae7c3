"""What the frames of one opening tell about the camera: does it live, is it covered, is the picture whole."""

from __future__ import annotations

import math

import numpy as np

from kiosk.devices.camera.frames import MIN_HEIGHT, MIN_WIDTH, Frame, Shot
from kiosk.devices.service import DeviceLost

_BLACK_MEAN = 8.0
_BLACK_S = 1.0
_GLANCE = 8
"""Every eighth pixel is enough to tell a frozen or black picture."""
_FOOT = 8
"""The last eighth of the rows: what is missing when the end of a JPEG is."""


class Picture:
    """Takes every frame of one opening in order. A sensor's noise makes no two frames equal to the last bit."""

    def __init__(self, still_s: float) -> None:
        self.proved = False
        """Frames have been seen to change, or to be black."""
        self._still_s = still_s
        self._last: Frame | None = None
        self._shape: tuple[int, ...] = ()
        self._changed_at = self._foot_at = self._light_at = math.inf
        self._clock = _Clock(still_s)

    @property
    def started(self) -> bool:
        return self._last is not None

    def judge(self, shot: Shot) -> str | None:
        """What is wrong though it works: `black` or `torn`, else ""; None: not known yet.

        Raises DeviceLost: `no_format` too small a picture · `size_changed` · `frozen` · `time_stuck`.
        """
        self._check_size(shot.frame.shape)
        self._clock.check(shot)
        glance = shot.frame[::_GLANCE, ::_GLANCE]
        dark = glance.mean() <= _BLACK_MEAN
        moved = self._compare(glance, shot.t)
        if not dark:
            self._light_at = shot.t
            if shot.t - self._changed_at > self._still_s:
                raise DeviceLost("frozen")
        black = shot.t - self._light_at > _BLACK_S
        self.proved = self.proved or moved or black
        if not self.proved:
            return None
        if black:
            return "black"
        return "torn" if not dark and shot.t - self._foot_at > self._still_s else ""

    def _check_size(self, shape: tuple[int, ...]) -> None:
        if shape[1] < MIN_WIDTH or shape[0] < MIN_HEIGHT:
            raise DeviceLost("no_format")
        if self.started and shape != self._shape:
            raise DeviceLost("size_changed")
        self._shape = shape

    def _compare(self, glance: Frame, t: float) -> bool:
        """Whether anything moved since the last frame."""
        last, self._last = self._last, glance.copy()
        if last is None:
            self._changed_at = self._foot_at = self._light_at = t
            return False
        foot = len(glance) - len(glance) // _FOOT
        if not np.array_equal(last[foot:], glance[foot:]):
            self._foot_at = t
        moved = not np.array_equal(last, glance)
        if moved:
            self._changed_at = t
        return moved


class _Clock:
    """Watches the driver's own time. One that never moved is no clock; one that ran and stands is a stuck driver."""

    def __init__(self, still_s: float) -> None:
        self._still_s = still_s
        self._latest: float | None = None
        self._advanced_at: float | None = None

    def check(self, shot: Shot) -> None:
        if shot.stamp is None:
            return
        if self._latest is None:
            self._latest = shot.stamp
        elif shot.stamp > self._latest:
            self._latest, self._advanced_at = shot.stamp, shot.t
        elif self._advanced_at is not None and shot.t - self._advanced_at > self._still_s:
            raise DeviceLost("time_stuck")
