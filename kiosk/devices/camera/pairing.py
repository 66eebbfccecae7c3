"""Colour and infrared frames of one instant, put together by the time of their arrival."""

from __future__ import annotations

from collections import deque

import cv2
import numpy as np

from kiosk.devices.camera.frames import Frame, FramePair, Grey, Shot

_KEPT = 8


class Pairing:
    """A colour frame waits for the next one: by then every infrared frame near it has come, also a later one.

    One infrared frame may serve two colour frames; `FramePair.t_ir` tells.
    """

    def __init__(self, max_skew_s: float) -> None:
        self._max_skew_s = max_skew_s
        self._waiting: Shot | None = None
        self._infrared: deque[Shot] = deque(maxlen=_KEPT)

    def rgb(self, shot: Shot) -> FramePair | None:
        """The pair of the colour frame before this one."""
        before, self._waiting = self._waiting, shot
        if before is None:
            return None
        nearest = min(self._infrared, key=lambda ir: abs(ir.t - before.t), default=None)
        if nearest is None or abs(nearest.t - before.t) > self._max_skew_s:
            return FramePair(before.frame, before.t)
        return FramePair(before.frame, before.t, _grey(nearest.frame), nearest.t)

    def infrared(self, shot: Shot) -> None:
        self._infrared.append(shot)


def _grey(frame: Frame) -> Grey:
    """OpenCV gives a grey camera's picture in three equal channels."""
    return frame if frame.ndim == 2 else np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), dtype=np.uint8)
