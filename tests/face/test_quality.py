"""Each spoilt picture is told apart, and prompts are steady enough to be heard."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from kiosk.config import FaceConfig
from kiosk.devices.emulated import people
from kiosk.devices.emulated.people import Person
from kiosk.devices.emulated.portrait import LivingPortrait, Pose
from kiosk.domain.coaching import Coach
from kiosk.face.align import to_grey
from kiosk.face.dlib_engine import DlibEngine
from kiosk.face.engine import Image
from kiosk.face.quality import SteadyPrompt, assess, without_face

CONFIG = FaceConfig()


@pytest.fixture(scope="module", params=[Person.CARDHOLDER, Person.STRANGER])
def living(request: pytest.FixtureRequest) -> LivingPortrait:
    return people.living_portrait(request.param)


def coach(engine: DlibEngine, rgb: Image) -> Coach | None:
    rgb = np.ascontiguousarray(rgb)
    faces = sorted(engine.detect(rgb), key=lambda box: -box.width)
    if not faces:
        return without_face(to_grey(rgb), CONFIG).coach
    return assess(to_grey(rgb), faces, engine.landmarks(rgb, faces[0]), CONFIG).coach


def scaled(rgb: Image, factor: float) -> Image:
    return np.asarray(np.clip(rgb * factor, 0, 255), dtype=np.uint8)


def shifted(rgb: Image, dx: int) -> Image:
    return np.asarray(cv2.warpAffine(rgb, np.array([[1.0, 0, dx], [0, 1, 0]]), rgb.shape[1::-1], borderMode=cv2.BORDER_REPLICATE))


def framed(rgb: Image, scale: float) -> Image:
    """The same frame size with the person nearer or farther."""
    matrix = cv2.getRotationMatrix2D((320, 240), 0, scale)
    return np.asarray(cv2.warpAffine(rgb, matrix, (640, 480), borderMode=cv2.BORDER_REPLICATE))


def test_a_good_picture(engine: DlibEngine, living: LivingPortrait) -> None:
    assert coach(engine, living.render(Pose())) is None


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (lambda p: scaled(p.render(Pose()), 0.2), Coach.DARK),
        (lambda p: scaled(p.render(Pose()), 0.02), Coach.DARK),
        (lambda p: scaled(p.render(Pose()), 1.9), Coach.BRIGHT),
        (lambda p: cv2.GaussianBlur(p.render(Pose()), (0, 0), 5), Coach.BLUR),
        (lambda p: shifted(p.render(Pose()), 190), Coach.OFF_LEFT),
        (lambda p: shifted(p.render(Pose()), -190), Coach.OFF_RIGHT),
        (lambda p: framed(p.render(Pose()), 2.1), Coach.TOO_NEAR),
        (lambda p: p.render(Pose(yaw=22)), Coach.TURNED),
        (lambda p: p.render(Pose(yaw=-22)), Coach.TURNED),
        (lambda p: p.render(Pose(roll=16)), Coach.TILTED),
        (lambda p: np.hstack([p.render(Pose())[:, 160:480]] * 2), Coach.MULTI),
        (lambda p: np.full((480, 640, 3), 120, np.uint8), Coach.NO_FACE),
    ],
    ids=["dark", "black", "bright", "blur", "too far to the own left", "too far to the own right", "near", "left", "right",
         "tilted", "two", "nobody"],
)
def test_a_spoilt_picture(
    engine: DlibEngine, living: LivingPortrait, spoil: Callable[[LivingPortrait], Image], expected: Coach
) -> None:
    assert coach(engine, spoil(living)) is expected


def test_too_far(engine: DlibEngine, living: LivingPortrait) -> None:
    """The detector sees faces from 80 px on: too small is judged against the frame, here a wide one."""
    wide = np.full((720, 1280, 3), 128, np.uint8)
    wide[120:600, 320:960] = framed(living.render(Pose()), 0.5)
    assert coach(engine, wide) is Coach.TOO_FAR


def test_a_small_face_behind_the_person_does_not_matter(engine: DlibEngine, living: LivingPortrait) -> None:
    person = living.render(Pose())
    small = cv2.resize(person, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    crowd = np.hstack([person, np.full((480, 200, 3), 128, np.uint8)])
    crowd[20:220, 640:840] = small[20:220, 60:260]
    assert len(engine.detect(crowd)) == 2
    assert coach(engine, crowd) is None


def test_the_first_prompt_comes_at_once_and_stays() -> None:
    prompt = SteadyPrompt()
    assert prompt.show(Coach.NO_FACE, 10.0) is Coach.NO_FACE
    for i in range(1, 18):  # flickering for 1.4 s
        assert prompt.show(Coach.TOO_FAR if i % 2 else Coach.NO_FACE, 10.0 + i * 0.08) is None
    assert prompt.current is Coach.NO_FACE


def test_only_what_lasts_replaces_a_prompt() -> None:
    prompt = SteadyPrompt()
    prompt.show(Coach.NO_FACE, 0.0)
    assert prompt.show(Coach.TOO_FAR, 5.0) is None
    assert prompt.show(Coach.TOO_FAR, 5.2) is None
    assert prompt.show(Coach.TOO_FAR, 5.31) is Coach.TOO_FAR
    assert prompt.show(Coach.TOO_FAR, 9.0) is None
