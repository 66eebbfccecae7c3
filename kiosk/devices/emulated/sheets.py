"""A photograph of a face as a sheet of paper or a screen: flat or bent, close before the camera or held in a room.

The same renderer as the living portrait's, but everything lies on one surface and nothing stays behind.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np

from kiosk.devices.emulated import infrared
from kiosk.devices.emulated.portrait import (
    BINOCULAR,
    EYE_PX,
    ORIGIN_PX,
    FramedFace,
    Pose,
    disparity,
    in_units,
    project,
)
from kiosk.devices.emulated.warp import HALF_X, HALF_Y, SIZE, Picture, Plane, drawn, sources

_WAVE_HEIGHT, _WAVE_LENGTH = 0.18, 2.5
_SADDLE = 0.45, 0.4
_BEND_MAX = 1.4
"""Radians: farther round, a sheet would be seen from behind."""
_BREATH_HZ = 12.5 / 6 / (2 * np.pi)
"""How often a bent sheet is bent more and less again."""
_ROOM_DISPARITY = 0.3
"""Of what stands behind, as a share of the sheet's own."""
_SOFTNESS = 0.8


class Surface(StrEnum):
    FLAT = "flat"
    UPRIGHT_BEND = "cylv"
    """Round a vertical axis, as round a face."""
    LYING_BEND = "cylh"
    """Round a horizontal axis."""
    WAVE = "wave"
    SADDLE = "saddle"


@dataclass(frozen=True, slots=True)
class Shape:
    surface: Surface = Surface.FLAT
    radius: float = 1.2
    """Of the bend, in u; 1 is 63 mm."""
    breathes: bool = False
    """The radius grows by up to 2.4 u and shrinks again, all the time."""


def bent(x: Plane, y: Plane, surface: Surface, radius: float, phase: float = 0.0) -> Plane:
    """(3, …): where the points of a flat picture lie on the sheet, all in u. phase: of the wave, radians."""
    flat = np.zeros_like(x)
    match surface:
        case Surface.FLAT:
            return np.stack([x, y, flat])
        case Surface.UPRIGHT_BEND:
            angle = np.clip(x / radius, -_BEND_MAX, _BEND_MAX)
            return np.stack([radius * np.sin(angle), y, radius * (np.cos(angle) - 1)])
        case Surface.LYING_BEND:
            angle = np.clip((y - 0.6) / radius, -_BEND_MAX, _BEND_MAX)
            return np.stack([x, radius * np.sin(angle) + 0.6, radius * (np.cos(angle) - 1)])
        case Surface.WAVE:
            return np.stack([x, y, _WAVE_HEIGHT * np.sin(2 * np.pi * x / _WAVE_LENGTH + phase)])
        case Surface.SADDLE:
            across, along = _SADDLE
            return np.stack([x, y, (along * (y - 0.5) ** 2 - across * x**2) / radius])


class Sheet:
    """A photograph that fills the frame. Whoever holds it may blink through holes in place of its eyes."""

    def __init__(self, photograph: FramedFace, shape: Shape = Shape()) -> None:
        self._face = photograph
        self._shape = shape
        x, y = in_units(HALF_X, HALF_Y)
        self._x, self._y = x.astype(np.float32), y.astype(np.float32)
        self._surface = self._at(0.0)

    def render(self, pose: Pose, blink: float = 0.0, mouth: float = 0.0, t: float = 0.0) -> Picture:
        """One frame without camera noise."""
        return drawn(self._face.acting(blink, mouth), self._sources(pose, t, 0.0))

    def infrared(
        self, pose: Pose, blink: float = 0.0, mouth: float = 0.0, t: float = 0.0, seen_from: float = BINOCULAR
    ) -> Picture:
        """(480, 640) grey: the same instant in infrared light, the camera so many u to the right."""
        return drawn(infrared.paper(self._face.acting(blink, mouth)), self._sources(pose, t, seen_from))

    def _sources(self, pose: Pose, t: float, seen_from: float) -> Plane:
        surface = self._at(t) if self._shape.breathes else self._surface
        aside = disparity(seen_from, pose)
        x, y = project(surface, pose, seen_from)
        return sources(x + aside - HALF_X, y - HALF_Y, aside)

    def _at(self, t: float) -> Plane:
        grown = 1.2 * (1 + np.sin(2 * np.pi * _BREATH_HZ * t)) if self._shape.breathes else 0.0
        return bent(self._x, self._y, self._shape.surface, self._shape.radius + float(grown), phase=2 * np.pi * _BREATH_HZ * t)


