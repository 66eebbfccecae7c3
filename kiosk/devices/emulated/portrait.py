"""The living portrait: one still photograph becomes a head that turns, sways and blinks. For demo and tests only.

Unit of length is the distance of the eyes (u); origin the nasion; x right, y down, z to the camera. It is itself an
attack no ordinary camera can tell from a person, which is why only a demo configuration accepts such a source.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
"""(height, width, 3), RGB."""
Plane = npt.NDArray[np.float64]

EYE_PX = 85.0
SIZE = (640, 480)
_ORIGIN_PX = (0.50 * SIZE[0], 0.42 * SIZE[1])
"""Where the nasion lies."""
_CAMERA = 8.0
"""Distance of the camera: 50 cm at 63 mm between the eyes."""
_PIVOT = 1.25
_INVERT_STEPS = 8
_LEFT_EYE, _RIGHT_EYE = 36, 42
_BROWS = {_LEFT_EYE: slice(17, 22), _RIGHT_EYE: slice(22, 27)}


@dataclass(frozen=True, slots=True)
class Pose:
    """Angles in degrees, shift in pixels. Positive yaw: to the person's own left; positive pitch: chin up.

    zoom: 1 at the usual distance, larger is nearer.
    """

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    dx: float = 0.0
    dy: float = 0.0
    zoom: float = 1.0


class LivingPortrait:
    """A head made from a still, or with `flat` the same still as a sheet of paper held before the camera."""

    def __init__(self, still: Picture, points: Plane, flat: bool = False) -> None:
        """points: the 68 landmarks of the one face in the still, in its pixels."""
        matrix = _reframing(points)
        self._still = np.asarray(cv2.warpAffine(still, matrix, SIZE, borderMode=cv2.BORDER_REPLICATE), dtype=np.uint8)
        self._points = points @ matrix[:, :2].T + matrix[:, 2]
        width, height = SIZE[0] // 2, SIZE[1] // 2  # flow at half resolution
        self._xs, self._ys = np.meshgrid(np.arange(width) * 2.0, np.arange(height) * 2.0)
        x, y = (self._xs - _ORIGIN_PX[0]) / EYE_PX, (self._ys - _ORIGIN_PX[1]) / EYE_PX
        if flat:
            self._surface = np.stack([x, y, np.zeros_like(x)])
            self._follows = np.ones_like(x)
        else:
            self._surface = head_surface(x, y)
            rim = np.sqrt((x / 1.45) ** 2 + ((y - 0.45) / 1.95) ** 2)
            self._follows = 1 - _smooth((rim - 1.05) / 0.95)

    def render(self, pose: Pose, blink: float = 0.0) -> Picture:
        """One frame without camera noise. blink: 0 open to 1 closed."""
        face = self._still if blink <= 0 else self._with_lids(blink)
        map_x, map_y = self._flow(pose)
        # BORDER_REFLECT would show a second face
        return np.asarray(cv2.remap(face, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), dtype=np.uint8)

    def _flow(self, pose: Pose) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """For every pixel of the frame where in the still it comes from: the forward motion, inverted step by step."""
        x, y = project(self._surface, pose)
        fx, fy = (x - self._xs) * self._follows, (y - self._ys) * self._follows
        flow = np.dstack([fx, fy]).astype(np.float32)
        at = np.dstack([self._xs, self._ys]).astype(np.float32)
        source = at - flow
        for _ in range(_INVERT_STEPS):
            moved = cv2.remap(flow, source[..., 0] / 2, source[..., 1] / 2, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            source = np.asarray(0.3 * source + 0.7 * (at - moved), dtype=np.float32)
        offset = cv2.resize(source - at, SIZE, interpolation=cv2.INTER_LINEAR)
        grid_x, grid_y = np.meshgrid(np.arange(SIZE[0], dtype=np.float32), np.arange(SIZE[1], dtype=np.float32))
        return grid_x + offset[..., 0], grid_y + offset[..., 1]

    def _with_lids(self, blink: float) -> Picture:
        face = self._still.copy()
        for eye in (_LEFT_EYE, _RIGHT_EYE):
            self._close(face, eye, blink)
        return face

    def _close(self, face: Picture, eye: int, blink: float) -> None:
        """Draws the skin above the eye down to where the upper lid is now."""
        p, u = self._points, EYE_PX
        left, right = p[eye, 0] - 0.06 * u, p[eye + 3, 0] + 0.06 * u
        xs = np.arange(math.floor(left), math.ceil(right) + 1)
        upper = _parabola(p[eye : eye + 4], xs)
        lower = _parabola(p[[eye, eye + 5, eye + 4, eye + 3]], xs)
        brow = _parabola(p[_BROWS[eye]], xs)
        taper = _smooth((xs - left) / (0.1 * u)) * _smooth((right - xs) / (0.1 * u))
        edge = upper + 0.92 * blink * taper * np.maximum(lower - upper, 0)
        start = np.clip(brow + 0.09 * u, upper - 0.30 * u, upper - 0.08 * u)
        top, bottom = math.floor(start.min()), math.ceil(edge.max() + 0.1 * u)
        ys = np.arange(top, bottom + 1)[:, None].astype(np.float64)
        skin = (ys > start) & (ys < edge)
        stretched = start + (ys - start) / (edge - start) * (upper - 0.035 * u - start)
        map_y = np.where(skin, stretched, ys).astype(np.float32)
        map_x = np.broadcast_to(xs.astype(np.float32), map_y.shape)
        patch = cv2.remap(face, np.ascontiguousarray(map_x), map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        lash = 1 - 0.55 * np.exp(-(((ys - edge) / (0.022 * u)) ** 2)) * taper * min(1.0, 1.3 * blink)
        face[top : bottom + 1, xs[0] : xs[-1] + 1] = np.clip(patch * lash[..., None], 0, 255).astype(np.uint8)


def _reframing(points: Plane) -> Plane:
    """(2, 3): eyes level and 85 px apart, nasion at its place."""
    left, right = points[36:42].mean(axis=0), points[42:48].mean(axis=0)
    dx, dy = right - left
    scale = EYE_PX / math.hypot(dx, dy)
    angle = math.atan2(dy, dx)
    cos, sin = scale * math.cos(angle), scale * math.sin(angle)
    turn = np.array([[cos, sin], [-sin, cos]])
    shift = np.array(_ORIGIN_PX) - turn @ points[27]
    return np.hstack([turn, shift[:, None]])


def _smooth(t: Plane) -> Plane:
    t = np.clip(t, 0, 1)
    return t * t * (3 - 2 * t)


def _parabola(through: Plane, xs: Plane) -> Plane:
    return np.asarray(np.polyval(np.polyfit(through[:, 0], through[:, 1], 2), xs), dtype=np.float64)


def head_surface(x: Plane, y: Plane) -> Plane:
    """(3, …): where the points of the frontal picture lie on the head, such that no rotation is the identity."""
    z = depth(x, y) - _PIVOT
    away = (_CAMERA - z) / _CAMERA
    return np.stack([x * away, y * away, z])


def project(surface: Plane, pose: Pose) -> tuple[Plane, Plane]:
    """Pixel x and y of a surface (3, …) after yaw about y, then pitch about x, then roll about z."""
    yaw, pitch, roll = (math.radians(angle) for angle in (pose.yaw, pose.pitch, pose.roll))
    x, y, z = surface
    x, z = x * math.cos(yaw) + z * math.sin(yaw), -x * math.sin(yaw) + z * math.cos(yaw)
    y, z = y * math.cos(pitch) - z * math.sin(pitch), y * math.sin(pitch) + z * math.cos(pitch)
    x, y = x * math.cos(roll) - y * math.sin(roll), x * math.sin(roll) + y * math.cos(roll)
    scale = EYE_PX * _CAMERA / (_CAMERA / pose.zoom - z)
    return x * scale + _ORIGIN_PX[0] + pose.dx, y * scale + _ORIGIN_PX[1] + pose.dy


def depth(x: Plane, y: Plane) -> Plane:
    """A head: an ellipsoid with nose, eye sockets, brow, lips and chin."""

    def hill(height: float, across: Plane, width: float, along: Plane, length: float) -> Plane:
        return np.asarray(height * np.exp(-((across / width) ** 2) - (along / length) ** 2), dtype=np.float64)

    ridge = np.clip(y / 0.65, 0, 1)
    nose = np.where(y < 0.65, ridge**1.2, np.exp(-(((y - 0.65) / 0.12) ** 2)))
    return np.asarray(
        1.8 * (1 - 0.5 * np.minimum((x / 1.25) ** 2 + ((y - 0.45) / 1.75) ** 2, 1.9))
        + 0.38 * np.exp(-((x / (0.13 + 0.11 * ridge)) ** 2)) * nose
        - hill(0.12, np.abs(x) - 0.5, 0.22, y - 0.08, 0.16)
        + hill(0.05, np.abs(x) - 0.4, 0.35, y + 0.25, 0.12)
        + hill(0.10, x, 0.4, y - 1.1, 0.18)
        + hill(0.10, x, 0.3, y - 1.75, 0.2),
        dtype=np.float64,
    )
