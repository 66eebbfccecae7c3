"""Cuts a face out of a frame so that its points lie where a measure expects them."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from kiosk.face.engine import Image, Points

Grey = npt.NDArray[np.uint8]
"""(height, width)."""
Matrix = npt.NDArray[np.float64]
"""(2, 3) affine, frame to cut."""

_FIRM = [36, 39, 42, 45, 27, 30, 33]
"""Eye corners, nasion, nose: points that no expression moves."""
_FIRM_AT = np.array([(-0.72, 0.0), (-0.28, 0.02), (0.28, 0.02), (0.72, 0.0), (0.0, -0.06), (0.0, 0.50), (0.0, 0.72)])
"""Where they lie in a frontal face; unit is the distance of the eyes, origin between them."""
_SHRINK_BELOW = 0.7
"""warpAffine does not average: a cut much smaller than the frame would alias and look sharper than it is."""


def to_grey(rgb: Image) -> Grey:
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), dtype=np.uint8)


def cut_face(grey: Grey, points: Points, eye_px: float, origin: tuple[float, float], size: tuple[int, int]) -> Grey:
    """A cut of (width, height) with the eyes level, `eye_px` apart and their middle at `origin`."""
    matrix = _similarity(points[_FIRM], eye_px * _FIRM_AT + np.array(origin))
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    if scale < _SHRINK_BELOW:
        grey = np.asarray(cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        matrix = matrix / np.array([scale, scale, 1.0])
    return np.asarray(cv2.warpAffine(grey, matrix, size, flags=cv2.INTER_LINEAR), dtype=np.uint8)


def _similarity(these: Points, those: Points) -> Matrix:
    """Turn, scale and shift that bring `these` nearest to `those`, by least squares.

    A robust fit would leave out another point from frame to frame where a face is unlike the usual one, and the cut
    would jump: on such a face blinks were missed.
    """
    middle, there = these.mean(axis=0), those.mean(axis=0)
    x, y = (these - middle).T
    u, v = (those - there).T
    spread = (x * x + y * y).sum()
    cos, sin = (x * u + y * v).sum() / spread, (x * v - y * u).sum() / spread
    turn = np.array([[cos, -sin], [sin, cos]])
    return np.hstack([turn, (there - turn @ middle)[:, None]])
