"""Attended enrolment with people who do what they are asked, or cannot, or change places; times are those of the clips."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_face import head
from stage import Doing, sight

from kiosk.config.face import EnrolConfig, FaceConfig
from kiosk.devices.emulated.actor import ALL, Actor, Performer
from kiosk.devices.emulated.cast import perform
from kiosk.devices.emulated.light import Light
from kiosk.devices.emulated.people import FPS, Person, living_portrait
from kiosk.devices.emulated.portrait import Pose
from kiosk.domain.coaching import Coach, Progress
from kiosk.domain.enrolment import EnrolmentEvidence, View
from kiosk.domain.liveness import Check, CheckOutcome, Liveness, Profile
from kiosk.domain.roster import FaceTemplate, TemplateSource
from kiosk.domain.trouble import FaceTrouble
from kiosk.face import geometry
from kiosk.face.base import FaceBase
from kiosk.face.best_shot import BestShot, Shot
from kiosk.face.captures import Captures
from kiosk.face.dlib_engine import DlibEngine
from kiosk.face.engine import Image
from kiosk.face.enrolment import EnrolAttempt
from kiosk.face.quality import Quality
from kiosk.face.sight import Sight
from kiosk.face.still import image_from_bytes

Enrolled = Callable[..., "Told"]
REQUESTS = [Coach.HOLD_STILL, Coach.BLINK, Coach.A_LITTLE_LEFT, Coach.A_LITTLE_RIGHT, Coach.WORKING]


@dataclass
class Told:
    coached: list[tuple[float, Coach]] = field(default_factory=list)
    progress: list[float] = field(default_factory=list)
    end: EnrolmentEvidence | FaceTrouble | None = None
    ended_at: float = 0.0

    @property
    def prompts(self) -> list[Coach]:
        return [coach for _, coach in self.coached]

    @property
    def requests(self) -> list[Coach]:
        """In the order of their first mention."""
        return list(dict.fromkeys(one for one in self.prompts if one in REQUESTS))

    @property
    def evidence(self) -> EnrolmentEvidence:
        assert isinstance(self.end, EnrolmentEvidence), (self.end, self.prompts)
        return self.end


@pytest.fixture(scope="module")
def enrol(engine: DlibEngine) -> Enrolled:
    def run(who: Performer, base: FaceBase | None = None, own: int | None = None, **config: Any) -> Told:
        told = Told()
        settings = FaceConfig.model_validate(config)
        attempt = EnrolAttempt(engine, settings, 0.0, base=base, exclude_owner=own, rng=random.Random(1))
        for i in range(round(200 * FPS)):
            t = i / FPS
            picture = who.frame(t)
            step = attempt.step(t) if attempt.working else attempt.step(t, picture)
            picture.fill(0)  # as the worker does: what is needed longer has been copied
            match step:
                case Coach():
                    told.coached.append((t, step))
                    who.hear(step.value, t)
                case Progress(share):
                    told.progress.append(share)
                case EnrolmentEvidence() | FaceTrouble():
                    told.end, told.ended_at = step, t
                    attempt.wipe()
                    return told
        raise AssertionError("an enrolment must end by itself")

    return run


def actor(person: Person, seed: int = 0, **manner: Any) -> Actor:
    return Actor(living_portrait(person), np.random.default_rng(seed), **manner)


@pytest.fixture(scope="module")
def base(engine: DlibEngine, templates: tuple[FaceTemplate, ...]) -> FaceBase:
    """The cardholder, enrolled before."""
    return FaceBase.of(engine.id, [(), templates])


@pytest.fixture(scope="module")
def told(enrol: Enrolled, base: FaceBase) -> Told:
    """The cardholder's sunny way, held against a base in which she is already."""
    return enrol(actor(Person.CARDHOLDER), base)


def test_three_captures_after_a_blink(told: Told) -> None:
    evidence = told.evidence
    assert told.requests == REQUESTS
    assert [one.view for one in evidence.captures] == list(View)
    assert evidence.consistent and 0 < evidence.apart < 0.3 and evidence.apart_max == 0.35
    assert told.ended_at < 20


