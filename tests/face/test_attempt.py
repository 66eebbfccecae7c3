"""A whole try on living people, photographs, nobody, two and in the dark; times are those of the clips."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import pytest

from kiosk.config import FaceConfig
from kiosk.devices.emulated.people import Person
from kiosk.domain.coaching import Coach
from kiosk.domain.decision import Band, FaceEvidence, Liveness
from kiosk.domain.roster import FaceTemplate
from kiosk.domain.trouble import FaceTrouble
from kiosk.face.attempt import FaceAttempt
from kiosk.face.dlib_engine import DlibEngine
from kiosk.face.engine import Image

Clips = Callable[[Person], list[Image]]
Templates = tuple[FaceTemplate, ...]
Try = Callable[..., Any]
BANDS = FaceConfig().bands()
SHORT = {"blink_window_s": 1.5, "blink_retries": 1}


def test_the_cardholder_passes(run_try: Try, clip: Clips, templates: Templates) -> None:
    told = run_try(clip(Person.CARDHOLDER), templates)
    assert told.prompts == [Coach.HOLD_STILL, Coach.BLINK, Coach.WORKING]
    evidence = told.end
    assert isinstance(evidence, FaceEvidence)
    assert evidence.liveness is Liveness.PASSED
    assert evidence.distance < 0.15
    assert BANDS.band(evidence.distance, evidence.templates) is Band.PASS
    assert (evidence.frames, evidence.templates) == (5, 3)
    assert told.ended_at < 8


def test_a_stranger_is_alive_but_not_the_cardholder(run_try: Try, clip: Clips, templates: Templates) -> None:
    evidence = run_try(clip(Person.STRANGER), templates).end
    assert isinstance(evidence, FaceEvidence)
    assert evidence.liveness is Liveness.PASSED
    assert evidence.distance > 0.6
    assert BANDS.band(evidence.distance, evidence.templates) is Band.RETRY


@pytest.mark.parametrize("person", [Person.PHOTO, Person.WAVED_PHOTO])
def test_a_photograph_held_up_is_not_alive(run_try: Try, clip: Clips, templates: Templates, person: Person) -> None:
    told = run_try(clip(person), templates, **SHORT)
    if isinstance(told.end, FaceEvidence):  # enough frames for an officer to look at
        assert told.end.liveness is Liveness.FAILED
    else:
        assert told.end is FaceTrouble.NO_ACTION
    assert told.prompts.count(Coach.BLINK) <= 2


def test_a_still_photograph_brings_pictures_for_the_officer(run_try: Try, clip: Clips, templates: Templates) -> None:
    evidence = run_try(clip(Person.PHOTO), templates, **SHORT).end
    assert isinstance(evidence, FaceEvidence)
    assert evidence.liveness is Liveness.FAILED and len(evidence.photos) == 3


def test_nobody(run_try: Try, clip: Clips) -> None:
    told = run_try(clip(Person.NOBODY), try_timeout_s=4)
    assert told.end is FaceTrouble.TIMEOUT
    assert told.prompts == [Coach.NO_FACE]
    assert told.ended_at == pytest.approx(4, abs=0.2)


def test_two_people(run_try: Try, clip: Clips, templates: Templates) -> None:
    told = run_try(clip(Person.TWO), templates, try_timeout_s=4)
    assert told.end is FaceTrouble.TIMEOUT
    assert told.prompts == [Coach.MULTI]


def test_in_the_dark(run_try: Try, clip: Clips, templates: Templates) -> None:
    dark = [np.asarray(frame * 0.2, dtype=np.uint8) for frame in clip(Person.CARDHOLDER)]
    told = run_try(dark, templates, try_timeout_s=4)
    assert told.end is FaceTrouble.TIMEOUT
    assert told.prompts == [Coach.DARK]


def test_prompts_stay_long_enough_to_be_heard(run_try: Try, clip: Clips, templates: Templates) -> None:
    """A restless person: in and out of the picture, near and far."""
    good, empty = clip(Person.CARDHOLDER), clip(Person.NOBODY)
    restless = [*good[:3], *empty[:4], *good[7:12], *empty[12:20]] * 4
    told = run_try(restless, templates, try_timeout_s=8)
    times = [t for t, coach in told.coached if coach is not Coach.WORKING]
    assert len(times) > 2
    assert all(later - earlier >= 1.5 - 1e-9 for earlier, later in pairwise(times))


def test_frames_are_spread_over_the_configured_time(engine: DlibEngine, clip: Clips, templates: Templates) -> None:
    attempt = FaceAttempt(engine, FaceConfig(), templates, 0.0)
    frames = iter(enumerate(clip(Person.CARDHOLDER)))
    while not attempt.working:
        i, frame = next(frames)
        attempt.step(i * 0.08, frame)
    times = [one.t for one in attempt._kept]
    assert len(times) == 5 and times[-1] - times[0] >= 1.0


def test_photographs_fit_for_sending(run_try: Try, clip: Clips, templates: Templates) -> None:
    wide = [np.ascontiguousarray(np.asarray(cv2.resize(frame, (1280, 960)))[120:840]) for frame in clip(Person.CARDHOLDER)]
    evidence = run_try(wide, templates).end
    assert isinstance(evidence, FaceEvidence) and evidence.distance < 0.2
    assert 2 <= len(evidence.photos) <= 3
    for photo in evidence.photos:
        assert photo.startswith(b"\xff\xd8") and len(photo) < 150_000
        picture = cv2.imdecode(np.frombuffer(photo, np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None and picture.shape == (360, 640, 3)
        # red and blue not swapped: the background of this portrait is blue, right of the head
        assert picture[40:200, 500:600, 0].mean() > picture[40:200, 500:600, 2].mean() + 30


def test_too_slow_a_camera_never_passes(run_try: Try, clip: Clips, templates: Templates) -> None:
    """At two frames a second nothing can be said about a blink."""
    told = run_try(clip(Person.CARDHOLDER)[::6], templates, fps=2, **SHORT)
    assert not (isinstance(told.end, FaceEvidence) and told.end.liveness is Liveness.PASSED)


def test_half_the_frame_rate_is_enough(run_try: Try, clip: Clips, templates: Templates) -> None:
    evidence = run_try(clip(Person.CARDHOLDER)[::2], templates, fps=6.25).end
    assert isinstance(evidence, FaceEvidence) and evidence.liveness is Liveness.PASSED


def test_somebody_unknown_here_still_gets_pictures_for_review(run_try: Try, clip: Clips) -> None:
    evidence = run_try(clip(Person.CARDHOLDER), ()).end
    assert isinstance(evidence, FaceEvidence)
    assert math.isnan(evidence.distance) and evidence.templates == 0 and len(evidence.photos) == 3


def test_templates_of_another_model_are_not_compared(run_try: Try, clip: Clips, templates: Templates) -> None:
    foreign = FaceTemplate("another-engine", templates[0].vector)
    evidence = run_try(clip(Person.CARDHOLDER), (foreign, foreign, templates[0])).end
    assert isinstance(evidence, FaceEvidence)
    assert evidence.templates == 1
    assert BANDS.band(evidence.distance, evidence.templates) is Band.REVIEW


def test_a_photograph_taken_away_for_a_living_face_does_not_pass(run_try: Try, clip: Clips, templates: Templates) -> None:
    """Baseline from the cardholder's print, blink from somebody else at the very same place."""
    swapped = [*clip(Person.PHOTO)[:40], *clip(Person.STRANGER)] * 2
    told = run_try(swapped, templates, blink_window_s=4, blink_retries=0)
    assert not (isinstance(told.end, FaceEvidence) and told.end.liveness is Liveness.PASSED)


