"""The blink rule on traces with exact times, and the whole check on living and dead clips of both faces."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_face import head
from stage import grey_with

from kiosk.devices.emulated import people
from kiosk.devices.emulated.people import FPS, Person
from kiosk.devices.emulated.portrait import Pose
from kiosk.face import geometry
from kiosk.face.align import Grey, to_grey
from kiosk.face.dlib_engine import DlibEngine
from kiosk.face.engine import Image
from kiosk.face.liveness.baseline import BaselineTaker
from kiosk.face.liveness.blink import NOSE, OPEN, BlinkCheck, Likeness, find_blink, patch
from kiosk.face.quality import Quality
from kiosk.face.sight import Sight


def trace(*eyes: float, fps: float = FPS, nose: float = 0.98, turned: bool = False) -> list[Likeness]:
    return [Likeness(i / fps, e, nose, turned) for i, e in enumerate(eyes)]


OPEN4, OPEN5 = (0.99,) * 4, (0.99,) * 5


def test_a_blink() -> None:
    assert find_blink(trace(*OPEN4, 0.80, 0.60, 0.85, *OPEN5)) == 0.60
    assert find_blink(trace(*OPEN4, 0.91, 0.99)) == 0.91


@pytest.mark.parametrize(
    "samples",
    [
        trace(*OPEN4, 0.92, *OPEN5),
        trace(*OPEN4, *(0.6,) * 9, *OPEN5),
        trace(*OPEN4, 0.6, 0.6),
        trace(0.6, 0.6, *OPEN5),
        trace(*(0.95,) * 4, 0.6, *OPEN5),
        trace(*OPEN4, 0.6, *(0.95,) * 5, 0.99),
        trace(*OPEN4, 0.6, *OPEN5, nose=0.89),
        trace(*OPEN4, 0.6, *OPEN5, turned=True),
        [],
    ],
    ids=["not closed", "too long", "never opened", "never was open", "not open before", "not open in time after",
         "the whole face moved", "head turned", "nothing"],
)
def test_not_a_blink(samples: list[Likeness]) -> None:
    assert find_blink(samples) is None


def test_eight_closed_frames_are_the_longest_blink() -> None:
    assert find_blink(trace(*OPEN4, *(0.6,) * 8, *OPEN5))


def test_a_second_run_may_be_the_blink() -> None:
    assert find_blink(trace(*OPEN4, *(0.6,) * 12, *OPEN5, 0.6, *OPEN5))


@given(fps=st.floats(7, 30), closed_s=st.floats(0.15, 0.5), start_s=st.floats(0.4, 2.0), offset=st.floats(0, 1e6))
def test_the_frame_rate_does_not_matter(fps: float, closed_s: float, start_s: float, offset: float) -> None:
    times = np.arange(0, 4, 1 / fps)
    samples = [Likeness(t + offset, 0.6 if start_s <= t < start_s + closed_s else 0.99, 0.98, False) for t in times]
    assert find_blink(samples)


@given(fps=st.floats(7, 30), closed_s=st.floats(0.95, 3.0))
def test_eyes_closed_for_long_are_no_blink(fps: float, closed_s: float) -> None:
    """Two frame intervals, 0.29 s at 7 per second, may lie outside the frames seen closed."""
    times = np.arange(0, 6, 1 / fps)
    assert None is find_blink([Likeness(t, 0.6 if 1 <= t < 1 + closed_s else 0.99, 0.98, False) for t in times])


def watched(engine: DlibEngine, frames: list[Image]) -> tuple[BlinkCheck, list[Likeness]]:
    """Still for 0.8 s, then asked to blink."""
    taker, check, samples = BaselineTaker(0.8), None, []
    for i, frame in enumerate(frames):
        grey = to_grey(frame)
        (face,) = engine.detect(frame)
        points = engine.landmarks(frame, face)
        if check is not None:
            samples.append(check.watch(i / FPS, grey, points))
            continue
        taker.take(Sight(i / FPS, frame, grey, (face,), points, Quality(None)))
        if taker.complete:
            baseline = taker.baseline()
            check = BlinkCheck(baseline.patch, baseline.yaw)
    assert check is not None
    return check, samples


@pytest.mark.parametrize("person", [Person.CARDHOLDER, Person.STRANGER])
def test_living_people_blink(engine: DlibEngine, clip: Callable[[Person], list[Image]], person: Person) -> None:
    check, samples = watched(engine, clip(person)[:30])
    assert check.seen and check.value is not None and 0.5 < check.value < check.limit
    assert sum(one.eyes > OPEN and one.nose > NOSE and not one.turned for one in samples) > len(samples) / 2


def test_a_photograph_does_not_blink(engine: DlibEngine, clip: Callable[[Person], list[Image]]) -> None:
    check, samples = watched(engine, clip(Person.PHOTO))
    assert not check.seen and check.value is None
    assert all(one.eyes > 0.96 for one in samples)


def test_frames_in_another_order_are_no_blink(engine: DlibEngine, clip: Callable[[Person], list[Image]]) -> None:
    """The same pictures, all the open eyes first."""
    frames = clip(Person.CARDHOLDER)[:30]
    _, samples = watched(engine, frames)
    shut = [11 + i for i, one in enumerate(samples) if one.eyes < OPEN]
    assert 2 <= len(shut) <= 8
    sorted_frames = [frame for i, frame in enumerate(frames) if i not in shut] + [frames[i] for i in shut]
    assert not watched(engine, sorted_frames)[0].seen


def test_a_blink_remains_seen(engine: DlibEngine, clip: Callable[[Person], list[Image]]) -> None:
    check, _ = watched(engine, clip(Person.CARDHOLDER)[:50])
    assert check.seen


def noticed(*frames: tuple[float, Grey]) -> BlinkCheck:
    """The exact model face, at the times given."""
    face = head(Pose())
    check = BlinkCheck(patch(grey_with(False, False), face), 0.0)
    for t, grey in frames:
        check.watch(t, grey, face)
    return check


EYES, SHUT = grey_with(False, False), grey_with(True, True)


def test_both_eyes_have_to_close() -> None:
    check = noticed((0.0, EYES), (0.08, SHUT), (0.16, SHUT), (0.24, EYES))
    assert check.seen and check.value is not None and check.value < 0.6
    for wink in (grey_with(True, False), grey_with(False, True)):
        assert not noticed((0.0, EYES), (0.08, wink), (0.16, wink), (0.24, EYES)).seen


def test_each_eye_is_looked_for_where_it_is() -> None:
    """Only what lies outside of 37 pixels from the middle line changes."""
    outer = SHUT.copy()
    outer[:, 283:357] = EYES[:, 283:357]
    assert noticed((0.0, EYES), (0.08, outer), (0.16, outer), (0.24, EYES)).seen
    inner = EYES.copy()
    inner[:, 303:337] = SHUT[:, 303:337]
    assert not noticed((0.0, EYES), (0.08, inner), (0.16, inner), (0.24, EYES)).seen


def test_before_and_after_are_not_the_same() -> None:
    assert noticed((0.0, EYES), (0.08, SHUT), (0.45, EYES)).seen, "open again after 0.37 s"
    assert not noticed((0.0, EYES), (0.37, SHUT), (0.45, EYES)).seen, "nobody knows what was 0.37 s before"
    assert not noticed((0.0, EYES), (0.08, SHUT), (0.52, EYES)).seen


def test_lid_landmarks_alone_would_miss_the_blink_of_the_bespectacled_face(engine: DlibEngine) -> None:
    """Why the patches are correlated: half closed, EAR has hardly moved on this face."""
    living = people.living_portrait(Person.CARDHOLDER)

    def ear(lid: float) -> float:
        frame = living.render(Pose(), lid)
        return geometry.eye_aspect_ratio(engine.landmarks(frame, engine.detect(frame)[0]))

    assert ear(0.5) > 0.65 * ear(0.0)
