"""The living portrait: one still photograph becomes a head that turns, sways, blinks and speaks. For demo and tests only.

Unit of length is the distance of the eyes (u); origin the nasion; x right, y down, z to the camera. It is itself an
attack no ordinary camera can tell from a person, which is why only a demo configuration accepts such a source.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from kiosk.devices.emulated.features import Features, smooth
from kiosk.devices.emulated.infrared import skin
from kiosk.devices.emulated.warp import HALF_X, HALF_Y, SIZE, Picture, Plane, drawn, sources

EYE_PX = 85.0
ORIGIN_PX = (0.50 * SIZE[0], 0.42 * SIZE[1])
"""Where the nasion lies."""
UNIT_MM = 63.0
BINOCULAR = 60 / UNIT_MM
"""How far the second eye of a binocular module is to the right of the first, in u: 60 mm."""
_CAMERA = 8.0
"""Distance of the camera: 50 cm at 63 mm between the eyes."""
_PIVOT = 1.25


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
    """A head made from a still. The background stays where it is, the neck gives way like rubber."""

    def __init__(self, still: Picture, points: Plane) -> None:
        """points: the 68 landmarks of the one face in the still, in its pixels."""
        self.face = FramedFace(still, points)
        x, y = in_units(HALF_X, HALF_Y)
        self._surface = head_surface(x, y).astype(np.float32)
        self._follows = head_share(x, y).astype(np.float32)

    def render(self, pose: Pose, blink: float = 0.0, mouth: float = 0.0, t: float = 0.0) -> Picture:
        """One frame without camera noise. blink, mouth: 0 at rest to 1; t changes nothing about a head."""
        return self._drawn(self.face.acting(blink, mouth), pose, 0.0)

    def infrared(
        self, pose: Pose, blink: float = 0.0, mouth: float = 0.0, t: float = 0.0, seen_from: float = BINOCULAR
    ) -> Picture:
        """(480, 640) grey: the same instant in infrared light, the camera so many u to the right."""
        return self._drawn(skin(self.face.acting(blink, mouth)), pose, seen_from)

    def _drawn(self, picture: Picture, pose: Pose, seen_from: float) -> Picture:
        """What is nearer than the head's axis moves more than the whole, what is farther less: disparity."""
        aside = disparity(seen_from, pose)
        x, y = project(self._surface, pose, seen_from)
        return drawn(picture, sources((x + aside - HALF_X) * self._follows, (y - HALF_Y) * self._follows, aside))


class FramedFace:
    """A still with the eyes level and EYE_PX apart, the nasion at its place; its lids and lips can be moved."""

    def __init__(self, still: Picture, points: Plane) -> None:
        matrix = _reframing(points)
        """points: the 68 landmarks of the one face in the still, in its pixels."""
        self.still = np.asarray(cv2.warpAffine(still, matrix, SIZE, borderMode=cv2.BORDER_REPLICATE), dtype=np.uint8)
        """(480, 640, 3)."""
        self.points = points @ matrix[:, :2].T + matrix[:, 2]
        """(68, 2) in pixels of `still`."""
        self._features = Features(self.points, EYE_PX)

    def acting(self, blink: float, mouth: float) -> Picture:
        picture = self.still if blink <= 0 else self._features.with_lids(self.still, blink)
        return picture if mouth <= 0 else self._features.with_mouth(picture, mouth)


def _reframing(points: Plane) -> Plane:
    """(2, 3): eyes level and 85 px apart, nasion at its place."""
    left, right = points[36:42].mean(axis=0), points[42:48].mean(axis=0)
    dx, dy = right - left
    scale = EYE_PX / math.hypot(dx, dy)
    angle = math.atan2(dy, dx)
    cos, sin = scale * math.cos(angle), scale * math.sin(angle)
    turn = np.array([[cos, sin], [-sin, cos]])
    shift = np.array(ORIGIN_PX) - turn @ points[27]
    return np.hstack([turn, shift[:, None]])


def in_units(x: Plane, y: Plane) -> tuple[Plane, Plane]:
    """Pixels of the frame in u from the nasion."""
    return (x - ORIGIN_PX[0]) / EYE_PX, (y - ORIGIN_PX[1]) / EYE_PX


def head_share(x: Plane, y: Plane) -> Plane:
    """How much a point of the frame belongs to the head: 1 in the face, 0 in the background."""
    rim = np.sqrt((x / 1.45) ** 2 + ((y - 0.45) / 1.95) ** 2)
    return 1 - smooth((rim - 1.05) / 0.95)


def head_surface(x: Plane, y: Plane) -> Plane:
    """(3, …): where the points of the frontal picture lie on the head, such that no rotation is the identity."""
    z = depth(x, y) - _PIVOT
    away = (_CAMERA - z) / _CAMERA
    return np.stack([x * away, y * away, z])


def project(surface: Plane, pose: Pose, seen_from: float = 0.0) -> tuple[Plane, Plane]:
    """Pixel x and y of a surface (3, …) after yaw about y, then pitch about x, then roll about z.

    seen_from: how far to the right of its usual place the camera stands, in u; it still looks straight ahead.
    """
    yaw, pitch, roll = (math.radians(angle) for angle in (pose.yaw, pose.pitch, pose.roll))
    x, y, z = surface
    x, z = x * math.cos(yaw) + z * math.sin(yaw), -x * math.sin(yaw) + z * math.cos(yaw)
    y, z = y * math.cos(pitch) - z * math.sin(pitch), y * math.sin(pitch) + z * math.cos(pitch)
    x, y = x * math.cos(roll) - y * math.sin(roll), x * math.sin(roll) + y * math.cos(roll)
    scale = EYE_PX * _CAMERA / (_CAMERA / pose.zoom - z)
    return (x - seen_from) * scale + ORIGIN_PX[0] + pose.dx, y * scale + ORIGIN_PX[1] + pose.dy


def disparity(seen_from: float, pose: Pose) -> float:
    """How many pixels the axis of a head (z = 0) moves to the left when seen from so far to the right."""
    return seen_from * EYE_PX * pose.zoom


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
