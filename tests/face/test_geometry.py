"""Ratios of a face against the exact template face, also turned and tilted by the projection of the living portrait."""

from __future__ import annotations

import numpy as np
import pytest

from kiosk.devices.emulated.portrait import EYE_PX, Pose, depth, head_surface, project
from kiosk.face import geometry
from kiosk.face.engine import Points


def template() -> Points:
    """68 points of a symmetric face in units of the eye distance, origin at the nasion."""
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


def seen(pose: Pose, face: Points | None = None) -> Points:
    face = template() if face is None else face
    return np.stack(project(head_surface(face[:, 0], face[:, 1]), pose), axis=1)


def test_frontal_face() -> None:
    face = template()
    assert geometry.eye_aspect_ratio(face) == pytest.approx(0.2727, abs=1e-4)
    assert geometry.mouth_aspect_ratio(face) == pytest.approx(0.0625, abs=1e-4)
    assert geometry.yaw_ratio(face) == pytest.approx(0, abs=1e-12)
    assert geometry.pitch_ratio(face) == pytest.approx(0.4904, abs=1e-4)
    assert geometry.roll(face) == 0
    assert geometry.eye_distance(face) == pytest.approx(1)


def test_closed_eyes_and_open_mouth() -> None:
    face = template()
    for upper, lower in ((37, 41), (38, 40), (43, 47), (44, 46)):
        face[lower, 1] = face[upper, 1] + 0.03
    face[62, 1] -= 0.02
    face[66, 1] += 0.30
    assert geometry.eye_aspect_ratio(face) == pytest.approx(0.0682, abs=1e-4)
    assert geometry.mouth_aspect_ratio(face) == pytest.approx(0.5625, abs=1e-4)


@pytest.mark.parametrize(
    ("x", "y", "z"),
    [(0, 0, 1.7401), (0, 0.57, 2.1204), (0, 0.65, 2.1684), (0.5, 0.08, 1.4958), (0, 1.1, 1.7758), (0, 1.75, 1.4033),
     (1, 0.6, 1.2174), (-0.86, -0.28, 1.2257)],
)
def test_depth_of_the_head(x: float, y: float, z: float) -> None:
    assert float(depth(np.array(x), np.array(y))) == pytest.approx(z, abs=1e-4)


def test_no_rotation_is_the_identity() -> None:
    assert seen(Pose()) == pytest.approx(template() * EYE_PX + [320, 201.6], abs=1e-9)


@pytest.mark.parametrize(
    ("index", "x", "y"),
    [(27, 333.67, 201.60), (30, 345.50, 249.76), (33, 342.33, 263.33), (36, 264.69, 206.84), (45, 380.83, 206.56),
     (48, 297.57, 296.34), (54, 361.79, 293.46)],
)
def test_a_turned_head(index: int, x: float, y: float) -> None:
    assert tuple(seen(Pose(yaw=18))[index]) == pytest.approx((x, y), abs=0.01)


@pytest.mark.parametrize(("yaw", "ratio"), [(6, 0.1516), (12, 0.3059), (18, 0.4662), (-18, -0.4662), (24, 0.6360)])
@pytest.mark.parametrize("roll", [0, 10, -10])
def test_yaw_is_measured_with_the_head_tilted_too(yaw: float, ratio: float, roll: float) -> None:
    points = seen(Pose(yaw=yaw, roll=roll))
    assert geometry.yaw_ratio(points) == pytest.approx(ratio, abs=1e-3)


@pytest.mark.parametrize("roll", [-20, -10, 0, 10, 20])
def test_roll_is_measured_in_degrees(roll: float) -> None:
    points = seen(Pose(roll=roll))
    assert geometry.roll(points) == pytest.approx(roll, abs=1e-6)
    assert geometry.yaw_ratio(points) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(("pitch", "ratio"), [(-15, 0.6609), (-8, 0.5807), (0, 0.4904), (8, 0.3985), (15, 0.3143)])
def test_pitch_ratio_falls_with_chin_up(pitch: float, ratio: float) -> None:
    assert geometry.pitch_ratio(seen(Pose(pitch=pitch))) == pytest.approx(ratio, abs=1e-4)
