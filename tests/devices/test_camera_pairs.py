"""Colour and infrared together: paired by time, and the loss of one half is not the loss of the other."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from camera_watcher import Watcher, until
from hypothesis import given
from hypothesis import strategies as st

from kiosk.devices.camera.frames import Frame, FramePair, Shot
from kiosk.devices.camera.pairing import Pairing
from kiosk.devices.emulated.camera import CameraEmulator, Eye, Fault
from kiosk.devices.emulated.people import Person

SKEW_S = 0.04
TINY: Frame = np.zeros((2, 2, 3), np.uint8)


def pairs(rgb: list[float], infrared: list[float]) -> list[FramePair]:
    """Of frames at these times, each given as it arrives."""
    pairing = Pairing(SKEW_S)
    made = []
    for t, is_infrared in sorted([(t, False) for t in rgb] + [(t, True) for t in infrared]):
        if is_infrared:
            pairing.infrared(Shot(TINY, t))
        elif pair := pairing.rgb(Shot(TINY, t)):
            made.append(pair)
    return made


def test_the_nearest_infrared_frame_is_taken_be_it_earlier_or_later() -> None:
    assert [pair.t_ir for pair in pairs([1.0, 1.1, 1.2], [0.98, 1.01, 1.07, 1.15])] == [1.01, 1.07]


def test_too_far_apart_is_no_pair() -> None:
    far, near = pairs([1.0, 1.1, 1.2], [1.05, 1.139])
    assert far.ir is None and far.skew is None
    assert near.skew == pytest.approx(0.039)


def test_the_infrared_picture_is_grey() -> None:
    pairing = Pairing(SKEW_S)
    pairing.infrared(Shot(np.full((4, 6, 3), 77, np.uint8), 1.0))
    pairing.rgb(Shot(TINY, 1.0))
    pair = pairing.rgb(Shot(TINY, 1.1))
    assert pair is not None and pair.ir is not None and pair.ir.shape == (4, 6) and pair.ir[0, 0] == 77


TIMES = st.lists(st.integers(0, 3000).map(lambda ms: ms / 1000), max_size=20)


@given(TIMES, TIMES)
def test_every_colour_frame_but_the_last_is_given_once_and_never_with_a_far_one(rgb: list[float], ir: list[float]) -> None:
    made = pairs(rgb, ir)
    assert [pair.t_rgb for pair in made] == sorted(rgb)[:-1]
    assert all(pair.skew is None or abs(pair.skew) <= SKEW_S for pair in made)


@pytest.fixture(scope="module")
def camera() -> Iterator[CameraEmulator]:
    camera = CameraEmulator(person=Person.NOBODY)
    yield camera
    camera.stop()


@pytest.fixture
def watcher(camera: CameraEmulator) -> Iterator[Watcher]:
    watcher = Watcher.of(camera, infrared=True)
    yield watcher
    watcher.end()


def paired(watcher: Watcher) -> bool:
    return bool(watcher.pairs) and watcher.pairs[-1].ir is not None


def test_a_binocular_camera_gives_one_instant_twice(watcher: Watcher) -> None:
    """Both halves show the same instant: where one is bright, the other is too, if not as bright."""
    watcher.service.want("face")
    watcher.wait(lambda: paired(watcher))
    pair = watcher.pairs[-1]
    assert pair.ir is not None and pair.skew is not None and abs(pair.skew) <= SKEW_S
    assert pair.ir.shape == pair.rgb.shape[:2]
    assert np.corrcoef(pair.rgb.mean(axis=2).ravel(), pair.ir.ravel())[0, 1] > 0.9


@pytest.mark.parametrize("fault", [Fault.UNPLUGGED, Fault.STALLED, Fault.FROZEN])
def test_colour_goes_on_without_infrared(camera: CameraEmulator, watcher: Watcher, fault: Fault) -> None:
    watcher.service.want("face")
    watcher.wait(lambda: paired(watcher))
    watcher.wait_state("ready")
    camera.order(fault, Eye.IR)
    watcher.wait_state("degraded", "ir_lost")
    watcher.wait_filmed(0.5)
    assert watcher.pairs[-1].ir is None
    camera.order(Fault.NONE, Eye.IR)
    watcher.wait_state("ready")
    watcher.wait(lambda: paired(watcher))
    assert [state for state, _ in watcher.states] == ["ready", "degraded", "ready"]


def test_infrared_that_was_never_there_is_known_before_the_camera_rests(camera: CameraEmulator, watcher: Watcher) -> None:
    """The fixture's watcher uses the stream that stands; this one asks for one that does not."""
    camera.order(Fault.UNPLUGGED, Eye.IR)
    other = Watcher.of(camera, ir_source="/dev/kiosk/no-such-camera")
    try:
        other.wait_state("degraded", "ir_lost")
    finally:
        other.end()
        camera.order(Fault.NONE, Eye.IR)


def test_the_infrared_half_is_closed_with_the_other(camera: CameraEmulator, watcher: Watcher) -> None:
    watcher.service.want("face")
    watcher.wait(lambda: paired(watcher))
    assert (camera.viewers, camera.ir_viewers) == (1, 1)
    watcher.service.unwant("face")
    until(lambda: (camera.viewers, camera.ir_viewers) == (0, 0))


def test_who_wants_only_colour_gets_only_colour(watcher: Watcher) -> None:
    watcher.service.want("face")
    watcher.wait(lambda: len(watcher.frames) > 3)
    assert all(frame.shape == (480, 640, 3) for frame, _ in watcher.frames)
