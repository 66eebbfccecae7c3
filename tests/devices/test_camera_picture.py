"""What frames tell about the camera, frame by frame and without one."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.devices.camera.frames import Frame, Shot
from kiosk.devices.camera.picture import Picture
from kiosk.devices.service import DeviceLost

STILL_S = 2.0
STEP_S = 0.1


def frame(grey: int, width: int = 640, height: int = 480) -> Frame:
    return np.full((height, width, 3), grey, dtype=np.uint8)


def living(i: int) -> Frame:
    return frame(100 + i % 2)


def judged(picture: Picture, frames: list[Frame], stamps: list[float] | None = None) -> str | None:
    """The last verdict on frames that come STEP_S apart."""
    verdict = None
    for i, one in enumerate(frames):
        verdict = picture.judge(Shot(one, i * STEP_S, stamps[i] if stamps else None))
    return verdict


def lost(frames: list[Frame], stamps: list[float] | None = None) -> str:
    with pytest.raises(DeviceLost) as caught:
        judged(Picture(STILL_S), frames, stamps)
    return caught.value.reason


def test_one_frame_proves_nothing() -> None:
    picture = Picture(STILL_S)
    assert judged(picture, [living(0)]) is None and not picture.proved
    assert judged(picture, [living(1)]) == "" and picture.proved


def test_equal_frames_are_a_frozen_camera_after_a_while() -> None:
    assert lost([frame(100)] * 30) == "frozen"
    assert judged(Picture(STILL_S), [frame(100)] * 15) is None


def test_a_black_picture_is_covered_and_not_frozen_even_if_nothing_in_it_moves() -> None:
    picture = Picture(STILL_S)
    assert judged(picture, [frame(0)] * 60) == "black" and picture.proved


def test_the_foot_that_stands_still_under_a_living_picture_is_torn() -> None:
    frames = [living(i) for i in range(40)]
    for one in frames:
        one[420:] = 90
    assert judged(Picture(STILL_S), frames) == "torn"
    assert judged(Picture(STILL_S), frames[:15]) == ""


def test_too_small_a_picture_is_refused_at_once() -> None:
    assert lost([frame(100, 320, 240)]) == "no_format"
    assert lost([frame(100, 640, 352)]) == "no_format"
    assert judged(Picture(STILL_S), [frame(100, 640, 360), frame(101, 640, 360)]) == ""


def test_a_size_that_changes_while_it_runs() -> None:
    assert lost([frame(100, 1280, 720), frame(101, 640, 480)]) == "size_changed"


def test_a_clock_that_stands_while_frames_come() -> None:
    """Frames that differ, as when a driver hands out its old buffers in turn."""
    frames = [living(i) for i in range(40)]
    assert lost(frames, [5.0 + min(i, 3) * 0.04 for i in range(40)]) == "time_stuck"
    assert lost(frames, [5.0 + i % 4 * 0.04 for i in range(40)]) == "time_stuck"
    assert judged(Picture(STILL_S), frames, [5.0 + i * 0.04 for i in range(40)]) == ""


def test_a_clock_that_never_ran_is_none() -> None:
    assert judged(Picture(STILL_S), [living(i) for i in range(40)], [0.0] * 40) == ""


@given(st.lists(st.tuples(st.integers(0, 255), st.floats(0, 5), st.none() | st.floats(allow_nan=False)), max_size=30))
def test_any_frames_end_in_a_verdict_or_a_loss(shots: list[tuple[int, float, float | None]]) -> None:
    picture, t = Picture(STILL_S), 0.0
    for grey, wait, stamp in shots:
        t += wait
        try:
            verdict = picture.judge(Shot(frame(grey), t, stamp))
        except DeviceLost as loss:
            assert loss.reason in {"frozen", "time_stuck"}
            return
        assert verdict in {None, "", "black", "torn"}
        assert math.isfinite(t) and (verdict is None) == (not picture.proved)
