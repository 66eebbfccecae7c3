"""A whole try with people who hear what is asked and do it, and with those who cannot or only pretend to."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import pytest

from kiosk.config.face import FaceConfig
from kiosk.devices.emulated.actor import Actor, Performer
from kiosk.devices.emulated.attacks import Species, Swap, attack_actor
from kiosk.devices.emulated.cast import perform
from kiosk.devices.emulated.people import FPS, Person, living_portrait
from kiosk.domain.coaching import Coach
from kiosk.domain.decision import Band, FaceEvidence, IdentifiedBy, Outcome, decide
from kiosk.domain.face_task import Verify
from kiosk.domain.liveness import Check, CheckOutcome, Liveness, Profile
from kiosk.domain.roster import FaceTemplate, TemplateSource
from kiosk.domain.trouble import FaceTrouble
from kiosk.face.attempt import VerifyAttempt
from kiosk.face.dlib_engine import DlibEngine
from kiosk.face.engine import Image, Vector

Clips = Callable[[Person], list[Image]]
Templates = tuple[FaceTemplate, ...]
Try = Callable[..., Any]
BANDS = FaceConfig().bands()
SHORT = {"liveness": {"action_s": 2.0, "retries": 0}}
PASSED = (CheckOutcome.PASSED, "")


def who(person: Person, seed: int = 0) -> Performer:
    return perform(person, np.random.default_rng(seed))


class Played:
    """A recording: goes on whatever is said."""

    def __init__(self, *frames: Image) -> None:
        self._frames = frames

    def hear(self, request: str, t: float) -> None:
        """A recording hears nothing."""

    def frame(self, t: float) -> Image:
        return self._frames[round(t * FPS) % len(self._frames)].copy()


class Comes:
    """Somebody until a moment, then somebody else, or a picture."""

    def __init__(self, until_s: float, first: Performer | Played, second: Performer | Played) -> None:
        self._until_s, self._first, self._second = until_s, first, second

    def hear(self, request: str, t: float) -> None:
        self._now(t).hear(request, t)

    def frame(self, t: float) -> Image:
        return self._now(t).frame(t)

    def _now(self, t: float) -> Performer | Played:
        return self._first if t < self._until_s else self._second


@pytest.fixture(scope="module")
def passed(run_try: Try, templates: Templates) -> Any:
    """The cardholder's try."""
    return run_try(who(Person.CARDHOLDER), templates)


def test_the_cardholder_passes(passed: Any) -> None:
    evidence = passed.evidence
    assert evidence.liveness is Liveness.PASSED and evidence.report.suffices
    assert evidence.distance < 0.2
    assert BANDS.band(evidence.distance, evidence.templates) is Band.PASS
    assert decide(evidence, BANDS, IdentifiedBy.CARD) is Outcome.PASSED
    assert (evidence.frames, evidence.templates, evidence.foreign, evidence.chip_only) == (5, 3, 0, False)
    assert evidence.threshold_set == "start-2026" and evidence.raw_distance is None
    for check in (Check.TURN_LEFT, Check.TURN_RIGHT, Check.SAME_FACE, Check.FRESH, Check.DEPTH):
        assert passed.checked(check) == PASSED
    assert passed.ended_at < 15


def test_what_the_cardholder_heard(passed: Any) -> None:
    asked = [Coach(action.value) for action in passed.evidence.report.order]
    assert [one for one in passed.prompts if one in asked] == asked
    assert passed.prompts[0] is Coach.HOLD_STILL and passed.prompts[-1] is Coach.WORKING
    shares = [share for _, share in passed.progress]
    assert max(shares) > 0.7
    assert all(abs(one - other) >= 0.05 - 1e-9 for one, other in pairwise(shares))


