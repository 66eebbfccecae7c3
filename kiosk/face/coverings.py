"""Mask and sunglasses, told from the colours of a frontal face.

A mask has one colour where lips and chin differ, and it is not the colour of the brow. Sunglasses are much darker
than the cheeks below them; ordinary glasses are not. Both were measured on photographs only.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from kiosk.face import geometry
from kiosk.face.align import Grey, to_grey
from kiosk.face.engine import Image, Points
from kiosk.face.picture import shrunk
from kiosk.face.quality import Cover

_EYE_PX = 40.0
"""Mean colours need no finer picture."""
_BROW = [27, 21, 22, 28]
_LOWER = [*range(3, 14), 33]
_LIPS = list(range(48, 60))
_BROW_RISE = 8
"""The patch between the brows reaches up by this part of the height from nasion to chin."""
_RED_WEIGHT = 0.3
_NEUTRAL = 128
_PUPIL, _CHEEK = ((-0.26, 0.26), (-0.13, 0.17)), ((-0.18, 0.18), (0.45, 0.70))
"""Boxes (x, y) round the middle of an eye, in eye distances."""


def cover_of(rgb: Image, points: Points) -> Cover:
    """The mask score is above 0 in most pictures with a mask, below 0.6 in 99 of 100 bare faces."""
    small, at = small_face(rgb, points)
    lab = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2LAB), dtype=np.uint8)
    lift = np.array([0.0, abs(at[8, 1] - at[27, 1]) / _BROW_RISE])
    brow = _chroma(lab, np.vstack([at[_BROW], at[[21, 22]] - lift]))
    low = _chroma(lab, at[_LOWER])
    lips = _apart(_chroma(lab, at[_LIPS]), low)
    mask = _apart(low, brow) - lips - _RED_WEIGHT * float(low[0] - _NEUTRAL)
    return Cover(mask, eye_brightness(to_grey(small), at), lips)


def eye_brightness(grey: Grey, points: Points) -> float:
    """Mean of both eyes' boxes over the mean of the cheeks below."""
    unit = geometry.eye_distance(points)
    centres = geometry.eye_centres(points)
    eyes, cheeks = (
        float(np.mean([_box_mean(grey, centre, box, unit) for centre in centres])) for box in (_PUPIL, _CHEEK)
    )
    return eyes / max(cheeks, 1.0)


def small_face(rgb: Image, points: Points) -> tuple[Image, Points]:
    """The part of the frame that holds points and brow, with the eyes at most `_EYE_PX` apart, and the points in it."""
    unit = geometry.eye_distance(points)
    left, top = (max(0, int(edge)) for edge in points.min(axis=0) - 0.3 * unit)
    right, bottom = (int(edge) + 1 for edge in points.max(axis=0))
    part = rgb[top:bottom, left:right]
    scale = min(1.0, _EYE_PX / unit)
    return shrunk(part, scale), (points - np.array([left, top])) * scale


def _chroma(lab: Image, corners: Points) -> npt.NDArray[np.float64]:
    """(2,): mean a* and b* inside the hull, 8-bit."""
    inside = np.zeros(lab.shape[:2], dtype=np.uint8)
    cv2.fillConvexPoly(inside, cv2.convexHull(np.round(corners).astype(np.int32)), 255)
    return np.array(cv2.mean(lab, inside)[1:3])


def _apart(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> float:
    return float(np.linalg.norm(one - other))


def _box_mean(grey: Grey, centre: Points, box: tuple[tuple[float, float], tuple[float, float]], unit: float) -> float:
    height, width = grey.shape
    x0, x1 = (min(max(0, round(centre[0] + edge * unit)), width - 1) for edge in box[0])
    y0, y1 = (min(max(0, round(centre[1] + edge * unit)), height - 1) for edge in box[1])
    return float(grey[y0 : y1 + 1, x0 : x1 + 1].mean())
