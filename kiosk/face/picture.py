"""What every engine takes as a picture, and how a large one is made small."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from kiosk.face.engine import Image

_CHANNELS = 3
_HALVE_BELOW = 0.4
"""Nearer to a half, one step is as good."""


def check_picture(rgb: Image) -> None:
    """dlib finds no face at all in a view with strides, without a word: that would look like an empty room."""
    if rgb.dtype != np.uint8 or rgb.ndim != _CHANNELS or rgb.shape[2] != _CHANNELS or not rgb.flags.c_contiguous:
        raise ValueError("a picture must be a C-contiguous uint8 array of shape (height, width, 3)")


def halved(picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Means of two by two pixels; a last odd row or column is left out."""
    height, width = (edge // 2 for edge in picture.shape[:2])
    even = picture[: 2 * height, : 2 * width]
    return np.asarray(cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA), dtype=np.uint8)


def shrunk(picture: npt.NDArray[np.uint8], scale: float) -> npt.NDArray[np.uint8]:
    """`scale` at most 1. Halves first, which takes half the time of a single step; a little softer than that."""
    while scale < _HALVE_BELOW:
        picture, scale = halved(picture), 2 * scale
    if scale == 1:
        return picture
    return np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), dtype=np.uint8)
