"""The evidence clip: its rate, its length, and how it is thinned out."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.face.clip import Clip, to_jpeg

PICTURE = np.full((72, 96, 3), (200, 30, 30), np.uint8)


def filmed(fps: float, seconds: float, frames_max: int = 36, clip_fps: float = 3.0) -> list[int]:
    clip = Clip(clip_fps, 120, frames_max)
    for i in range(round(seconds * fps)):
        clip.see(1000 + i / fps, PICTURE)
    return [one.t_ms for one in clip.frames]


@pytest.mark.parametrize("fps", [12.5, 25, 30, 7])
def test_three_pictures_a_second_whatever_the_camera(fps: float) -> None:
    times = filmed(fps, 10)
    assert times[0] == 0 and len(times) == pytest.approx(30, abs=1)


@given(fps=st.floats(4, 30), seconds=st.floats(1, 60), frames_max=st.integers(1, 40))
def test_a_long_clip_is_thinned_out_evenly(fps: float, seconds: float, frames_max: int) -> None:
    times = filmed(fps, seconds, frames_max)
    assert 1 <= len(times) <= frames_max and times[0] == 0 and times == sorted(set(times))
    gaps = np.diff(times)
    if len(gaps):
        assert gaps.max() <= gaps.min() + 2 * 1000 / fps + gaps.min()  # at most one picture missing between two
    if frames_max > 3 and len(times) > 1:
        assert times[-1] >= 1000 * (seconds - 1 / fps) * 0.6 - 1000


def test_none_are_kept_where_none_are_wanted() -> None:
    assert filmed(12.5, 5, frames_max=0) == []


def test_pictures_are_small_and_their_colours_right() -> None:
    data = to_jpeg(np.full((480, 640, 3), (200, 30, 30), np.uint8), 240, 60)
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
    assert picture is not None and picture.shape == (180, 240, 3) and len(data) < 4000
    assert picture[90, 120].astype(float) == pytest.approx([200, 30, 30], abs=6)
    unscaled = cv2.imdecode(np.frombuffer(to_jpeg(PICTURE, 240, 60), np.uint8), cv2.IMREAD_COLOR)
    assert unscaled is not None and unscaled.shape == (72, 96, 3)


def test_wipe() -> None:
    clip = Clip(3.0, 120, 5)
    clip.see(0.0, PICTURE)
    clip.wipe()
    assert clip.frames == ()
