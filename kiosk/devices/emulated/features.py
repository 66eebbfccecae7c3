"""Lids and lips of a frontal face: drawn closed or open on the still itself, before the head is turned."""

from __future__ import annotations

import math

import cv2
import numpy as np

from kiosk.devices.emulated.warp import Picture, Plane

_LEFT_EYE, _RIGHT_EYE = 36, 42
_BROWS = {_LEFT_EYE: slice(17, 22), _RIGHT_EYE: slice(22, 27)}
_CORNERS, _LIP_LINE, _CHIN = [48, 54], [62, 66], 8
_WIDEST = 0.5
"""Of an open mouth, in eye distances."""
_GAP_RGB = np.array([62, 26, 26], dtype=np.float32)


class Features:
    """points: the 68 landmarks of the face in pixels of the still; unit: the distance of its eyes in pixels."""

    def __init__(self, points: Plane, unit: float) -> None:
        self._points = points
        self._u = unit

    def with_lids(self, face: Picture, closed: float) -> Picture:
        """A new picture; closed: 0 open to 1."""
        face = face.copy()
        for eye in (_LEFT_EYE, _RIGHT_EYE):
            self._close(face, eye, closed)
        return face

    def with_mouth(self, face: Picture, opened: float) -> Picture:
        """A new picture; opened: 0 closed to 1. The chin goes down with the lower lip."""
        p, u = self._points, self._u
        corners, line = p[_CORNERS, 0], float(p[_LIP_LINE, 1].mean())
        half = float(corners[1] - corners[0]) / 2
        gap = _WIDEST * opened * u
        left, right = math.floor(corners.mean() - 2.1 * half), math.ceil(corners.mean() + 2.1 * half)
        top, bottom = math.floor(line - 0.35 * u), min(face.shape[0] - 1, math.ceil(p[_CHIN, 1] + 1.2 * u + gap))
        xs = np.arange(max(left, 0), min(right, face.shape[1] - 1) + 1, dtype=np.float64)
        ys = np.arange(top, bottom + 1, dtype=np.float64)[:, None]
        across = (xs - corners.mean()) / half
        lips = np.clip(1 - (across / 1.05) ** 2, 0, 1) ** 0.6
        cheeks = np.clip(1 - (across / 2.1) ** 2, 0, 1)
        held = 1 - smooth((ys - p[_CHIN, 1] - 0.1 * u) / (0.9 * u))
        from_lips = np.divide(lips, cheeks, out=np.zeros_like(cheeks), where=cheeks > 0)
        lower = gap * cheeks * held * np.minimum(1, from_lips + smooth((ys - line) / (0.5 * u)))
        upper = 0.12 * gap * lips * smooth((ys - line + 0.35 * u) / (0.35 * u))
        map_y = np.where(ys > line, np.maximum(line, ys - lower), np.minimum(line, ys + upper))
        moved = _remapped(face, xs, map_y)
        inside = (ys < line + gap * lips) & (ys > line - 0.12 * gap * lips)
        alpha = (inside * smooth((gap * lips - 0.02 * u) / (0.06 * u))).astype(np.float32)
        alpha = np.asarray(cv2.GaussianBlur(alpha, (0, 0), 1.2))[..., None]
        face = face.copy()
        mouth = moved * (1 - alpha) + alpha * _GAP_RGB
        face[top : bottom + 1, int(xs[0]) : int(xs[-1]) + 1] = mouth.astype(np.uint8)
        return face

    def _close(self, face: Picture, eye: int, closed: float) -> None:
        """Draws the skin above the eye down to where the upper lid is now."""
        p, u = self._points, self._u
        left, right = p[eye, 0] - 0.06 * u, p[eye + 3, 0] + 0.06 * u
        xs = np.arange(math.floor(left), math.ceil(right) + 1, dtype=np.float64)
        upper = _parabola(p[eye : eye + 4], xs)
        lower = _parabola(p[[eye, eye + 5, eye + 4, eye + 3]], xs)
        brow = _parabola(p[_BROWS[eye]], xs)
        taper = smooth((xs - left) / (0.1 * u)) * smooth((right - xs) / (0.1 * u))
        edge = upper + 0.92 * closed * taper * np.maximum(lower - upper, 0)
        start = np.clip(brow + 0.09 * u, upper - 0.30 * u, upper - 0.08 * u)
        top, bottom = math.floor(start.min()), math.ceil(edge.max() + 0.1 * u)
        ys = np.arange(top, bottom + 1, dtype=np.float64)[:, None]
        skin = (ys > start) & (ys < edge)
        stretched = start + (ys - start) / (edge - start) * (upper - 0.035 * u - start)
        patch = _remapped(face, xs, np.where(skin, stretched, ys))
        lash = 1 - 0.55 * np.exp(-(((ys - edge) / (0.022 * u)) ** 2)) * taper * min(1.0, 1.3 * closed)
        face[top : bottom + 1, int(xs[0]) : int(xs[-1]) + 1] = np.clip(patch * lash[..., None], 0, 255).astype(np.uint8)


def smooth(t: Plane) -> Plane:
    """0 up to 0, 1 from 1 on, without a kink between."""
    t = np.clip(t, 0, 1)
    return np.asarray(t * t * (3 - 2 * t), dtype=np.float64)


def _parabola(through: Plane, xs: Plane) -> Plane:
    return np.asarray(np.polyval(np.polyfit(through[:, 0], through[:, 1], 2), xs), dtype=np.float64)


def _remapped(face: Picture, xs: Plane, map_y: Plane) -> Picture:
    """The columns xs of the face with every pixel taken from the row map_y names."""
    map_x = np.ascontiguousarray(np.broadcast_to(xs.astype(np.float32), map_y.shape))
    return np.asarray(cv2.remap(face, map_x, map_y.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))