def test_the_report_says_one_living_person(told: Told) -> None:
    report = told.evidence.report
    assert report.profile is Profile.ATTENDED and report.verdict is Liveness.PASSED
    assert report.of(Check.SAME_FACE).outcome is CheckOutcome.PASSED
    assert told.evidence.clip


def test_the_captures_differ_by_a_turn_to_each_side(engine: DlibEngine, told: Told) -> None:
    yaw = {one.view: _yaw(engine, one.photo) for one in told.evidence.captures}
    assert yaw[View.LEFT] - yaw[View.FRONT] > 0.06
    assert yaw[View.FRONT] - yaw[View.RIGHT] > 0.06


def test_templates_fit_for_later_comparison(
    engine: DlibEngine, told: Told, templates: tuple[FaceTemplate, ...]
) -> None:
    for capture in told.evidence.captures:
        template = capture.template
        assert (template.engine, template.source, template.taken_on) == (engine.id, TemplateSource.ENROLLED, None)
        assert _far(engine, template, templates[0]) < 0.3
    assert len({one.template.vector for one in told.evidence.captures}) == 3


def test_photographs_of_the_width_configured(told: Told) -> None:
    for capture in told.evidence.captures:
        picture = image_from_bytes(capture.photo)
        assert isinstance(picture, np.ndarray) and picture.shape == (480, 640, 3)
        assert picture[40:200, 500:600, 2].mean() > picture[40:200, 500:600, 0].mean() + 30, "red and blue swapped"


def test_the_turn_is_shown_on_its_way(told: Told) -> None:
    assert told.progress.count(1.0) == 2 and min(told.progress) < 0.6


def test_nothing_personal_in_the_text_of_it(told: Told) -> None:
    text = repr(told.evidence)
    assert "xff" not in text and str(told.evidence.captures[0].template.vector[0]) not in text


def test_somebody_already_enrolled_under_another_name_is_a_lookalike(told: Told) -> None:
    assert [one.owner for one in told.evidence.lookalikes] == [1]


def test_the_own_earlier_templates_warn_of_nobody(enrol: Enrolled, base: FaceBase) -> None:
    """And captures farther apart than configured are said to be."""
    evidence = enrol(actor(Person.CARDHOLDER, 2), base, own=1, enrol={"apart_max": 0.05}).evidence
    assert evidence.lookalikes == ()
    assert len(evidence.captures) == 3 and not evidence.consistent


def test_a_stranger_looks_like_nobody(enrol: Enrolled, base: FaceBase) -> None:
    """And the colours of the screen are not shown, although they are configured."""
    evidence = enrol(actor(Person.STRANGER), base, liveness={"flash": {"enabled": True}}).evidence
    assert evidence.lookalikes == () and evidence.consistent
    assert not evidence.report.flash_demanded and evidence.report.verdict is Liveness.PASSED


def test_too_dark_for_enrolment(enrol: Enrolled) -> None:
    """Half the light is enough to be verified in, but not to be compared with for years."""
    told = enrol(actor(Person.CARDHOLDER, light=Light.DIM), try_timeout_s=4)
    assert told.end is FaceTrouble.TIMEOUT and set(told.prompts) == {Coach.DARK}
    assert told.ended_at == pytest.approx(4, abs=0.2)


def test_nobody_else_may_be_in_the_picture(enrol: Enrolled) -> None:
    told = enrol(perform(Person.TWO, np.random.default_rng(0)), try_timeout_s=3)
    assert told.end is FaceTrouble.TIMEOUT and set(told.prompts) == {Coach.MULTI}


class Relay:
    """One performer, then another, from a request on."""

    def __init__(self, one: Performer, other: Performer, from_request: Coach) -> None:
        self._now, self._other, self._from = one, other, from_request

    def hear(self, request: str, t: float) -> None:
        if request == self._from.value:
            self._now = self._other
        self._now.hear(request, t)

    def frame(self, t: float) -> Image:
        return self._now.frame(t)


