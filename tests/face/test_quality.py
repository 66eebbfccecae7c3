"""The measures, on pictures whose values are known."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from degraded import BLACK_MASK, BLUE_MASK, WHITE_MASK, in_sunglasses, masked
from hypothesis import given
from hypothesis import strategies as st
from model_face import eyes_shut, head

from kiosk.devices.emulated import people
from kiosk.devices.emulated.people import Person
from kiosk.devices.emulated.portrait import Pose
from kiosk.domain.coaching import Coach
from kiosk.face.align import Grey, to_grey
from kiosk.face.coverings import cover_of
from kiosk.face.dlib_engine import DlibEngine
from kiosk.face.engine import Box, Image, Points
from kiosk.face.quality import Light, Quality, bearing_of, light_of, place_of

BOX = Box(230, 150, 410, 330)
FRONTAL = head(Pose())


def light(grey: Grey) -> Light:
    return light_of(grey, BOX, FRONTAL)


def even(level: int) -> Grey:
    return np.full((480, 640), level, np.uint8)


def grain(deviation: float) -> Grey:
    noise = np.random.default_rng(1).normal(0, deviation, (480, 640))
    return np.clip(128 + noise, 0, 255).astype(np.uint8)


def test_place() -> None:
    place = place_of(BOX, 640, 480)
    assert (place.width, place.height, place.offset, place.cut) == (360, 0.375, 0, 0)
    place = place_of(Box(-20, -45, 160, 135), 1280, 720)
    assert place.width == 180 and place.height == 0.25
    assert place.offset == pytest.approx(70 / 1280 - 0.5)
    assert place.cut == pytest.approx(1 - 160 * 135 / 180**2)


def test_even_light() -> None:
    assert light(even(100)) == Light(brightness=100, glare=0, side=0, back=0, sharpness=0)


def test_brightness_is_that_of_brows_to_chin_alone() -> None:
    grey = even(10)
    cv2.ellipse(grey, (320, 240), (95, 150), 0, 0, 360, 90, -1)
    assert light(grey).brightness == pytest.approx(90, abs=2)


def test_glare_counts_from_247() -> None:
    grey = even(246)
    assert light(grey).glare == 0
    grey[:, 320:] = 247
    assert light(grey).glare == pytest.approx(0.5, abs=0.05)


def test_side() -> None:
    grey = even(50)
    grey[:, 320:] = 150
    assert light(grey).side == pytest.approx(math.log(3), abs=0.1)
    assert light(np.ascontiguousarray(grey[:, ::-1])).side == pytest.approx(math.log(3), abs=0.1)


def test_back_compares_with_what_is_above_and_beside() -> None:
    grey = even(240)
    grey[100:330, 185:455] = 60
    grey[330:] = 0
    assert light(grey).back == pytest.approx(math.log(4), abs=0.02)


def test_a_face_that_fills_the_frame_has_no_surroundings() -> None:
    assert light_of(even(100), Box(-200, -200, 840, 680), FRONTAL).back == 0


def test_noise_does_not_look_sharp() -> None:
    """Raw, the grain of a dark picture would pass for a clear one. A face of the chip's own size: nothing is averaged away."""
    box, points = Box(161, 105, 287, 231), FRONTAL * 0.7
    blurred = cv2.GaussianBlur(grain(60), (0, 0), 4)
    noisy = np.clip(blurred + np.random.default_rng(2).normal(0, 3, blurred.shape), 0, 255).astype(np.uint8)
    assert cv2.Laplacian(noisy[105:231, 161:287], cv2.CV_64F).var() > 100
    assert light_of(noisy, box, points).sharpness < 20
    assert light_of(grain(60), box, points).sharpness > 100


@given(level=st.integers(1, 250), gain=st.floats(0.2, 1.0))
def test_ratios_do_not_depend_on_how_bright_all_is(level: int, gain: float) -> None:
    grey = np.clip(np.linspace(0.5, 1, 640) * max(level, 80), 1, 255).astype(np.uint8)[None].repeat(480, axis=0)
    dimmed = light(np.round(grey * max(gain, 0.5)).astype(np.uint8))
    assert dimmed.side == pytest.approx(light(grey).side, abs=0.03)
    assert dimmed.back == pytest.approx(light(grey).back, abs=0.03)


