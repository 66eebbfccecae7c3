"""Pictures made small, and their way through the shared memory: what is where stays there."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.face.picture import halved, shrunk
from kiosk.face.ring import SLOTS, FrameRing


def spot(width: int, height: int, x: float, y: float) -> np.ndarray:
    """A soft bright spot round (x, y), in pixels."""
    across, down = np.meshgrid(np.arange(width) - x, np.arange(height) - y)
    return (250 * np.exp(-(across**2 + down**2) / (2 * 12.0**2))).astype(np.uint8)


def middle(picture: np.ndarray) -> tuple[float, float]:
    """Centre of light, in pixels."""
    light = picture.astype(np.float64)
    down, across = np.indices(light.shape)
    return float((across * light).sum() / light.sum()), float((down * light).sum() / light.sum())


@settings(max_examples=60, deadline=None)
@given(scale=st.floats(0.1, 1.0), width=st.integers(200, 330), height=st.integers(200, 330))
def test_what_is_made_small_stays_at_its_place(scale: float, width: int, height: int) -> None:
    picture = spot(width, height, 110.0, 90.0)
    small = shrunk(picture, scale)
    x, y = middle(small)
    assert (x + 0.5) / scale - 0.5 == pytest.approx(110, abs=1.5) and (y + 0.5) / scale - 0.5 == pytest.approx(90, abs=1.5)
    assert abs(small.shape[1] - scale * width) <= 1.5 and abs(small.shape[0] - scale * height) <= 1.5


@pytest.mark.parametrize("scale", [0.45, 0.5, 0.8])
def test_near_to_a_half_it_is_one_step(scale: float) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (120, 160, 3), dtype=np.uint8)
    once = cv2.resize(noise, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    assert np.array_equal(shrunk(noise, scale), once)


def test_every_pixel_of_a_fine_pattern_counts() -> None:
    """Skipping pixels would make one of the stripes vanish."""
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 200
    assert np.array_equal(shrunk(stripes, 0.25), np.full((16, 16, 3), 100, np.uint8))


def test_an_odd_rim_is_left_out() -> None:
    picture = (4 * np.arange(7 * 9, dtype=np.uint8)).reshape(7, 9)
    means = picture[:6, :8].reshape(3, 2, 4, 2).mean(axis=(1, 3))
    assert np.array_equal(halved(picture), means)


def test_colours_and_infrared_come_out_of_the_slot_they_were_put_into() -> None:
    ring = FrameRing.create(64, 48)
    try:
        frames = [np.full((48, 64, 3), (10 + slot, 100, 200), np.uint8) for slot in range(SLOTS)]
        for slot, bgr in enumerate(frames):
            ring.write(slot, bgr, np.full((48, 64), 50 + slot, np.uint8))
        for slot, bgr in enumerate(frames):
            rgb = ring.read(slot, (48, 64))
            assert np.array_equal(rgb, bgr[..., ::-1])
            assert np.array_equal(ring.read_infrared(slot, (48, 64)), np.full((48, 64), 50 + slot, np.uint8))
        rgb = ring.read(0, (48, 64))
        ring.write(0, np.zeros((48, 64, 3), np.uint8))
        assert rgb.any()  # a copy
    finally:
        ring.destroy()