def test_another_person_between_the_captures_starts_it_over(
    engine: DlibEngine, enrol: Enrolled, templates: tuple[FaceTemplate, ...]
) -> None:
    told = enrol(Relay(actor(Person.CARDHOLDER), actor(Person.STRANGER), Coach.A_LITTLE_RIGHT))
    assert told.prompts.count(Coach.BLINK) == 2 and told.prompts.count(Coach.LOOK_AHEAD) == 1
    for capture in told.evidence.captures:
        assert _far(engine, capture.template, templates[0]) > 0.5
    assert told.evidence.report.verdict is Liveness.PASSED


def test_who_goes_and_comes_back_starts_over(enrol: Enrolled) -> None:
    class Restless(Relay):
        def frame(self, t: float) -> Image:
            if self._gone_from <= t < self._gone_from + 1.5:
                return nobody.frame(t)
            return super().frame(t)

        def hear(self, request: str, t: float) -> None:
            super().hear(request, t)
            if request == Coach.A_LITTLE_RIGHT.value:
                self._gone_from = min(self._gone_from, t)

        _gone_from = float("inf")

    nobody = perform(Person.NOBODY, np.random.default_rng(0))
    same = actor(Person.STRANGER, 4)
    told = enrol(Restless(same, same, Coach.MULTI))
    assert told.prompts.count(Coach.BLINK) == 2 and len(told.evidence.captures) == 3


def test_who_cannot_turn_the_head_ends_calmly(enrol: Enrolled) -> None:
    told = enrol(actor(Person.CARDHOLDER, can=frozenset({"blink"})), try_timeout_s=8)
    assert told.end is FaceTrouble.TIMEOUT
    asked = [t for t, coach in told.coached if coach is Coach.A_LITTLE_LEFT]
    assert 1 <= len(asked) <= 2, "said again, but without haste"
    assert Coach.A_LITTLE_RIGHT not in told.prompts
    assert told.ended_at == pytest.approx(asked[0] + 8, abs=2)


def test_who_does_not_blink_is_not_enrolled(enrol: Enrolled) -> None:
    told = enrol(actor(Person.CARDHOLDER, can=ALL - {"blink", "spontaneous"}), liveness={"action_s": 2, "retries": 0})
    assert told.end is FaceTrouble.NO_ACTION and Coach.A_LITTLE_LEFT not in told.prompts


def guided(captures: Captures, yaw: float, begin: float, seconds: float) -> list[Any]:
    """What is brought while the exact model face is held at an angle, without what is nothing."""
    brought = [captures.see(turned(t, yaw)) for t in np.arange(begin, begin + seconds, 0.08)]
    return [one for one in brought if one is not None]


def turned(t: float, yaw: float, coach: Coach | None = None) -> Sight:
    one = sight(float(t), coach=coach)
    return replace(one, points=head(Pose(yaw=yaw)), quality=Quality(coach))


@pytest.fixture
def ahead() -> Captures:
    """The capture from the front is taken."""
    captures = Captures(EnrolConfig(), 0.0)
    (said, shot) = guided(captures, 0.0, 0.0, 0.7)
    assert said is Coach.HOLD_STILL and isinstance(shot, Shot)
    captures.accept(shot, 0.6)
    return captures


def shots(brought: list[Any]) -> int:
    return sum(isinstance(one, Shot) for one in brought)


@pytest.mark.parametrize(("yaw", "taken"), [(-7, 0), (0, 0), (2, 0), (5, 1), (12, 1), (25, 0)])
def test_a_capture_from_the_left_needs_a_small_turn_to_the_left(ahead: Captures, yaw: float, taken: int) -> None:
    assert ahead.view is View.LEFT
    brought = guided(ahead, yaw, 1.0, 0.95)
    assert shots(brought) == taken
    assert brought[0] is Coach.HOLD_STILL if taken else brought[0] in (Coach.A_LITTLE_LEFT, Coach.LOOK_AHEAD)


