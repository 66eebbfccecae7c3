"""Ratios of a face against the exact template face, also turned and tilted by the projection of the living portrait."""

from __future__ import annotations

import numpy as np
import pytest
from model_face import eyes_shut, head, mouth_open, template

from kiosk.devices.emulated.portrait import EYE_PX, Pose, depth
from kiosk.face import geometry


def test_frontal_face() -> None:
    face = template()
    assert geometry.eye_aspect_ratio(face) == pytest.approx(0.2727, abs=1e-4)
    assert geometry.mouth_aspect_ratio(face) == pytest.approx(0.0625, abs=1e-4)
    assert geometry.yaw_ratio(face) == pytest.approx(0, abs=1e-12)
    assert geometry.pitch_ratio(face) == pytest.approx(0.4904, abs=1e-4)
    assert geometry.roll(face) == 0
    assert geometry.eye_distance(face) == pytest.approx(1)


def test_closed_eyes_and_open_mouth() -> None:
    assert geometry.eye_aspect_ratio(eyes_shut()) == pytest.approx(0.0682, abs=1e-4)
    assert geometry.mouth_aspect_ratio(mouth_open()) == pytest.approx(0.5625, abs=1e-4)


@pytest.mark.parametrize(
    ("x", "y", "z"),
    [(0, 0, 1.7401), (0, 0.57, 2.1204), (0, 0.65, 2.1684), (0.5, 0.08, 1.4958), (0, 1.1, 1.7758), (0, 1.75, 1.4033),
     (1, 0.6, 1.2174), (-0.86, -0.28, 1.2257)],
)
def test_depth_of_the_head(x: float, y: float, z: float) -> None:
    assert float(depth(np.array(x), np.array(y))) == pytest.approx(z, abs=1e-4)


def test_no_rotation_is_the_identity() -> None:
    assert head(Pose()) == pytest.approx(template() * EYE_PX + [320, 201.6], abs=1e-9)


@pytest.mark.parametrize(
    ("index", "x", "y"),
    [(27, 333.67, 201.60), (30, 345.50, 249.76), (33, 342.33, 263.33), (36, 264.69, 206.84), (45, 380.83, 206.56),
     (48, 297.57, 296.34), (54, 361.79, 293.46)],
)
def test_a_turned_head(index: int, x: float, y: float) -> None:
    assert tuple(head(Pose(yaw=18))[index]) == pytest.approx((x, y), abs=0.01)


@pytest.mark.parametrize(("yaw", "ratio"), [(6, 0.1516), (12, 0.3059), (18, 0.4662), (-18, -0.4662), (24, 0.6360)])
@pytest.mark.parametrize("roll", [0, 10, -10])
def test_yaw_is_measured_with_the_head_tilted_too(yaw: float, ratio: float, roll: float) -> None:
    points = head(Pose(yaw=yaw, roll=roll))
    assert geometry.yaw_ratio(points) == pytest.approx(ratio, abs=1e-3)


@pytest.mark.parametrize("roll", [-20, -10, 0, 10, 20])
def test_roll_is_measured_in_degrees(roll: float) -> None:
    points = head(Pose(roll=roll))
    assert geometry.roll(points) == pytest.approx(roll, abs=1e-6)
    assert geometry.yaw_ratio(points) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("pitch", "ratio"),
    [(-15, 0.6609), (-12, 0.6263), (-8, 0.5807), (0, 0.4904), (8, 0.3985), (12, 0.3510), (15, 0.3143)],
)
def test_pitch_ratio_falls_with_chin_up(pitch: float, ratio: float) -> None:
    assert geometry.pitch_ratio(head(Pose(pitch=pitch))) == pytest.approx(ratio, abs=1e-4)


@pytest.mark.parametrize(("roll", "raw_yaw"), [(10, 0.2799), (-10, 0.6578)])
def test_raw_points_of_a_tilted_head_would_say_another_yaw(roll: float, raw_yaw: float) -> None:
    """Why everything is de-rolled first: ten degrees of tilt alone move the raw ratio by 0.18."""
    points = head(Pose(yaw=18, roll=roll))
    left, right = geometry.eye_centres(points)
    tip = points[30, 0]
    assert ((tip - left[0]) - (right[0] - tip)) / (right[0] - left[0]) == pytest.approx(raw_yaw, abs=1e-3)
    assert geometry.yaw_ratio(points) == pytest.approx(0.4662, abs=1e-3)


def test_the_persons_own_left_is_right_in_the_picture() -> None:
    left, ahead = head(Pose(yaw=18)), head(Pose())
    assert geometry.yaw_ratio(left) > 0 and left[30, 0] > ahead[30, 0]


def test_de_rolled_points_begin_at_the_nasion_with_the_eyes_level() -> None:
    level = geometry.deroll(head(Pose(yaw=10, roll=12)))
    left, right = geometry.eye_centres(level)
    assert level[27] == pytest.approx([0, 0], abs=1e-12) and left[1] == pytest.approx(right[1], abs=1e-9)
    assert left[0] < 0 < right[0] and level[8, 1] > 100
