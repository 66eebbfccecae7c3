"""Recorded clips before the terminal's own challenge: the order they were recorded in, and any other."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from kiosk.config.face import FaceConfig, LivenessConfig
from kiosk.devices.emulated.actor import Actor
from kiosk.devices.emulated.people import FPS, Person, living_portrait
from kiosk.domain.coaching import Coach
from kiosk.domain.decision import FaceEvidence
from kiosk.domain.face_task import Verify
from kiosk.domain.liveness import Action, Check, CheckOutcome, Profile
from kiosk.face.attempt import VerifyAttempt
from kiosk.face.dlib_engine import DlibEngine
from kiosk.face.engine import Image
from kiosk.face.liveness.order import draw_order
from kiosk.face.site.rehearsal import ClipTrouble, Rehearsed, can_be_asked, read_clip, try_clip

CONFIG = FaceConfig()
ORDER = (Action.TURN_LEFT, Action.BLINK, Action.TURN_RIGHT)
OTHER = (Action.TURN_RIGHT, Action.TURN_LEFT, Action.BLINK)


@pytest.fixture(scope="module")
def recorded(engine: DlibEngine) -> list[Image]:
    """Somebody who did what was asked for in ORDER."""
    actor = Actor(living_portrait(Person.CARDHOLDER), np.random.default_rng(3))
    attempt = VerifyAttempt(engine, CONFIG, Verify(()), 0.0, rng=Rehearsed(ORDER))
    frames: list[Image] = []
    while not attempt.working:
        t = len(frames) / FPS
        frames.append(actor.frame(t))
        said = attempt.step(t, frames[-1])
        if isinstance(said, Coach):
            actor.hear(said.value, t)
        assert len(frames) < 60 * FPS
    end = attempt.step(0.0)
    while not isinstance(end, FaceEvidence):
        end = attempt.step(0.0)
    assert end.report.order == ORDER and end.report.suffices
    return frames


def timed(frames: list[Image]) -> Iterator[tuple[float, Image]]:
    return ((number / FPS, frame) for number, frame in enumerate(frames))


def test_a_recording_passes_in_its_own_order_and_in_no_other(engine: DlibEngine, recorded: list[Image]) -> None:
    own = try_clip(engine, CONFIG, Profile.PAPER, timed(recorded), ORDER)
    assert own.passed and own.report.order == ORDER and not own.cut and own.trouble is None
    assert {Coach.TURN_LEFT, Coach.BLINK, Coach.TURN_RIGHT} <= {said for _, said in own.said}
    other = try_clip(engine, CONFIG, Profile.PAPER, timed(recorded), OTHER)
    assert not other.passed and other.report.order == OTHER
    assert other.report.of(Check.TURN_LEFT).outcome is not CheckOutcome.PASSED


def test_a_clip_that_ends_early_has_not_passed_but_tells_what_was_seen(engine: DlibEngine, recorded: list[Image]) -> None:
    config = FaceConfig.model_validate({"liveness": {"flash": {"enabled": True}}})
    short = try_clip(engine, config, Profile.PAPER, timed(recorded[:-25]), ORDER)
    assert short.cut and not short.passed and short.frames == len(recorded) - 25
    assert short.report.of(Check.TURN_LEFT).outcome is CheckOutcome.PASSED
    assert not short.report.flash_demanded, "no screen shines on a recording"


def test_an_empty_clip_has_not_passed(engine: DlibEngine) -> None:
    nothing = try_clip(engine, CONFIG, Profile.PAPER, iter(()))
    assert nothing.cut and not nothing.passed and nothing.frames == 0
    black = np.zeros((480, 640, 3), np.uint8)
    assert not try_clip(engine, CONFIG, Profile.PAPER, timed([black] * 5)).passed


@pytest.mark.parametrize(("order", "profile", "possible"), [
    (ORDER, Profile.PAPER, True), (OTHER, Profile.PAPER, True),
    ((Action.OPEN_MOUTH, Action.TURN_RIGHT, Action.TURN_LEFT), Profile.PAPER, True),
    ((Action.BLINK,), Profile.PAPER, False), ((Action.BLINK,), Profile.GENTLE, True), ((Action.BLINK,), Profile.ATTENDED, True),
    ((Action.TURN_LEFT, Action.BLINK, Action.BLINK), Profile.PAPER, False), ((Action.TURN_LEFT,), Profile.ATTENDED, False),
])
def test_orders_a_profile_can_ask_for(order: tuple[Action, ...], profile: Profile, possible: bool) -> None:
    assert can_be_asked(order, profile, LivenessConfig()) is possible


def test_every_order_can_be_rehearsed() -> None:
    drawn = {draw_order(Profile.PAPER, LivenessConfig(), random.Random(seed), again=False) for seed in range(200)}
    assert len(drawn) == 12 and all(can_be_asked(one, Profile.PAPER, LivenessConfig()) for one in drawn)


def test_clips_are_read_from_folders_and_films(tmp_path: Path) -> None:
    frames = [np.full((48, 64, 3), (0, 0, 20 * number), np.uint8) for number in range(6)]  # BGR
    film = cv2.VideoWriter(str(tmp_path / "film.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 10.0, (64, 48))
    (tmp_path / "folder").mkdir()
    for number, frame in enumerate(frames):
        film.write(frame)
        cv2.imwrite(str(tmp_path / "folder" / f"{number}.png"), frame)
    film.release()
    (tmp_path / "folder" / "3.png").write_bytes(b"torn")
    for name, fps, times in (("film.avi", 10.0, [0, 0.1, 0.2, 0.3, 0.4, 0.5]), ("folder", 5.0, [0, 0.2, 0.4, 0.8, 1.0])):
        clip = read_clip(tmp_path / name, 5.0)
        assert not isinstance(clip, ClipTrouble)
        read = list(clip)
        assert [t for t, _ in read] == pytest.approx(times), f"{name} at {fps}"
        assert abs(int(read[-1][1][24, 32, 0]) - 100) < 5 and read[-1][1][24, 32, 2] < 5, "RGB"


def test_what_is_no_clip(tmp_path: Path) -> None:
    (tmp_path / "text.avi").write_text("not a film")
    (tmp_path / "empty").mkdir()
    assert read_clip(tmp_path / "none.avi", 5) is ClipTrouble.MISSING
    assert read_clip(tmp_path / "text.avi", 5) is ClipTrouble.NOT_A_CLIP
    assert read_clip(tmp_path / "empty", 5) is ClipTrouble.NOT_A_CLIP
