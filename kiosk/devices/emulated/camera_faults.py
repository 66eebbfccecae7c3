"""What goes wrong with a camera's pictures, to order."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

import cv2
import numpy as np

from kiosk.devices.emulated.warp import Picture

_JPEG_QUALITY = 90
_DARKNESS = 0.15
_OTHER_SIZE = 800, 600
_SIZE_FRAMES = 5
_SPOILED_EVERY = 5
_NOISE_BYTES = 40_000
_MARK, _MARK_AT = "DEMO", (12, 468)


class Fault(StrEnum):
    NONE = "none"
    FROZEN = "frozen"
    """The same picture, to the last bit."""
    BLACK = "black"
    """A covered lens: nothing but noise."""
    DARK = "dark"
    UNPLUGGED = "unplugged"
    """Running streams break, new ones are refused."""
    SLOW = "slow"
    STALLED = "stalled"
    """The connection stands, nothing comes."""
    TORN = "torn"
    """Every picture ends half-way."""
    SPOILED = "spoiled"
    """Every few pictures one is nothing but random bytes."""
    NOISE = "noise"
    """Random bytes in the place of everything."""
    REFUSED = "refused"
    """Running streams break, new ones are hung up on without a word."""
    RESIZED = "resized"
    """The size of the pictures changes all the time."""


ENDING = frozenset({Fault.UNPLUGGED, Fault.REFUSED})
"""Nothing can be sent."""


def noise(size: int = _NOISE_BYTES) -> bytes:
    """What no decoder can read."""
    return np.random.default_rng().bytes(size)


def encoded(picture: Picture, fault: Fault, instant: int) -> bytes:
    """JPEG of a picture, RGB (marked as a demonstration) or grey, spoiled by the fault as the instant has it."""
    if fault is Fault.SPOILED and instant % _SPOILED_EVERY == 0:
        return noise()
    if fault in _FILTERS:
        picture = _FILTERS[fault](picture)
    if fault is Fault.RESIZED and instant // _SIZE_FRAMES % 2:
        picture = np.asarray(cv2.resize(picture, _OTHER_SIZE), dtype=np.uint8)
    shown = _marked(picture) if picture.ndim == 3 else picture
    jpeg = cv2.imencode(".jpg", shown, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1].tobytes()
    return jpeg[: len(jpeg) // 2] if fault is Fault.TORN else jpeg


def _black(frame: Picture) -> Picture:
    return np.random.default_rng().integers(0, 12, frame.shape, dtype=np.uint8)


def _dark(frame: Picture) -> Picture:
    return np.asarray(frame * _DARKNESS, dtype=np.uint8)


_FILTERS: dict[Fault, Callable[[Picture], Picture]] = {Fault.BLACK: _black, Fault.DARK: _dark}


def _marked(rgb: Picture) -> Picture:
    bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    cv2.putText(bgr, _MARK, _MARK_AT, cv2.FONT_HERSHEY_SIMPLEX, 0.8, (200, 200, 200), 2)
    return np.asarray(bgr, dtype=np.uint8)