@dataclass(frozen=True, slots=True)
class Rim:
    """Of a print or of a telephone, round a part of the picture."""

    px: int
    rgb: tuple[int, int, int]
    left: float
    """Where the picture inside ends, in u from the nasion."""
    top: float
    right: float
    bottom: float


WHITE_PAPER = Rim(14, (245, 245, 240), -1.5, -1.6, 1.5, 2.2)
TELEPHONE = Rim(22, (15, 15, 18), -1.3, -1.7, 1.3, 2.3)


class HeldUp:
    """A flat print or a screen that does not fill the frame: its rim and a room out of focus are seen round it."""

    def __init__(self, show: Callable[[float], Picture], rim: Rim, room: Picture, lit: bool = False) -> None:
        """show: what it shows, (480, 640, 3), at a time; lit: a screen, not paper."""
        self._show, self._room = show, room
        self._infrared = infrared.glass if lit else infrared.paper
        self._flat = bent(*in_units(HALF_X, HALF_Y), Surface.FLAT, 1.0).astype(np.float32)
        inner = _box(rim, 0)
        self._rim_rgb, self._outer = rim.rgb, _box(rim, rim.px)
        self._border = np.ones((SIZE[1], SIZE[0]), dtype=bool)
        self._border[inner[1] : inner[3], inner[0] : inner[2]] = False

    def render(self, pose: Pose, blink: float = 0.0, mouth: float = 0.0, t: float = 0.0) -> Picture:
        return self._in_room(self._sheet(t), self._room, pose, 0.0)

    def infrared(
        self, pose: Pose, blink: float = 0.0, mouth: float = 0.0, t: float = 0.0, seen_from: float = BINOCULAR
    ) -> Picture:
        """(480, 640) grey."""
        return self._in_room(self._infrared(self._sheet(t)), infrared.skin(self._room), pose, seen_from)

    def _sheet(self, t: float) -> Picture:
        picture = self._show(t).copy()
        picture[self._border] = self._rim_rgb
        return picture

    def _in_room(self, sheet: Picture, room: Picture, pose: Pose, seen_from: float) -> Picture:
        aside = disparity(seen_from, pose)
        x, y = project(self._flat, pose, seen_from)
        source = sources(x + aside - HALF_X, y - HALF_Y, aside)
        left, top, right, bottom = self._outer
        here = cv2.inRange(source, np.array([left, top], float), np.array([right, bottom], float))
        behind = np.array([[1, 0, -_ROOM_DISPARITY * aside], [0, 1, 0]])
        frame = np.asarray(cv2.warpAffine(room, behind, SIZE, borderMode=cv2.BORDER_REPLICATE) if aside else room.copy())
        cv2.copyTo(drawn(sheet, source), here, frame)
        return np.asarray(cv2.GaussianBlur(frame, (0, 0), _SOFTNESS), dtype=np.uint8)


def room(rng: np.random.Generator) -> Picture:
    """Colours out of focus, without a straight line."""
    patches = (rng.integers(70, 180, (5, 7, 1)) + rng.integers(-20, 20, (5, 7, 3))).astype(np.uint8)
    return np.asarray(cv2.resize(patches, SIZE, interpolation=cv2.INTER_CUBIC), dtype=np.uint8)


def _box(rim: Rim, wider: int) -> tuple[int, int, int, int]:
    """Left, top, right, bottom in pixels of the picture."""
    x, y = ORIGIN_PX
    return (
        round(x + EYE_PX * rim.left) - wider, round(y + EYE_PX * rim.top) - wider,
        round(x + EYE_PX * rim.right) + wider, round(y + EYE_PX * rim.bottom) + wider,
    )
