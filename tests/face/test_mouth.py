"""The opened mouth, against the person's own closed one."""

from __future__ import annotations

import pytest
from model_face import head, mouth_open, template

from kiosk.config.face import LivenessConfig
from kiosk.devices.emulated.portrait import Pose
from kiosk.face import geometry
from kiosk.face.engine import Points
from kiosk.face.liveness.mouth import MouthCheck, open_from

CONFIG = LivenessConfig()
CLOSED = geometry.mouth_aspect_ratio(template())


def watched(*faces: Points, closed: float = CLOSED, step: float = 0.08) -> MouthCheck:
    check = MouthCheck(CONFIG, closed, 0.0)
    for i, face in enumerate(faces):
        check.watch(i * step, face)
    return check


def with_mar(value: float) -> Points:
    face = template()
    face[66, 1] = face[62, 1] + value * (face[64, 0] - face[60, 0])
    return face


def test_the_limit_is_the_persons_own() -> None:
    assert open_from(CONFIG, 0.05) == 0.30
    assert open_from(CONFIG, 0.20) == pytest.approx(0.38)


def test_an_open_mouth() -> None:
    check = watched(template(), mouth_open(), mouth_open())
    assert check.seen
    assert check.value == pytest.approx(0.5625, abs=1e-4) and check.limit == 0.30


@pytest.mark.parametrize(("step", "frames"), [(0.04, 3), (0.0667, 3), (0.08, 2), (0.16, 2)])
def test_open_for_less_than_two_frames_at_the_measured_rate_is_not_enough(step: float, frames: int) -> None:
    assert not watched(template(), *[mouth_open()] * (frames - 1), template(), step=step).seen
    assert watched(template(), *[mouth_open()] * frames, step=step).seen


def test_a_run_must_not_be_broken() -> None:
    assert not watched(mouth_open(), template(), mouth_open(), template(), mouth_open()).seen


@pytest.mark.parametrize(("value", "seen"), [(0.29, False), (0.31, True)])
def test_the_absolute_limit(value: float, seen: bool) -> None:
    assert watched(with_mar(value), with_mar(value)).seen is seen


@pytest.mark.parametrize(("value", "seen"), [(0.37, False), (0.39, True)])
def test_the_rise_above_a_mouth_that_never_closes(value: float, seen: bool) -> None:
    assert watched(with_mar(value), with_mar(value), closed=0.20).seen is seen


def test_not_with_the_head_turned_away() -> None:
    away = head(Pose(yaw=10), mouth_open())
    assert not watched(away, away, away).seen
    slightly = head(Pose(yaw=5), mouth_open())
    assert watched(slightly, slightly).seen
