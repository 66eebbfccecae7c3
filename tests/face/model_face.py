"""The exact model face: 68 points of a symmetric head, turned and tilted, or of its picture on a sheet, flat or bent.

Points in units of the eye distance u, origin at the nasion; projected, they are pixels with u = 85.
"""

from __future__ import annotations

import numpy as np

from kiosk.devices.emulated.portrait import Pose, head_surface, project
from kiosk.face.engine import Points

LIDS = ((37, 41), (38, 40), (43, 47), (44, 46))


def template() -> Points:
    i = np.arange(17)
    jaw = np.stack([-1.02 * np.cos(np.pi * i / 16), 0.15 + 1.65 * np.sin(np.pi * i / 16)], axis=1)
    j = np.arange(5)
    brow = np.stack([-0.86 + 0.17 * j, -0.28 - 0.10 * np.sin(np.pi * j / 4)], axis=1)
    bridge = np.stack([np.zeros(4), 0.19 * np.arange(4)], axis=1)
    nostrils = np.stack([-0.20 + 0.10 * j, 0.70 + 0.03 * np.sin(np.pi * j / 4)], axis=1)
    eyes = [
        [(c - 0.22, 0.06), (c - 0.08, 0.0), (c + 0.08, 0.0), (c + 0.22, 0.06), (c + 0.08, 0.12), (c - 0.08, 0.12)]
        for c in (-0.5, 0.5)
    ]
    lips = [
        (-0.40, 1.10), (-0.24, 1.02), (-0.09, 0.98), (0, 1.00), (0.09, 0.98), (0.24, 1.02), (0.40, 1.10), (0.24, 1.20),
        (0.09, 1.25), (0, 1.26), (-0.09, 1.25), (-0.24, 1.20),
        (-0.32, 1.10), (-0.12, 1.08), (0, 1.09), (0.12, 1.08), (0.32, 1.10), (0.12, 1.12), (0, 1.13), (-0.12, 1.12),
    ]
    return np.vstack([jaw, brow, brow[::-1] * [-1, 1], bridge, nostrils, *eyes, lips])


def eyes_shut() -> Points:
    face = template()
    for upper, lower in LIDS:
        face[lower, 1] = face[upper, 1] + 0.03
    return face


def mouth_open() -> Points:
    face = template()
    face[62, 1] -= 0.02
    face[66, 1] += 0.30
    return face


def head(pose: Pose, face: Points | None = None) -> Points:
    """What a camera sees of a living head."""
    face = template() if face is None else face
    return np.stack(project(head_surface(face[:, 0], face[:, 1]), pose), axis=1)


def flat(pose: Pose) -> Points:
    x, y = template().T
    return _sheet(x, y, np.zeros_like(x), pose)


def bent_upright(radius: float, pose: Pose) -> Points:
    """A sheet bent about the vertical axis; radius in u."""
    x, y = template().T
    return _sheet(radius * np.sin(x / radius), y, radius * (np.cos(x / radius) - 1), pose)


def bent_lying(radius: float, pose: Pose) -> Points:
    """A sheet bent about a horizontal axis."""
    x, y = template().T
    angle = (y - 0.6) / radius
    return _sheet(x, radius * np.sin(angle) + 0.6, radius * (np.cos(angle) - 1), pose)


def _sheet(x: Points, y: Points, z: Points, pose: Pose) -> Points:
    return np.stack(project(np.stack([x, y, z]), pose), axis=1)
