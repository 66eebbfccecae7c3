"""The light before the camera and the camera's own noise: what makes a rendered picture a filmed one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from kiosk.devices.emulated.portrait import head_share, in_units
from kiosk.devices.emulated.warp import SIZE, Picture, Plane

_FLICKER, _FLICKER_HZ = 0.01, 0.7
_FIELDS, _SPARE = 4, 64
_SIDE = 0.2
"""How bright the dark side of the frame is beside the bright one."""
_NO_COLOUR = (0, 0, 0)


class Light(StrEnum):
    EVEN = "even"
    SIDE = "side"
    """From one side: a fifth of it at the other rim of the frame."""
    DIM = "dim"
    """Half of the light, and the noise of a camera that makes up for it."""


@dataclass(frozen=True, slots=True)
class _Setting:
    gain: float
    noise: float
    """Standard deviation in grey levels."""


_SETTINGS = {Light.EVEN: _Setting(1.0, 2.0), Light.SIDE: _Setting(1.0, 2.5), Light.DIM: _Setting(0.5, 4.0)}


class Sensor:
    """One camera under one light. Every picture has noise of its own, so no two are equal."""

    def __init__(self, light: Light, rng: np.random.Generator) -> None:
        self._setting = _SETTINGS[light]
        self._side = light is Light.SIDE
        self._rng = rng
        self._field = 0
        self.screen: tuple[int, int, int] = _NO_COLOUR
        """RGB of the kiosk's screen, 0 to 255, as far as it lights a face."""
        self.reflected = 0.10
        """By what share a white screen brightens a face."""

    def film(self, picture: Picture, t: float, gloss: float = 1.0) -> Picture:
        """A new picture, RGB or grey, as the camera gives it. gloss: how much of the screen's light comes back."""
        lamp = self._setting.gain if picture.ndim == 3 else 1.0  # the module has its own infrared light
        gain = lamp * (1 + _FLICKER * math.sin(2 * math.pi * _FLICKER_HZ * t))
        noise = self._noise(picture.ndim)
        shade = self._shade(picture.ndim, gloss)
        if shade is not None:
            picture = np.asarray(cv2.multiply(picture, shade, scale=gain, dtype=cv2.CV_8U))
            gain = 1.0
        if gain != 1.0:
            picture = np.asarray(cv2.convertScaleAbs(picture, alpha=gain))
        return np.asarray(cv2.add(picture, noise, dtype=cv2.CV_8U), dtype=np.uint8)

    def _noise(self, dimensions: int) -> npt.NDArray[np.int8]:
        """Four fields shifted at random look like fresh ones at a fraction of the time."""
        self._field = (self._field + int(self._rng.integers(1, _FIELDS))) % _FIELDS  # never the one before
        top, left = (int(one) for one in self._rng.integers(_SPARE, size=2))
        field = _fields(self._setting.noise)[self._field, top : top + SIZE[1], left : left + SIZE[0]]
        return field if dimensions == 3 else field[..., 0]

    def _shade(self, dimensions: int, gloss: float) -> Plane | None:
        """By what the picture is multiplied, where that is not the same everywhere."""
        if dimensions == 2:
            return None
        if self.screen == _NO_COLOUR:
            return _side_light() if self._side else None
        glow = 1 + self.reflected * gloss * _face_share()[..., None] * np.array(self.screen, dtype=np.float32) / 255
        return np.asarray(glow * _side_light() if self._side else glow, dtype=np.float32)


@cache
def _fields(deviation: float) -> npt.NDArray[np.int8]:
    rng = np.random.default_rng(20)
    shape = (_FIELDS, SIZE[1] + _SPARE, SIZE[0] + _SPARE, 3)
    return np.asarray((deviation * rng.standard_normal(shape, dtype=np.float32)).round(), dtype=np.int8)


@cache
def _side_light() -> Plane:
    ramp = np.linspace(_SIDE, 1, SIZE[0], dtype=np.float32)
    return np.ascontiguousarray(np.broadcast_to(ramp[None, :, None], (SIZE[1], SIZE[0], 3)))


@cache
def _face_share() -> Plane:
    x, y = np.meshgrid(np.arange(SIZE[0], dtype=np.float64), np.arange(SIZE[1], dtype=np.float64))
    return head_share(*in_units(x, y)).astype(np.float32)
