"""How strongly the living portrait answers, measured with dlib's points: neither a mask nor a caricature.

Expected values were measured once on the same two photographs; a quarter more or less is the predictor's affair.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

from kiosk.devices.emulated.light import Light, Sensor
from kiosk.devices.emulated.people import Person, landmarks, living_portrait
from kiosk.devices.emulated.portrait import BINOCULAR, EYE_PX, Pose, head_surface, project
from kiosk.devices.emulated.sheets import Sheet
from kiosk.devices.emulated.warp import Plane
from kiosk.face import geometry

STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0)
NEAR = 0.25
FRAMES = 3


@cache
def seen(person: Person, pose: Pose, blink: float = 0.0, mouth: float = 0.0) -> list[Plane]:
    """The points of some frames that differ by the noise of the camera."""
    sensor = Sensor(Light.EVEN, np.random.default_rng(1))
    picture = living_portrait(person).render(pose, blink, mouth)
    found = [landmarks(sensor.film(picture, 0.0)) for _ in range(FRAMES)]
    return [points for points in found if points is not None]


def measured(measure: Callable[[Plane], float], person: Person, pose: Pose, blink: float = 0.0, mouth: float = 0.0) -> float:
    points = seen(person, pose, blink, mouth)
    assert len(points) == FRAMES
    return float(np.median([measure(one) for one in points]))


@pytest.mark.parametrize(("person", "expected"), [
    (Person.STRANGER, (0.34, 0.25, 0.19, 0.13, 0.10)), (Person.CARDHOLDER, (0.30, 0.29, 0.23, 0.21, 0.18)),
])
def test_lids(person: Person, expected: tuple[float, ...]) -> None:
    got = [measured(geometry.eye_aspect_ratio, person, Pose(), blink=one) for one in STRENGTHS]
    assert got == pytest.approx(expected, rel=NEAR)


@pytest.mark.parametrize(("person", "expected"), [
    (Person.STRANGER, (0.16, 0.28, 0.42, 0.53, 0.63)), (Person.CARDHOLDER, (0.04, 0.23, 0.39, 0.54, 0.64)),
])
def test_mouth(person: Person, expected: tuple[float, ...]) -> None:
    got = [measured(geometry.mouth_aspect_ratio, person, Pose(), mouth=one) for one in STRENGTHS]
    assert got == pytest.approx(expected, rel=NEAR, abs=0.03)


@pytest.mark.parametrize(("person", "angle", "expected"), [
    (Person.STRANGER, 12, 0.295), (Person.STRANGER, 18, 0.455), (Person.STRANGER, 24, 0.59),
    (Person.CARDHOLDER, 12, 0.19), (Person.CARDHOLDER, 18, 0.285), (Person.CARDHOLDER, 24, 0.42),
])
def test_turns_to_both_sides(person: Person, angle: float, expected: float) -> None:
    """To the own left the yaw ratio grows; half the way from one side to the other."""
    left, right = (measured(geometry.yaw_ratio, person, Pose(yaw=yaw)) for yaw in (angle, -angle))
    assert (left - right) / 2 == pytest.approx(expected, rel=NEAR)


@pytest.mark.parametrize(("person", "expected"), [
    (Person.STRANGER, (0.88, 0.78, 0.65, 0.53, 0.44)), (Person.CARDHOLDER, (0.73, 0.63, 0.55, 0.43, 0.34)),
])
def test_nods(person: Person, expected: tuple[float, ...]) -> None:
    got = [measured(geometry.pitch_ratio, person, Pose(pitch=pitch)) for pitch in (-15, -8, 0, 8, 15)]
    assert got == pytest.approx(expected, rel=NEAR)


def relief(points: Plane, aside: Plane) -> float:
    """RMS of the disparities of brows, eyes, nose and mouth beside the best plane, in pixels."""
    inner = slice(17, 60)
    x, y = points[inner].T
    shift = points[inner, 0] - aside[inner, 0]
    plane = np.stack([x, y, np.ones_like(x)], axis=1)
    return float(np.std(shift - plane @ np.linalg.lstsq(plane, shift, rcond=None)[0]))


def test_two_eyes_see_the_relief_of_a_head_and_less_on_a_sheet() -> None:
    """What a sheet seems to have is the predictor's unrest between colour and infrared."""
    living = living_portrait(Person.STRANGER)
    found = {}
    for body in (living, Sheet(living.face)):
        reliefs = []
        for pose in (Pose(), Pose(yaw=3), Pose(yaw=-3), Pose(pitch=3)):
            points, aside = landmarks(body.render(pose)), landmarks(np.dstack([body.infrared(pose)] * 3))
            assert points is not None and aside is not None
            assert np.median(points[36:48, 0] - aside[36:48, 0]) == pytest.approx(BINOCULAR * EYE_PX, rel=0.1)
            reliefs.append(relief(points, aside))
        found[type(body)] = float(np.mean(reliefs))
    assert found[type(living)] > 1.5 and found[Sheet] < 1.2


def test_disparity_is_that_of_the_depth() -> None:
    """The tip of the nose is nearer than the nasion, the temple farther: z of each over the distance of eight units."""
    x, y = np.array([0.0, 0.0, 1.0]), np.array([0.0, 0.57, 0.6])
    surface = head_surface(x, y)
    (one, _), (other, _) = project(surface, Pose()), project(surface, Pose(), BINOCULAR)
    z = np.array([1.7401, 2.1204, 1.2174]) - 1.25
    assert one - other == pytest.approx(BINOCULAR * EYE_PX * 8 / (8 - z), abs=0.01)


def test_the_infrared_of_a_head_is_bright_and_its_print_is_pale() -> None:
    living = living_portrait(Person.CARDHOLDER)
    face = np.s_[190:320, 190:290]
    head, print_ = (body.infrared(Pose())[face] for body in (living, Sheet(living.face)))
    assert head.mean() > 130
    assert print_.std() < 0.6 * head.std()


def test_beyond_its_rim_a_picture_goes_on_as_it_ends() -> None:
    """A mirrored border would show a second face."""
    frame = Sheet(living_portrait(Person.STRANGER).face).render(Pose(dx=100)).astype(int)
    assert np.ptp(frame[:, :95], axis=1).max() <= 1 < np.ptp(frame[:, 100:], axis=1).min()