def test_the_pictures_of_it(passed: Any) -> None:
    evidence = passed.evidence
    assert len(evidence.photos) == 3
    for photo in evidence.photos:
        assert photo.startswith(b"\xff\xd8") and len(photo) < 150_000
        picture = cv2.imdecode(np.frombuffer(photo, np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None and picture.shape == (480, 640, 3)
        # red and blue not swapped: the background of this portrait is blue, right of the head
        assert picture[40:200, 500:600, 0].mean() > picture[40:200, 500:600, 2].mean() + 30
    times = [one.t_ms for one in evidence.clip]
    assert times[0] == 0 and times == sorted(times)
    assert len(times) == pytest.approx(3 * evidence.report.seconds, abs=2)
    small = cv2.imdecode(np.frombuffer(evidence.clip[0].jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert small is not None and small.shape == (180, 240, 3)


def test_a_stranger_is_alive_but_not_the_cardholder(run_try: Try, templates: Templates) -> None:
    evidence = run_try(who(Person.STRANGER), templates, Profile.GENTLE).evidence
    assert evidence.liveness is Liveness.PASSED
    assert evidence.distance > 0.6
    assert BANDS.band(evidence.distance, evidence.templates) is Band.RETRY


def test_who_cannot_turn_the_head(run_try: Try, templates: Templates) -> None:
    """Alive, and still an officer decides."""
    evidence = run_try(who(Person.STIFF), templates, Profile.GENTLE).evidence
    assert evidence.liveness is Liveness.PASSED and not evidence.report.suffices
    assert evidence.report.of(Check.DEPTH).outcome is CheckOutcome.NOT_DONE
    assert decide(evidence, BANDS, IdentifiedBy.CARD) is Outcome.MANUAL_REVIEW


def test_who_is_asked_to_turn_and_cannot_is_told_calmly(run_try: Try, templates: Templates) -> None:
    told = run_try(who(Person.STIFF), templates, seed=1, **SHORT)
    evidence = told.evidence
    assert evidence.liveness is Liveness.FAILED and evidence.photos
    unclear = [one for one in evidence.report.checks if one.reason == "not_seen"]
    assert len(unclear) == 1 and unclear[0].check in {Check.TURN_LEFT, Check.TURN_RIGHT}
    assert decide(evidence, BANDS, IdentifiedBy.CARD) is Outcome.NOT_MATCHED


def test_a_photograph(run_try: Try, templates: Templates) -> None:
    sheet = attack_actor(Species.TILTED, living_portrait(Person.CARDHOLDER), np.random.default_rng(1))
    told = run_try(sheet, templates, liveness={"action_s": 4.0, "retries": 0})
    assert told.evidence.liveness is Liveness.FAILED and told.evidence.distance < 0.3, "the right face, but no living one"


def test_somebody_swapped_in_the_middle(run_try: Try, templates: Templates) -> None:
    """At the very same place, between two frames; both do all that is asked. The embeddings say it."""
    swap = Swap(who(Person.STRANGER), who(Person.CARDHOLDER, 1), requests=2)
    told = run_try(swap, templates, seed=2, liveness={"retries": 0})
    assert told.evidence.liveness is Liveness.FAILED
    assert told.checked(Check.SAME_FACE) == (CheckOutcome.FAILED, "another_face")


def test_a_frozen_feed(run_try: Try, templates: Templates) -> None:
    frozen = Comes(2.0, who(Person.CARDHOLDER), Played(who(Person.CARDHOLDER).frame(0.0)))
    told = run_try(frozen, templates, **SHORT)
    assert told.evidence.liveness is Liveness.FAILED
    assert told.checked(Check.FRESH)[0] is CheckOutcome.FAILED


def test_a_looped_clip(run_try: Try, templates: Templates, clip: Clips) -> None:
    """Blinks all the time, over and over: the blink is seen, but no picture may come twice."""
    told = run_try(Played(*clip(Person.CARDHOLDER)[:40]), templates, Profile.ATTENDED)
    assert told.evidence.report.of(Check.BLINK).outcome is CheckOutcome.PASSED
    assert told.checked(Check.FRESH)[0] is CheckOutcome.FAILED
    assert told.evidence.liveness is Liveness.FAILED


def test_two_people(run_try: Try, templates: Templates) -> None:
    told = run_try(who(Person.TWO), templates, try_timeout_s=2)
    assert told.end is FaceTrouble.TIMEOUT
    assert told.prompts == [Coach.MULTI]


def test_a_face_that_leaves_and_comes_back_starts_over(run_try: Try, templates: Templates) -> None:
    back = Comes(2.4, who(Person.CARDHOLDER), Comes(3.6, Played(who(Person.NOBODY).frame(0.0)), who(Person.CARDHOLDER, 1)))
    told = run_try(back, templates, Profile.ATTENDED)
    assert told.prompts[:5] == [Coach.HOLD_STILL, Coach.BLINK, Coach.NO_FACE, Coach.HOLD_STILL, Coach.BLINK]
    assert told.evidence.liveness is Liveness.PASSED
    assert told.evidence.report.seconds < told.ended_at - 3.6


def test_nobody(run_try: Try) -> None:
    told = run_try(Played(who(Person.NOBODY).frame(0.0)), try_timeout_s=3)
    assert told.end is FaceTrouble.TIMEOUT
    assert told.prompts == [Coach.NO_FACE]
    assert told.ended_at == pytest.approx(3, abs=0.2)


def test_in_the_dark(run_try: Try, clip: Clips) -> None:
    dark = [np.asarray(frame * 0.2, dtype=np.uint8) for frame in clip(Person.CARDHOLDER)[:10]]
    told = run_try(Played(*dark), try_timeout_s=2)
    assert (told.end, told.prompts) == (FaceTrouble.TIMEOUT, [Coach.DARK])


def test_prompts_stay_long_enough_to_be_heard(run_try: Try, clip: Clips) -> None:
    """A restless person: in and out of the picture."""
    good, empty = clip(Person.CARDHOLDER), clip(Person.NOBODY)
    told = run_try(Played(*good[:15], *empty[:20]), try_timeout_s=6)
    times = [t for t, coach in told.coached if coach is not Coach.WORKING]
    assert len(times) > 2
    assert all(later - earlier >= 1.5 - 1e-9 for earlier, later in pairwise(times))


def test_too_slow_a_camera_never_passes(run_try: Try, templates: Templates) -> None:
    """At two pictures a second nothing can be said about anything."""
    told = run_try(who(Person.CARDHOLDER), templates, Profile.ATTENDED, fps=2, **SHORT)
    assert not (isinstance(told.end, FaceEvidence) and told.evidence.liveness is Liveness.PASSED)


def test_twice_the_frame_rate(run_try: Try, templates: Templates) -> None:
    assert run_try(who(Person.CARDHOLDER), templates, Profile.GENTLE, fps=25).evidence.liveness is Liveness.PASSED


def test_colours_are_shown_and_seen_in_the_face(run_try: Try, templates: Templates) -> None:
    told = run_try(who(Person.CARDHOLDER), templates, Profile.ATTENDED, liveness={"flash": {"enabled": True, "colours": 5}})
    ((_, plan),) = told.plans
    assert len(plan.colours) == 5 and Coach.FLASH in told.prompts
    assert told.evidence.report.flash_demanded and told.checked(Check.FLASH) == PASSED
    assert told.evidence.liveness is Liveness.PASSED


def test_a_profile_with_infrared_never_passes_without_the_pair(run_try: Try, templates: Templates) -> None:
    evidence = run_try(who(Person.CARDHOLDER), templates, Profile.INFRARED, seed=3).evidence
    assert evidence.report.of(Check.SAME_FACE).outcome is CheckOutcome.PASSED
    assert evidence.liveness is Liveness.FAILED


# below the camera: what is compared, and how


class Counted(DlibEngine):
    """Counts what costs a tenth of a second, and every picture it was given is looked at afterwards."""

    def __init__(self) -> None:
        super().__init__()
        self.encoded: list[Image] = []

    def embed(self, rgb: Image, box: Any) -> Vector:
        self.encoded.append(rgb)
        return super().embed(rgb, box)


class Kept(VerifyAttempt):
    """Lets a test look at what is kept."""

    @property
    def pictures(self) -> list[Image]:
        return [one.rgb for one in self._sitting.challenge.kept]

    @property
    def vectors(self) -> list[Vector]:
        return self._vectors


def attended(engine: DlibEngine, templates: Sequence[FaceTemplate], cohort: Any = None) -> Kept:
    return Kept(engine, FaceConfig(), Verify(tuple(templates), Profile.ATTENDED), 0.0, cohort=cohort, rng=random.Random(0))


def played(attempt: VerifyAttempt, actor: Performer) -> None:
    """Until it works on what it has."""
    for i in range(300):
        said = attempt.step(i / FPS, actor.frame(i / FPS))
        if isinstance(said, Coach):
            actor.hear(said.value, i / FPS)
        if attempt.working:
            return
    raise AssertionError("not finished")


def ended(attempt: VerifyAttempt) -> FaceEvidence:
    for _ in range(30):
        step = attempt.step(30.0)
        if isinstance(step, FaceEvidence):
            return step
    raise AssertionError("no evidence")


class Halved:
    """Stands for a cohort."""

    def normalised(self, vectors: Sequence[Vector], templates: Sequence[FaceTemplate]) -> float:
        return -2.0


def test_five_encodings_serve_everything_and_nothing_is_left(templates: Templates) -> None:
    engine = Counted()
    foreign = FaceTemplate("another-engine", templates[0].vector)
    chip = [FaceTemplate(one.engine, one.vector, TemplateSource.CHIP) for one in templates]
    attempt = attended(engine, [foreign, *chip], Halved())
    played(attempt, who(Person.CARDHOLDER))
    pictures = attempt.pictures
    evidence = ended(attempt)
    assert len(engine.encoded) == evidence.frames == len(pictures) == 5
    assert (evidence.templates, evidence.foreign, evidence.chip_only) == (3, 1, True)
    assert evidence.distance == -2.0 and evidence.raw_distance is not None and 0 < evidence.raw_distance < 0.2
    vectors = list(attempt.vectors)
    assert all(one.any() for one in pictures) and len(vectors) == 5
    attempt.wipe()
    assert not any(one.any() for one in pictures) and not any(one.any() for one in vectors)


def test_somebody_unknown_here_still_gets_pictures_for_review(engine: DlibEngine) -> None:
    attempt = attended(engine, ())
    played(attempt, Actor(living_portrait(Person.CARDHOLDER), np.random.default_rng(4)))
    evidence = ended(attempt)
    assert math.isnan(evidence.distance) and evidence.templates == 0 and len(evidence.photos) == 3
    assert evidence.liveness is Liveness.PASSED, "the same face is known without templates"
    attempt.wipe()


def test_without_frames_the_camera_is_lost(engine: DlibEngine) -> None:
    attempt = VerifyAttempt(engine, FaceConfig(), Verify(()), 100.0)
    assert attempt.step(107.0) is None
    assert attempt.step(108.1) is FaceTrouble.CAMERA_LOST


def test_the_order_is_the_systems_own_secret(engine: DlibEngine) -> None:
    attempts = [VerifyAttempt(engine, FaceConfig(), Verify(()), 0.0) for _ in range(40)]
    challenges = [one._sitting.challenge for one in attempts]
    assert len({one.nonce for one in challenges}) == 40 and len({one.order for one in challenges}) > 4
