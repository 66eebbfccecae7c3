"""Pictures of a face made worse in one known way each."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from kiosk.devices.emulated.portrait import EYE_PX, ORIGIN_PX
from kiosk.face.engine import Image, Points

BLUE_MASK, WHITE_MASK, BLACK_MASK = (120, 170, 210), (225, 228, 230), (40, 40, 44)


def clipped(values: npt.NDArray[np.floating]) -> Image:
    return np.asarray(np.clip(values, 0, 255), dtype=np.uint8)


def brighter(rgb: Image, factor: float) -> Image:
    return clipped(rgb * factor)


def noisy(rgb: Image, deviation: float) -> Image:
    return clipped(rgb + np.random.default_rng(5).normal(0, deviation, rgb.shape))


def lit_from_the_side(rgb: Image, weakest: float) -> Image:
    """The light falls from 1 on the right cheek to `weakest` on the left one, most of it across the nose."""
    nose = 0.5 * EYE_PX
    ramp = np.interp(np.arange(rgb.shape[1]), (ORIGIN_PX[0] - nose, ORIGIN_PX[0] + nose), (weakest, 1.0))
    return clipped(rgb * ramp[None, :, None])


def before_a_window(rgb: Image, face: float, window: float) -> Image:
    """The head as dark as the camera makes it before so bright a background."""
    x, y = np.meshgrid(np.arange(rgb.shape[1]), np.arange(rgb.shape[0]))
    head = ((x - ORIGIN_PX[0]) / (1.5 * EYE_PX)) ** 2 + ((y - ORIGIN_PX[1] - 0.4 * EYE_PX) / (2.0 * EYE_PX)) ** 2 < 1
    return clipped(np.where(head[..., None], rgb * face, window))


def with_glare(rgb: Image) -> Image:
    """A patch of sunlight on one cheek."""
    spot = np.zeros(rgb.shape[:2], dtype=np.float32)
    centre = (round(ORIGIN_PX[0] - 0.45 * EYE_PX), round(ORIGIN_PX[1] + 0.55 * EYE_PX))
    cv2.ellipse(spot, centre, (round(0.42 * EYE_PX), round(0.55 * EYE_PX)), 0, 0, 360, 1.0, -1)
    return clipped(rgb + 255 * spot[..., None])


def moved(rgb: Image, dx: int, dy: int = 0) -> Image:
    matrix = np.array([[1.0, 0, dx], [0, 1, dy]])
    return np.asarray(cv2.warpAffine(rgb, matrix, rgb.shape[1::-1], borderMode=cv2.BORDER_REPLICATE))


def framed(rgb: Image, scale: float) -> Image:
    """The same frame size with the person nearer or farther."""
    matrix = cv2.getRotationMatrix2D((320, 240), 0, scale)
    return np.asarray(cv2.warpAffine(rgb, matrix, (640, 480), borderMode=cv2.BORDER_REPLICATE))


def blurred(rgb: Image, sigma: float) -> Image:
    return np.asarray(cv2.GaussianBlur(rgb, (0, 0), sigma))


def shaken(rgb: Image, px: int) -> Image:
    """Motion blur along the diagonal."""
    return np.asarray(cv2.filter2D(rgb, -1, np.eye(px) / px))


def masked(rgb: Image, points: Points, colour: tuple[int, int, int] = BLUE_MASK) -> Image:
    """From the bridge of the nose to under the chin, with some folds."""
    cover = np.vstack([points[2:15], points[[28]]])
    return _drawn(rgb, cover, colour, fold=6.0)


def in_sunglasses(rgb: Image, points: Points) -> Image:
    unit = np.linalg.norm(points[42:48].mean(axis=0) - points[36:42].mean(axis=0))
    for eye in (points[36:42], points[42:48]):
        (x, y), half = eye.mean(axis=0), np.array([0.42, 0.30]) * unit
        glass = np.array([x, y]) + half * np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)])
        rgb = _drawn(rgb, glass, (25, 25, 30), fold=2.0)
    return rgb


def _drawn(rgb: Image, corners: Points, colour: tuple[int, int, int], fold: float) -> Image:
    cover = np.zeros(rgb.shape[:2], dtype=np.uint8)
    cv2.fillConvexPoly(cover, cv2.convexHull(np.round(corners).astype(np.int32)), 255)
    cloth = np.array(colour) + fold * np.sin(np.arange(rgb.shape[0]) / 4)[:, None, None] * np.ones((1, rgb.shape[1], 3))
    alpha = cv2.GaussianBlur(cover, (0, 0), 1.2)[..., None] / 255
    return clipped(rgb * (1 - alpha) + cloth * alpha)