def test_then_a_small_turn_to_the_right(ahead: Captures) -> None:
    ahead.accept(next(one for one in guided(ahead, 7, 1.0, 0.9) if isinstance(one, Shot)), 2.0)
    assert ahead.view is View.RIGHT
    assert shots(guided(ahead, 7, 2.0, 2.0)) == 0
    assert shots(guided(ahead, -7, 4.0, 0.95)) == 1


def test_the_turn_is_counted_from_how_the_face_was_ahead() -> None:
    """Some noses are crooked, and some people stand a little turned."""
    captures = Captures(EnrolConfig(), 0.0)
    captures.accept(next(one for one in guided(captures, 5, 0.0, 0.7) if isinstance(one, Shot)), 0.6)
    assert shots(guided(captures, 5, 1.0, 2.0)) == 0
    assert shots(guided(captures, 11, 3.0, 0.95)) == 1


def test_who_turns_too_far_is_called_back(ahead: Captures) -> None:
    assert Coach.LOOK_AHEAD in guided(ahead, 25, 1.0, 3.0)


def test_who_turns_too_little_is_asked_for_more_after_a_while(ahead: Captures) -> None:
    brought = guided(ahead, 2, 1.0, 5.0)
    said = [one for one in brought if isinstance(one, Coach)]
    assert said == [Coach.A_LITTLE_LEFT, Coach.FURTHER]


def test_who_does_not_turn_is_left_in_peace(ahead: Captures) -> None:
    brought = guided(ahead, 0, 1.0, 13.0)
    assert brought == [Coach.A_LITTLE_LEFT] * 3, "said again every six seconds"


def test_the_turn_fills_the_arrow(ahead: Captures) -> None:
    angles = np.linspace(0, 6, 30)
    brought = [ahead.see(turned(1 + 0.08 * i, yaw)) for i, yaw in enumerate(angles)]
    shares = [one.share for one in brought if isinstance(one, Progress)]
    assert shares == sorted(shares) and shares[0] < 0.4 and shares[-1] == 1.0 and len(shares) < 12


@pytest.mark.parametrize("fault", [Coach.DARK, Coach.MULTI, Coach.BLUR, Coach.EYES_CLOSED])
def test_whatever_else_is_wrong_comes_first(ahead: Captures, fault: Coach) -> None:
    brought = [ahead.see(turned(1 + 0.08 * i, 7, fault)) for i in range(15)]
    assert [one for one in brought if one is not None] == [fault]


def test_a_fault_spoils_the_moment(ahead: Captures) -> None:
    brought = [ahead.see(turned(1 + 0.08 * i, 7, Coach.BLUR if i % 6 == 0 else None)) for i in range(40)]
    assert shots(brought) == 0


