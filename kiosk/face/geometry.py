"""Measures of a face from its 68 points. Ratios without unit; right-handed for a picture: x right, y down."""

from __future__ import annotations

import math

import numpy as np

from kiosk.face.engine import Points

LEFT_EYE, RIGHT_EYE = slice(36, 42), slice(42, 48)
"""As seen in the picture: the person's own right and left eye."""
NASION, NOSE_TIP = 27, 30
MOUTH_CORNERS = [48, 54]


def eye_centres(points: Points) -> tuple[Points, Points]:
    """Left and right in the picture, each (2,)."""
    return points[LEFT_EYE].mean(axis=0), points[RIGHT_EYE].mean(axis=0)


def eye_distance(points: Points) -> float:
    left, right = eye_centres(points)
    return float(np.linalg.norm(right - left))


def roll(points: Points) -> float:
    """Tilt of the head in degrees; positive when the right eye in the picture is the lower one."""
    left, right = eye_centres(points)
    return math.degrees(math.atan2(right[1] - left[1], right[0] - left[0]))


def deroll(points: Points) -> Points:
    """The points with the eyes level and the nasion at the origin."""
    angle = math.radians(roll(points))
    cos, sin = math.cos(angle), math.sin(angle)
    return np.asarray((points - points[NASION]) @ np.array([[cos, -sin], [sin, cos]]), dtype=np.float64)


def yaw_ratio(points: Points) -> float:
    """0 for a frontal symmetric face, about 0.023 per degree; grows when the person turns to the own left."""
    level = deroll(points)
    left, right = eye_centres(level)
    tip = level[NOSE_TIP, 0]
    return float(((tip - left[0]) - (right[0] - tip)) / (right[0] - left[0]))


def pitch_ratio(points: Points) -> float:
    """Height of the nose tip between eyes (0) and mouth (1); falls by about 0.013 per degree of chin-up."""
    level = deroll(points)
    eyes = level[36:48, 1].mean()
    return float((level[NOSE_TIP, 1] - eyes) / (level[MOUTH_CORNERS, 1].mean() - eyes))


def eye_aspect_ratio(points: Points) -> float:
    """EAR, mean of both eyes: open 0.18 to 0.39 between people, so only ever compared with the person's own."""
    return float(np.mean([_opening(points[eye]) for eye in (LEFT_EYE, RIGHT_EYE)]))


def mouth_aspect_ratio(points: Points) -> float:
    """MAR of the inner lips."""
    return float(np.linalg.norm(points[62] - points[66]) / np.linalg.norm(points[60] - points[64]))


def _opening(eye: Points) -> float:
    heights = np.linalg.norm(eye[1] - eye[5]) + np.linalg.norm(eye[2] - eye[4])
    return float(heights / (2 * np.linalg.norm(eye[0] - eye[3])))
