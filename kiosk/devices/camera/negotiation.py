"""Agreeing with a camera on a format: what is asked for, in which order, and what it really gives then."""

from __future__ import annotations

from typing import Protocol

import cv2

from kiosk.config import CameraConfig
from kiosk.devices.camera.frames import Format
from kiosk.devices.service import DeviceLost

_RAW_SIZE = 640, 480
"""Raw 720p does not fit USB 2 at 25 fps, this does."""


class Negotiable(Protocol):
    """The part of cv2.VideoCapture that is needed here."""

    def get(self, prop: int, /) -> float: ...

    def set(self, prop: int, value: float, /) -> bool: ...


def negotiate(capture: Negotiable, config: CameraConfig) -> Format:
    """JPEG at the wished size, else raw at a moderate one, else whatever the camera stands at by then.

    What `set` returns is not believed: OpenCV says yes and opens another format, a driver says yes and gives the
    nearest size it has. Raises DeviceLost("no_format") if the picture is too small for a face.
    """
    format = _ask(capture, "MJPG", config.width, config.height, config.fps)
    if format.name != "MJPG" or not format.large_enough:
        format = _ask(capture, "YUYV", *_RAW_SIZE, config.fps)
    if not format.large_enough:
        raise DeviceLost("no_format")
    return format


def _ask(capture: Negotiable, name: str, width: int, height: int, fps: float) -> Format:
    capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*name))
    capture.set(cv2.CAP_PROP_FRAME_WIDTH, width)
    capture.set(cv2.CAP_PROP_FRAME_HEIGHT, height)
    capture.set(cv2.CAP_PROP_FPS, fps)
    got = [capture.get(prop) for prop in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT)]
    return Format(_letters(capture.get(cv2.CAP_PROP_FOURCC)), int(got[0]), int(got[1]), max(0.0, capture.get(cv2.CAP_PROP_FPS)))


def _letters(fourcc: float) -> str:
    letters = (int(fourcc) & 0xFFFFFFFF).to_bytes(4, "little")
    return "".join(chr(letter) if 32 <= letter < 127 else "?" for letter in letters).strip()