def test_who_hovers_at_the_limit_of_the_turn_is_not_taken(ahead: Captures) -> None:
    brought = [ahead.see(turned(1 + 0.08 * i, 4.2 if i // 5 % 2 else 2.6)) for i in range(60)]
    assert shots(brought) == 0 and Coach.HOLD_STILL in brought


def test_a_turned_head_is_held_against_the_other_limits(ahead: Captures) -> None:
    """What a gate finds first hides the rest: without the turn this picture is black."""
    dark = replace(turned(1.0, 7, Coach.TURNED), grey=np.zeros((480, 640), np.uint8))
    assert ahead.see(dark) is Coach.DARK


def test_without_frames_the_camera_is_lost(engine: DlibEngine) -> None:
    attempt = EnrolAttempt(engine, FaceConfig(), 100.0, base=None, exclude_owner=None)
    assert attempt.step(107.0) is None
    assert attempt.step(108.1) is FaceTrouble.CAMERA_LOST


def test_starting_over_again_and_again_comes_to_an_end(engine: DlibEngine) -> None:
    """Whatever happens, nobody stands there longer than the time of all captures."""
    attempt = EnrolAttempt(engine, FaceConfig(try_timeout_s=2), 0.0)
    attempt._start_over(7.9)
    assert attempt.step(8.0) is None
    assert attempt.step(8.1) is FaceTrouble.TIMEOUT


def test_wipe_leaves_no_picture_and_no_vector(engine: DlibEngine) -> None:
    attempt = EnrolAttempt(engine, FaceConfig(), 0.0, rng=random.Random(1))
    who = actor(Person.STRANGER)
    for t in _times():
        step = attempt.step(t, who.frame(t))
        if isinstance(step, Coach):
            who.hear(step.value, t)
        candidate = None if attempt._captures is None else attempt._captures._shot._best
        if attempt._taken and candidate is not None:
            break
    assert candidate is not None
    pictures = [candidate.rgb, *(one.rgb for one in attempt._sitting.challenge.kept)]
    vectors = [*attempt._vectors, *(one.vector for one in attempt._taken)]
    assert len(vectors) > 4 and all(one.any() for one in (*pictures, *vectors))
    attempt.wipe()
    assert not any(one.any() for one in (*pictures, *vectors))
    assert not attempt._sitting.challenge.clip


def test_the_best_shot_needs_a_still_moment() -> None:
    shot = BestShot()
    seen = [shot.see(sight(i * 0.08), 0.0) for i in range(8)]
    assert seen[:7] == [None] * 7 and seen[7] is not None


def test_a_face_that_moves_begins_anew() -> None:
    shot = BestShot()
    assert all(shot.see(sight(i * 0.08), 0.07 * (i // 4)) is None for i in range(40))


def test_the_best_shot_never_shows_a_blink() -> None:
    """All frames are equally sharp, so the first is the candidate: shut eyes spoil the whole moment."""
    shot = BestShot()
    shut = sight(0.0, Doing.EYES_SHUT)
    assert shut.points is not None
    shut.points[[37, 38, 43, 44], 1] = shut.points[[41, 40, 47, 46], 1] - 1
    assert shot.see(shut, 0.0) is None
    assert [shot.see(sight(i * 0.08), 0.0) for i in range(1, 8)] == [None] * 7


def test_a_dropped_shot_is_overwritten() -> None:
    shot = BestShot()
    shot.see(sight(0.0), 0.0)
    picture = shot._best.rgb if shot._best is not None else None
    assert picture is not None and picture.any()
    shot.drop()
    assert not picture.any()


@given(fps=st.floats(8, 30))
def test_the_frame_rate_does_not_matter(fps: float) -> None:
    shot = BestShot()
    times = np.arange(0, 2, 1 / fps)
    first = next(t for t in times if shot.see(sight(float(t)), 0.0) is not None)
    assert first + 1e-9 >= 0.5 and first <= 0.5 + 1 / fps + 1e-9


def test_the_gate_of_an_enrolment_is_the_stricter_one() -> None:
    enrolling, verifying = EnrolConfig().gate, FaceConfig().gate
    assert enrolling.alone and not verifying.alone
    assert enrolling.grey_min > verifying.grey_min and enrolling.sharpness_min > verifying.sharpness_min


def _times() -> Iterator[float]:
    return (i / FPS for i in range(400))


def _yaw(engine: DlibEngine, photo: bytes) -> float:
    picture = image_from_bytes(photo)
    assert isinstance(picture, np.ndarray)
    (face,) = engine.detect(picture)
    nudged = [cv2.GaussianBlur(picture, (0, 0), sigma) for sigma in (0.5, 0.8, 1.1, 1.4)]
    points = [engine.landmarks(np.ascontiguousarray(one, dtype=np.uint8), face) for one in nudged]
    return float(np.mean([geometry.yaw_ratio(one) for one in points]))


def _far(engine: DlibEngine, one: FaceTemplate, other: FaceTemplate) -> float:
    return float(engine.distances(np.array([one.vector]), np.array([other.vector]))[0, 0])
