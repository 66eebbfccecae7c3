"""One face is followed; another one, a jump or a gap begins a new track."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from kiosk.devices.emulated.light import Light, Sensor
from kiosk.devices.emulated.people import Person, living_portrait
from kiosk.devices.emulated.portrait import Pose
from kiosk.face.dlib_engine import DlibEngine
from kiosk.face.engine import Box, Image
from kiosk.face.tracking import FaceTracker

Clips = Callable[[Person], list[Image]]
STEP = 0.08


@pytest.fixture
def tracker(engine: DlibEngine) -> FaceTracker:
    return FaceTracker(engine, 640)


def test_a_person_who_stands_still_is_one_track(tracker: FaceTracker, clip: Clips) -> None:
    for i, frame in enumerate(clip(Person.CARDHOLDER)[:25]):
        (face,) = tracker.find(frame, i * STEP)
        assert 170 < face.width < 230 and abs(face.centre[0] - 320) < 20
    assert tracker.track == 1


def test_in_a_large_frame_the_face_is_found_in_pixels_of_that_frame(engine: DlibEngine, clip: Clips) -> None:
    tracker = FaceTracker(engine, 640)
    large = np.ascontiguousarray(np.repeat(np.repeat(clip(Person.CARDHOLDER)[0], 2, axis=0), 2, axis=1))
    for i in range(4):
        (face,) = tracker.find(large, i * STEP)
        assert 340 < face.width < 460 and abs(face.centre[0] - 640) < 40


def test_a_short_gap_keeps_the_track_and_a_long_one_ends_it(tracker: FaceTracker, clip: Clips) -> None:
    face, empty = clip(Person.CARDHOLDER)[0], clip(Person.NOBODY)[0]
    tracker.find(face, 0.0)
    assert tracker.find(empty, 0.2) == []
    tracker.find(face, 0.4)
    assert tracker.track == 1
    assert tracker.find(empty, 0.6) == []
    tracker.find(face, 1.0)
    assert tracker.track == 2


class Unsure(DlibEngine):
    """Sure of nothing but what it is told to be sure of."""

    sure = True

    def detect(self, rgb: Image, faint: bool = False) -> list[Box]:
        return super().detect(rgb, faint) if self.sure or faint else []


def test_a_followed_face_that_turns_is_not_lost_at_once_nor_kept_for_ever(clip: Clips) -> None:
    engine, face = Unsure(), clip(Person.CARDHOLDER)[0]
    tracker = FaceTracker(engine, 640)
    engine.sure = False
    assert tracker.find(face, 0.0) == []  # of nobody known
    engine.sure = True
    tracker.find(face, 1.0)
    engine.sure = False
    assert [bool(tracker.find(face, 1.0 + i * STEP)) for i in range(1, 30)] == [i * STEP <= 1.5 for i in range(1, 30)]
    assert tracker.track == 1


def test_a_turned_head_in_dim_light_is_found_where_one_was(engine: DlibEngine) -> None:
    portrait, sensor = living_portrait(Person.CARDHOLDER), Sensor(Light.DIM, np.random.default_rng(5))
    turned = [sensor.film(portrait.render(Pose(yaw=yaw)), 0.0) for yaw in (20.0, 24.0, 28.0, 32.0, 36.0, 40.0)]
    sure = sum(bool(engine.detect(np.ascontiguousarray(frame))) for frame in turned)
    faint = sum(bool(engine.detect(np.ascontiguousarray(frame), faint=True)) for frame in turned)
    assert sure < faint


def test_an_empty_place_is_no_faint_face(tracker: FaceTracker, clip: Clips) -> None:
    tracker.find(clip(Person.CARDHOLDER)[0], 0.0)
    for i in range(1, 6):
        assert tracker.find(clip(Person.NOBODY)[0], i * STEP) == []


def test_a_jump_begins_a_new_track(tracker: FaceTracker, clip: Clips) -> None:
    face = clip(Person.CARDHOLDER)[0]
    tracker.find(face, 0.0)
    tracker.find(np.ascontiguousarray(np.roll(face, 130, axis=1)), STEP)
    assert tracker.track == 2


def test_somebody_who_joins_is_noticed_within_half_a_second(tracker: FaceTracker, clip: Clips) -> None:
    two = clip(Person.TWO)[0]
    alone = np.ascontiguousarray(two.copy())
    alone[:, :320] = 128
    assert len(tracker.find(alone, 0.0)) == 1
    found = [len(tracker.find(two, STEP * i)) for i in range(1, 9)]
    assert found[-1] == 2


def test_a_far_person_is_found_after_a_while_without_anybody(tracker: FaceTracker, clip: Clips) -> None:
    far = np.full((720, 1280, 3), 128, np.uint8)
    far[200:470, 440:800] = cv2.resize(clip(Person.CARDHOLDER)[0], (360, 270), interpolation=cv2.INTER_AREA)
    tracker.find(clip(Person.CARDHOLDER)[0], 0.0)
    assert tracker.find(far, 1.0) == []
    assert len(tracker.find(far, 2.1)) == 1
