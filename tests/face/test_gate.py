"""Each spoilt picture gets its own sentence first, a good one gets none, and what is asked follows the configuration."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from degraded import (
    WHITE_MASK,
    before_a_window,
    blurred,
    brighter,
    framed,
    in_sunglasses,
    lit_from_the_side,
    masked,
    moved,
    noisy,
    shaken,
    with_glare,
)
from model_face import eyes_shut, head

from kiosk.config.face import EnrolConfig, GateConfig
from kiosk.devices.emulated import people
from kiosk.devices.emulated.people import Person
from kiosk.devices.emulated.portrait import LivingPortrait, Pose
from kiosk.devices.emulated.warp import FPS
from kiosk.domain.coaching import Coach
from kiosk.face.align import to_grey
from kiosk.face.dlib_engine import DlibEngine
from kiosk.face.engine import Box, Image, Points
from kiosk.face.gate import SPOILS_CHALLENGE, assess, without_face
from kiosk.face.prompt import SteadyPrompt
from kiosk.face.quality import Quality

VERIFY, ENROL = GateConfig(), EnrolConfig().gate
FACES = [Person.CARDHOLDER, Person.STRANGER]


@pytest.fixture(scope="module", params=FACES)
def living(request: pytest.FixtureRequest) -> LivingPortrait:
    return people.living_portrait(request.param)


def look(engine: DlibEngine, rgb: Image, gate: GateConfig = VERIFY) -> Quality:
    rgb = np.ascontiguousarray(rgb)
    faces = sorted(engine.detect(rgb), key=lambda box: -box.width)
    if not faces:
        return without_face(to_grey(rgb), gate)
    return assess(rgb, to_grey(rgb), faces, engine.landmarks(rgb, faces[0]), gate)


def plain(living: LivingPortrait, **pose: float) -> Image:
    return living.render(Pose(**pose))


def test_a_good_picture(engine: DlibEngine, living: LivingPortrait) -> None:
    quality = look(engine, plain(living))
    assert quality.coach is None
    assert None not in (quality.place, quality.light, quality.bearing, quality.cover)
    assert look(engine, plain(living), ENROL).coach is None


DEGRADED: dict[str, tuple[Callable[[LivingPortrait], Image], Coach]] = {
    "dark": (lambda p: brighter(plain(p), 0.2), Coach.DARK),
    "dark and noisy": (lambda p: noisy(brighter(plain(p), 0.2), 6), Coach.DARK),
    "black": (lambda p: brighter(plain(p), 0.02), Coach.DARK),
    "bright": (lambda p: brighter(plain(p), 1.9), Coach.BRIGHT),
    "sun on a cheek": (lambda p: with_glare(brighter(plain(p), 0.8)), Coach.GLARE),
    "light from the side": (lambda p: lit_from_the_side(plain(p), 0.15), Coach.SIDE_LIT),
    "before a window": (lambda p: before_a_window(plain(p), 0.42, 250), Coach.SIDE_LIT),
    "quite dark before a window": (lambda p: before_a_window(plain(p), 0.25, 250), Coach.SIDE_LIT),
    "out of focus": (lambda p: blurred(plain(p), 5), Coach.BLUR),
    "out of focus and noisy": (lambda p: noisy(blurred(plain(p), 5), 2), Coach.BLUR),
    "near": (lambda p: framed(plain(p), 2.1), Coach.TOO_NEAR),
    "too far to the own left": (lambda p: moved(plain(p), 190), Coach.OFF_LEFT),
    "too far to the own right": (lambda p: moved(plain(p), -190), Coach.OFF_RIGHT),
    "turned left": (lambda p: plain(p, yaw=22), Coach.TURNED),
    "turned right": (lambda p: plain(p, yaw=-22), Coach.TURNED),
    "chin up": (lambda p: plain(p, pitch=22), Coach.LOWER_HEAD),
    "tilted": (lambda p: plain(p, roll=16), Coach.TILTED),
    "two": (lambda p: np.hstack([plain(p)[:, 160:480]] * 2), Coach.MULTI),
    "nobody": (lambda p: np.full((480, 640, 3), 120, np.uint8), Coach.NO_FACE),
}


@pytest.mark.parametrize(("spoil", "expected"), DEGRADED.values(), ids=DEGRADED)
def test_a_spoilt_picture(
    engine: DlibEngine, living: LivingPortrait, spoil: Callable[[LivingPortrait], Image], expected: Coach
) -> None:
    assert look(engine, spoil(living)).coach is expected


HIDDEN: dict[str, tuple[Callable[[Image, Points], Image], Coach]] = {
    "mask": (masked, Coach.MASK),
    "white mask": (lambda rgb, points: brighter(masked(rgb, points, WHITE_MASK), 0.75), Coach.MASK),
    "sunglasses": (in_sunglasses, Coach.SUNGLASSES),
    "shaken": (lambda rgb, points: shaken(rgb, 31), Coach.BLUR),
}


@pytest.mark.parametrize(("spoil", "expected"), HIDDEN.values(), ids=HIDDEN)
def test_a_face_the_detector_may_not_find(
    engine: DlibEngine, living: LivingPortrait, spoil: Callable[[Image, Points], Image], expected: Coach
) -> None:
    """HOG finds one masked face in four: box and points are those of the bare face."""
    bare = plain(living)
    box = engine.detect(bare)[0]
    points = engine.landmarks(bare, box)
    spoilt = spoil(bare, points)
    assert assess(spoilt, to_grey(spoilt), [box], points, VERIFY).coach is expected


def test_too_far(engine: DlibEngine, living: LivingPortrait) -> None:
    """The detector sees faces from 80 px on: too small is judged against the frame, here a wide one."""
    wide = np.full((720, 1280, 3), 128, np.uint8)
    wide[120:600, 320:960] = framed(plain(living), 0.5)
    assert look(engine, wide).coach is Coach.TOO_FAR


def in_company(rgb: Image) -> Image:
    """A second, small face beside the person's."""
    small = cv2.resize(rgb, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    crowd = np.hstack([rgb, np.full((480, 120, 3), 128, np.uint8)])
    crowd[20:220, 560:760] = small[20:220, 60:260]
    return crowd


STRICTER: dict[str, tuple[Callable[[LivingPortrait], Image], Coach]] = {
    "another is there, though small": (lambda p: in_company(plain(p)), Coach.MULTI),
    "tilted": (lambda p: plain(p, roll=10), Coach.TILTED),
    "light from the side": (lambda p: lit_from_the_side(brighter(plain(p), 1.1), 0.45), Coach.SIDE_LIT),
    "beside the middle": (lambda p: moved(plain(p), 120), Coach.OFF_LEFT),
    "near": (lambda p: framed(plain(p), 1.75), Coach.TOO_NEAR),
}


@pytest.mark.parametrize(("spoil", "expected"), STRICTER.values(), ids=STRICTER)
def test_enrolment_is_stricter(
    engine: DlibEngine, living: LivingPortrait, spoil: Callable[[LivingPortrait], Image], expected: Coach
) -> None:
    assert look(engine, spoil(living)).coach is None
    assert look(engine, spoil(living), ENROL).coach is expected


def test_chin_down(engine: DlibEngine) -> None:
    """The pitch ratio of the elderly face stays within what other people have looking ahead, until it is no longer found."""
    assert look(engine, plain(people.living_portrait(Person.STRANGER), pitch=-16)).coach is Coach.RAISE_HEAD


@pytest.mark.parametrize("person", FACES)
def test_living_people_are_asked_for_nothing(engine: DlibEngine, clip: Callable[[Person], list[Image]], person: Person) -> None:
    """Glasses are no sunglasses and no mask; a blink shuts the eyes, but for too short a time to be spoken of."""
    coached = [look(engine, frame).coach for frame in clip(person)[:40]]
    assert set(coached) <= {None, Coach.EYES_CLOSED}
    prompt = SteadyPrompt()
    said = [prompt.show(coach or Coach.HOLD_STILL, i / FPS) for i, coach in enumerate(coached)]
    assert set(said) == {Coach.HOLD_STILL, None}


def test_a_challenge_is_not_spoilt_by_what_it_asks_for(engine: DlibEngine, living: LivingPortrait) -> None:
    acting = [living.render(Pose(yaw=yaw)) for yaw in (-24, -15, 15, 24)] + [
        living.render(Pose(), blink=1.0), living.render(Pose(), mouth=1.0),
    ]
    assert not {look(engine, frame).coach for frame in acting} & SPOILS_CHALLENGE
    assert {Coach.NO_FACE, Coach.MULTI, Coach.DARK, Coach.MASK, Coach.SUNGLASSES} == SPOILS_CHALLENGE


BOX = Box(230, 150, 410, 330)


def drawn(points: Points) -> tuple[Image, Points]:
    """A skin-coloured picture with grain: everything is fine but what the points say."""
    grain = np.random.default_rng(1).normal(0, 30, (480, 640, 1))
    rgb = np.clip(np.array([205, 150, 125]) + cv2.GaussianBlur(grain, (0, 0), 1.0)[..., None] * 2, 0, 255).astype(np.uint8)
    cv2.fillPoly(rgb, [np.round(points[48:60]).astype(np.int32)], (190, 90, 90))
    return rgb, points


def test_shut_eyes() -> None:
    rgb, points = drawn(head(Pose(), eyes_shut()))
    quality = assess(rgb, to_grey(rgb), [BOX], points, VERIFY)
    assert quality.coach is Coach.EYES_CLOSED
    assert quality.bearing is not None and quality.bearing.eyes == pytest.approx(0.0682, abs=5e-4)
    rgb, points = drawn(head(Pose()))
    assert assess(rgb, to_grey(rgb), [BOX], points, VERIFY).coach is None


ORDER: list[tuple[str, float, Coach]] = [
    ("second_face", 1.0, Coach.MULTI),
    ("width_min", 40, Coach.TOO_FAR),
    ("height_max", 1.0, Coach.TOO_NEAR),
    ("offset_max", 0.6, Coach.OFF_LEFT),
    ("grey_min", 0.0, Coach.DARK),
    ("sharpness_min", 0.0, Coach.BLUR),
    ("yaw_max", 9.0, Coach.TURNED),
    ("pitch_max", 9.0, Coach.RAISE_HEAD),
    ("roll_max", 90.0, Coach.TILTED),
    ("eyes_min", 0.0, Coach.EYES_CLOSED),
]
STRICTEST = {"width_min": 600, "height_max": 0.3, "offset_max": 0.05, "sharpness_min": 1e9, "second_face": 1.5, "roll_max": 3.0}


def test_everything_wrong_is_said_one_thing_at_a_time() -> None:
    """In the order of the table: as soon as one thing is right, the next is asked for."""
    points = head(Pose(yaw=-35, pitch=-30, roll=9), eyes_shut()) + np.array([210.0, 0.0])
    dark = np.full((480, 640, 3), 20, np.uint8)
    faces = [Box(440, 150, 620, 330), Box(0, 0, 170, 170)]
    loosened: dict[str, float] = {}
    for name, loose, expected in ORDER:
        gate = GateConfig.model_validate(STRICTEST | {"pitch_max": 0.5} | loosened)
        assert assess(dark, to_grey(dark), faces, points, gate).coach is expected, name
        loosened[name] = loose
    gate = GateConfig.model_validate(STRICTEST | loosened)
    assert assess(dark, to_grey(dark), faces, points, gate).coach is None


def test_bright_before_glare_before_the_side() -> None:
    rgb, points = drawn(head(Pose()))
    white = np.full_like(rgb, 255)
    half = rgb.copy()
    half[:, 320:] = 255
    assert assess(white, to_grey(white), [BOX], points, VERIFY).coach is Coach.BRIGHT
    loose = GateConfig(grey_max=256)
    assert assess(half, to_grey(half), [BOX], points, loose).coach is Coach.GLARE
    loose = GateConfig(grey_max=256, glare_max=1.0, side_max=0.3)
    assert assess(half, to_grey(half), [BOX], points, loose).coach is Coach.SIDE_LIT


def test_a_face_cut_by_the_frame_is_too_near() -> None:
    rgb, points = drawn(head(Pose()))
    high = Box(230, -40, 410, 140)
    assert assess(rgb, to_grey(rgb), [high], points - np.array([0.0, 190.0]), VERIFY).coach is Coach.TOO_NEAR