def test_a_large_frame_measures_like_a_small_one() -> None:
    """1280 wide, the face twice as large: scaled down to the chip without aliasing."""
    small = cv2.GaussianBlur(grain(60), (0, 0), 1.5)
    large = np.asarray(cv2.resize(small, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC), dtype=np.uint8)
    twice = light_of(large, Box(460, 300, 820, 660), FRONTAL * 2)
    assert twice.brightness == pytest.approx(light(np.asarray(small)).brightness, abs=1)
    assert twice.sharpness == pytest.approx(light(np.asarray(small)).sharpness, rel=0.4)


def test_bearing() -> None:
    bearing = bearing_of(FRONTAL)
    assert (bearing.yaw, bearing.pitch, bearing.roll) == pytest.approx((0, 0.4904, 0), abs=1e-4)
    assert bearing.eyes == pytest.approx(0.2727, abs=1e-4)
    assert bearing_of(head(Pose(), eyes_shut())).eyes == pytest.approx(0.0682, abs=1e-4)
    assert bearing_of(head(Pose(yaw=12))).yaw > 0.28 and bearing_of(head(Pose(pitch=12))).pitch < 0.36


@pytest.fixture(scope="module", params=[Person.CARDHOLDER, Person.STRANGER])
def bare(request: pytest.FixtureRequest, engine: DlibEngine) -> tuple[Image, Points]:
    rgb = people.living_portrait(request.param).render(Pose())
    return rgb, engine.landmarks(rgb, engine.detect(rgb)[0])


def test_a_bare_face(bare: tuple[Image, Points]) -> None:
    cover = cover_of(*bare)
    assert cover.mask < -3 and cover.lips > 4 and 0.7 < cover.eyes < 1


@pytest.mark.parametrize("colour", [BLUE_MASK, WHITE_MASK, BLACK_MASK])
def test_masks(bare: tuple[Image, Points], colour: tuple[int, int, int]) -> None:
    rgb, points = bare
    cover = cover_of(masked(rgb, points, colour), points)
    assert cover.mask > 10 and cover.lips < 1


def test_the_mask_score_by_its_formula() -> None:
    """Brow (150, 160), below (128, 130), lips (131, 134) in a*b*: 37.2 - 5 - 0."""
    rgb = np.zeros((480, 640, 3), np.uint8)
    for colour, region in (((180, 150, 160), slice(0, 248)), ((180, 128, 130), slice(248, 480))):
        rgb[region] = cv2.cvtColor(np.full((1, 1, 3), colour, np.uint8), cv2.COLOR_LAB2RGB)
    lips = cv2.cvtColor(np.full((1, 1, 3), (180, 131, 134), np.uint8), cv2.COLOR_LAB2RGB)[0, 0]
    cv2.fillConvexPoly(rgb, cv2.convexHull(np.round(FRONTAL[48:60]).astype(np.int32)), [int(one) for one in lips])
    lab = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB)[[200, 255, 297], 320, 1:].astype(float)
    below = lab[1] * 0.97 + lab[2] * 0.03  # the lips lie in the lower face
    expected = np.linalg.norm(lab[1] - lab[0]) - np.linalg.norm(lab[2] - lab[1]) - 0.3 * (below[0] - 128)
    assert cover_of(rgb, FRONTAL).mask == pytest.approx(expected, abs=2)


def test_without_colour_nothing_is_said_about_masks(bare: tuple[Image, Points]) -> None:
    rgb, points = bare
    grey = np.repeat(to_grey(rgb)[..., None], 3, axis=2)
    assert cover_of(grey, points).mask == pytest.approx(0, abs=1e-9)


def test_sunglasses_are_dark_and_leave_the_lips(bare: tuple[Image, Points]) -> None:
    rgb, points = bare
    cover = cover_of(in_sunglasses(rgb, points), points)
    assert cover.eyes < 0.3 and cover.lips > 4


def test_points_outside_the_frame_break_nothing() -> None:
    rgb = np.full((480, 640, 3), 90, np.uint8)
    for dx, dy in ((-300, 0), (300, 0), (0, -250), (0, 200)):
        assert cover_of(rgb, FRONTAL + np.array([dx, dy])).eyes == pytest.approx(1)


def test_what_was_not_measured_has_no_sharpness() -> None:
    assert Quality(Coach.NO_FACE).sharpness == 0
    assert Quality(None, light=light(grain(60))).sharpness > 100