def test_frames_of_another_face_are_not_mixed_in(run_try: Try, clip: Clips, templates: Templates) -> None:
    """Whatever becomes of the try: what is compared is the face of the baseline."""
    swapped = [*clip(Person.PHOTO)[:40], *clip(Person.STRANGER)[10:25] * 8]
    end = run_try(swapped, templates, blink_window_s=4, blink_retries=0).end
    assert isinstance(end, FaceEvidence) and end.liveness is Liveness.FAILED
    assert end.distance < 0.2


def test_a_face_that_was_gone_starts_over(run_try: Try, clip: Clips, templates: Templates) -> None:
    living, empty = clip(Person.PHOTO), clip(Person.NOBODY)
    told = run_try([*living[:30], *empty[:30]], templates, blink_retries=1)
    assert told.prompts[:5] == [Coach.HOLD_STILL, Coach.BLINK, Coach.NO_FACE, Coach.HOLD_STILL, Coach.BLINK]
    assert told.end is FaceTrouble.NO_ACTION


def test_a_challenge_once_begun_outlives_the_deadline(engine: DlibEngine, clip: Clips, templates: Templates) -> None:
    config = FaceConfig(try_timeout_s=2.0, blink_window_s=2.0, blink_retries=3)
    attempt = FaceAttempt(engine, config, templates, 0.0)
    said = [attempt.step(i * 0.08, frame) for i, frame in enumerate(clip(Person.PHOTO)[:26])]
    assert said[-1] is None and Coach.BLINK in said
    assert attempt.step(2.1) is None
    later = [attempt.step(i * 0.08, frame) for i, frame in enumerate(clip(Person.PHOTO)[27:], start=27)]
    assert FaceTrouble.NO_ACTION in later


def test_without_frames_the_camera_is_lost(engine: DlibEngine) -> None:
    attempt = FaceAttempt(engine, FaceConfig(), (), 100.0)
    assert attempt.step(107.0) is None
    assert attempt.step(108.1) is FaceTrouble.CAMERA_LOST


def test_wipe_leaves_no_picture(engine: DlibEngine, clip: Clips, templates: Templates) -> None:
    attempt = FaceAttempt(engine, FaceConfig(), templates, 0.0)
    for i, frame in enumerate(clip(Person.PHOTO)[:40]):
        attempt.step(i * 0.08, frame)
    kept = [one.rgb for one in attempt._kept]
    assert kept and all(picture.any() for picture in kept)
    attempt.wipe()
    assert not any(picture.any() for picture in kept)
