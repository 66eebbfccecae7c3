"""What can be measured of the picture of a face. Which values are good enough is the gate's business.

Bad pictures hardly ever let a stranger in; they cost the honest person a try. Measuring is for the person's sake.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from kiosk.domain.coaching import Coach
from kiosk.face import geometry
from kiosk.face.align import Grey, cut_face
from kiosk.face.engine import Box, Points

_REFERENCE_WIDTH = 1280
_EYE_PX, _EYES_AT, _CHIP = 57.5, (43.75, 12.0), (90, 90)
"""Brows to chin of the 150 px chip the recogniser sees."""
_CHIP_PAD = 0.4
"""Face widths round the box that certainly hold that part of it."""
_WHITE = 247
"""ISO/IEC 29794-5 counts from here as overexposed."""
_STRIDE = 8
"""The mean of the surroundings needs no more than every eighth pixel of every eighth row."""
_BESIDE = 0.25
"""Face widths beside the box that are still hair and ears."""


@dataclass(frozen=True, slots=True)
class Place:
    width: float
    """Of the face, in pixels of a 1280 wide frame."""
    height: float
    """Of the face, share of the frame's height."""
    offset: float
    """From the middle, share of the frame's width; positive is right in the picture, the person's own left."""
    cut: float
    """Share of the face's box that lies outside the frame."""


@dataclass(frozen=True, slots=True)
class Light:
    """Of the face from brows to chin; grey levels 0 to 255."""

    brightness: float
    glare: float
    """Share of white pixels."""
    side: float
    """|ln| of the ratio of both halves: 0 is even, 0.7 means one half is twice as bright."""
    back: float
    """ln of the ratio of the surroundings to the face: above 0 the background is the brighter."""
    sharpness: float
    """Laplacian variance after denoising."""


@dataclass(frozen=True, slots=True)
class Bearing:
    """Ratios of `geometry`; roll in degrees."""

    yaw: float
    pitch: float
    roll: float
    eyes: float
    """Eye aspect ratio."""


@dataclass(frozen=True, slots=True)
class Cover:
    mask: float
    """Mask score of `coverings`; exactly 0 for a picture without colour, of which nothing can be said."""
    eyes: float
    """Brightness of the eyes beside the cheeks; 1 is equal."""
    lips: float
    """How far the lips' colour is from that of chin and cheeks, in 8-bit a*b*: a mask hides the difference."""


@dataclass(frozen=True, slots=True)
class Quality:
    """What the gate says, and the measures it needed to say so; the costlier ones are None when a cheaper one decided."""

    coach: Coach | None
    """None: usable."""
    place: Place | None = None
    light: Light | None = None
    bearing: Bearing | None = None
    cover: Cover | None = None

    @property
    def sharpness(self) -> float:
        """0 where it was not measured."""
        return 0.0 if self.light is None else self.light.sharpness


def place_of(face: Box, width: int, height: int) -> Place:
    """width, height: of the frame in pixels."""
    seen = (min(face.right, width) - max(face.left, 0)) * (min(face.bottom, height) - max(face.top, 0))
    return Place(
        width=face.width * _REFERENCE_WIDTH / width,
        height=face.height / height,
        offset=face.centre[0] / width - 0.5,
        cut=1 - seen / (face.width * face.height),
    )


def light_of(grey: Grey, face: Box, points: Points) -> Light:
    chip = _chip(grey, face, points)
    brightness = float(chip.mean())
    half = chip.shape[1] // 2
    return Light(
        brightness=brightness,
        glare=float(np.count_nonzero(chip >= _WHITE)) / chip.size,
        side=abs(_ln_ratio(float(chip[:, :half].mean()), float(chip[:, half:].mean()))),
        back=_ln_ratio(_surroundings(grey, face), brightness),
        sharpness=float(cv2.Laplacian(cv2.medianBlur(chip, 3), cv2.CV_64F).var()),  # noise alone must not look sharp
    )


def bearing_of(points: Points) -> Bearing:
    return Bearing(
        geometry.yaw_ratio(points), geometry.pitch_ratio(points), geometry.roll(points), geometry.eye_aspect_ratio(points)
    )


def _chip(grey: Grey, face: Box, points: Points) -> Grey:
    """Cut from the part of the frame that holds the face: scaling a whole frame costs a millisecond."""
    pad = round(_CHIP_PAD * face.width)
    left, top = max(0, face.left - pad), max(0, face.top - pad)
    part = grey[top : face.bottom + pad, left : face.right + pad]
    return cut_face(part, points - np.array([left, top], dtype=np.float64), _EYE_PX, _EYES_AT, _CHIP)


def _surroundings(grey: Grey, face: Box) -> float:
    """Mean grey above and beside the face; clothes below it say nothing about the light. The face itself if it fills all."""
    coarse = grey[: max(face.bottom, 1) : _STRIDE, ::_STRIDE]
    beside = _BESIDE * face.width
    left, right = (max(0, math.ceil(edge / _STRIDE)) for edge in (face.left - beside, face.right + beside))
    top = max(0, math.ceil((face.top - beside) / _STRIDE))
    inside = coarse[top:, left:right]
    outside = coarse.size - inside.size
    if outside == 0:
        return float(coarse.mean())
    return float(coarse.sum(dtype=np.int64) - inside.sum(dtype=np.int64)) / outside


def _ln_ratio(one: float, other: float) -> float:
    return math.log(max(one, 1.0) / max(other, 1.0))
