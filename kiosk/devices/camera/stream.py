"""A live source behind OpenCV: it paces itself."""

from __future__ import annotations

import time

import cv2
import numpy as np

from kiosk.devices.camera.frames import Format, Shot
from kiosk.devices.service import DeviceLost

_OPEN_MS = 3000
_READ_MS = 3000
_BAD_READS = 3
"""A single frame that cannot be decoded is skipped; after so many in a row the source is lost."""
_PATIENCE_S = 1.0


def open_stream(address: str, refused: tuple[str, ...]) -> Live:
    """MJPEG over HTTP and whatever else FFmpeg opens. Raises DeviceLost("no_device")."""
    timeouts = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, _OPEN_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, _READ_MS]
    capture = opened(cv2.VideoCapture(address, cv2.CAP_FFMPEG, timeouts), "no_device")
    return Live(capture, read_format(capture, "stream"), refused)


def opened(capture: cv2.VideoCapture, reason: str) -> cv2.VideoCapture:
    """Raises DeviceLost(reason) if it is not open."""
    if not capture.isOpened():
        capture.release()
        raise DeviceLost(reason)
    return capture


def read_format(capture: cv2.VideoCapture, name: str) -> Format:
    width, height = capture.get(cv2.CAP_PROP_FRAME_WIDTH), capture.get(cv2.CAP_PROP_FRAME_HEIGHT)
    return Format(name, int(width), int(height), max(0.0, capture.get(cv2.CAP_PROP_FPS)))


class Live:
    """An open capture. `stamped`: the driver tells when each frame was taken."""

    def __init__(self, capture: cv2.VideoCapture, format: Format, refused: tuple[str, ...], stamped: bool = False) -> None:
        self._capture = capture
        self.format = format
        self.refused = refused
        self._stamped = stamped

    def read(self) -> Shot:
        began = time.monotonic()
        for _ in range(_BAD_READS):
            if self._capture.grab():
                t = time.monotonic()
                stamp = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000 if self._stamped else None
                got, frame = self._capture.retrieve()
                if got:
                    return Shot(np.asarray(frame, dtype=np.uint8), t, stamp)
            if time.monotonic() - began > _PATIENCE_S:
                break  # it was waited for in vain, not misread
        raise DeviceLost("stale")

    def close(self) -> None:
        self._capture.release()
