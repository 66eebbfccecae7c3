"""Coaching, challenge after challenge, and the end of a sitting; then whatever anybody may do before the camera."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from play import ACTS, DOES, LEFT_BLINK_RIGHT, REQUESTS, SAME, Scripted
from stage import STEP, Doing, Onlooker, sight

from kiosk.config.face import FaceConfig
from kiosk.domain.coaching import Coach
from kiosk.domain.liveness import Action, Liveness, Profile
from kiosk.domain.trouble import FaceTrouble
from kiosk.face.liveness.challenge import Challenge
from kiosk.face.liveness.sitting import Sitting


def sitting(order: tuple[Action, ...] = LEFT_BLINK_RIGHT, profile: Profile = Profile.PAPER, **config: object) -> Sitting:
    valid = FaceConfig.model_validate(config)
    return Sitting(valid, lambda again: Challenge(valid, profile, Scripted(*order), [Onlooker()], again=again), 0.0)


class Sat:
    """Feeds a sitting."""

    def __init__(self, sitting: Sitting) -> None:
        self.sitting = sitting
        self.t = 0.0
        self.said: list[object] = []
        self.names = [sitting.challenge.nonce]

    def show(self, doing: Doing, frames: int = 1, track: int = 1) -> None:
        for _ in range(frames):
            said = self.sitting.see(sight(self.t, doing, track))
            if said is not None:
                self.said.append(said)
            if self.sitting.challenge.nonce != self.names[-1]:
                self.names.append(self.sitting.challenge.nonce)
            self.t += STEP

    def until(self, what: Callable[[], bool], doing: Doing = Doing.AHEAD, track: int = 1) -> None:
        for _ in range(1000):
            if what():
                return
            self.show(doing, track=track)
        raise AssertionError("never")


def test_coaching_comes_first() -> None:
    sat = Sat(sitting())
    sat.show(Doing.GONE, 20)
    sat.until(lambda: Coach.TURN_LEFT in sat.said)
    assert sat.said == [Coach.NO_FACE, Coach.HOLD_STILL, Coach.TURN_LEFT]


def test_a_missed_action_starts_over_once_and_then_ends_with_frames() -> None:
    sat = Sat(sitting())
    sat.until(lambda: sat.sitting.over)
    assert len(sat.names) == len(set(sat.names)) == 2
    assert sat.said == [Coach.HOLD_STILL, *[Coach.TURN_LEFT] * 2] * 2
    assert sat.sitting.challenge.missed and sat.sitting.challenge.kept


def test_a_gap_starts_over_and_the_second_is_one_too_many() -> None:
    sat = Sat(sitting())
    sat.until(lambda: sat.sitting.challenge.begun)
    sat.show(Doing.WITH_ANOTHER, 12)
    sat.until(lambda: sat.sitting.challenge.begun)
    assert sat.said == [Coach.HOLD_STILL, Coach.TURN_LEFT, Coach.MULTI, Coach.HOLD_STILL, Coach.TURN_LEFT]
    sat.show(Doing.GONE, 12)
    assert FaceTrouble.NO_ACTION in sat.said


def test_another_face_starts_over_with_nothing_of_the_first() -> None:
    sat = Sat(sitting())
    sat.until(lambda: sat.sitting.challenge.begun)
    first = sat.sitting.challenge
    pictures = [one.rgb for one in first.kept]
    sat.show(Doing.AHEAD, track=2)
    assert len(sat.names) == 2 and not sat.sitting.challenge.kept
    assert pictures and not any(one.any() for one in pictures)


def test_what_happens_before_the_first_request_costs_no_retry() -> None:
    sat = Sat(sitting())
    for track in range(1, 6):
        sat.show(Doing.AHEAD, 10, track=track)
    sat.until(lambda: sat.sitting.challenge.begun, track=5)
    sat.show(Doing.GONE, 9)
    sat.until(lambda: sat.sitting.challenge.begun, track=5)


def test_the_deadline_waits_for_a_challenge_once_begun() -> None:
    sat = Sat(sitting(try_timeout_s=2.0))
    sat.until(lambda: sat.sitting.challenge.begun)
    sat.show(Doing.AHEAD, 40)
    assert not any(isinstance(one, FaceTrouble) for one in sat.said)
    sat.until(lambda: FaceTrouble.NO_ACTION in sat.said)
    waiting = Sat(sitting(try_timeout_s=2.0))
    waiting.until(lambda: FaceTrouble.TIMEOUT in waiting.said, Doing.MASKED)
    assert waiting.t == pytest.approx(2.0, abs=0.2)


def test_gentle_asks_for_something_else_the_second_time() -> None:
    sat = Sat(sitting((Action.OPEN_MOUTH, Action.BLINK), Profile.GENTLE))
    sat.until(lambda: sat.sitting.over)
    assert [one for one in sat.said if one in REQUESTS] == [Coach.BLINK] * 2 + [Coach.OPEN_MOUTH] * 2


# whatever happens

ANY = st.sampled_from(list(Doing))
ENOUGH = {Action.BLINK: 1, Action.OPEN_MOUTH: 2, Action.TURN_LEFT: 2, Action.TURN_RIGHT: 2}
"""Frames without which an action cannot have been seen."""


class AnySequence(RuleBasedStateMachine):
    """Arbitrary people: nothing passes that was not asked for and then shown, by one face, without a break."""

    @initialize(profile=st.sampled_from([Profile.PAPER, Profile.GENTLE, Profile.INFRARED]), seed=st.integers(0, 99))
    def begin(self, profile: Profile, seed: int) -> None:
        config = FaceConfig.model_validate({"try_timeout_s": 20.0, "liveness": {"action_s": 3.0}})
        rng = random.Random(seed)
        self.sitting = Sitting(config, lambda again: Challenge(config, profile, rng, [Onlooker()], again=again), 0.0)
        self.t = 0.0
        self.track = 1
        self.ended = False
        self.names = {self.sitting.challenge.nonce}
        self.asked: list[tuple[Action, Counter[Doing]]] = []
        self.broken = False

    def show(self, doing: Doing) -> None:
        if self.ended:
            return
        before = self.sitting.challenge
        said = self.sitting.see(sight(self.t, doing, self.track))
        self.t += STEP
        if self.asked:
            self.asked[-1][1][doing] += 1
        now = self.sitting.challenge
        if now is not before:
            assert now.nonce not in self.names
            self.names.add(now.nonce)
            self.asked.clear()
            self.broken = False
        if said in REQUESTS and (not self.asked or self.asked[-1][0] is not REQUESTS[said]):
            self.asked.append((REQUESTS[said], Counter()))
        self.ended = isinstance(said, FaceTrouble) or self.sitting.over

    @rule(doing=ANY, frames=st.integers(1, 12))
    def hold(self, doing: Doing, frames: int) -> None:
        for _ in range(frames):
            self.show(doing)

    @rule(frames=st.integers(5, 40))
    def look_ahead(self, frames: int) -> None:
        for _ in range(frames):
            self.show(Doing.AHEAD)

    @precondition(lambda self: self.asked)
    @rule()
    def obey(self) -> None:
        for doing in ACTS[self.asked[-1][0]]:
            self.show(doing)

    @rule(action=st.sampled_from(list(Action)))
    def do_something(self, action: Action) -> None:
        for doing in ACTS[action]:
            self.show(doing)

    @precondition(lambda self: self.asked and not self.ended)
    @rule()
    def swap(self) -> None:
        self.track += 1
        self.broken = True
        self.show(Doing.AHEAD)

    @precondition(lambda self: not self.ended)
    @rule(seconds=st.floats(0.1, 3))
    def no_pictures(self, seconds: float) -> None:
        self.t += seconds
        self.broken = self.broken or (seconds > 0.7 and self.sitting.challenge.begun)

    @invariant()
    def passes_only_what_was_shown(self) -> None:
        challenge = self.sitting.challenge
        if challenge.report(SAME).verdict is not Liveness.PASSED or not self.sitting.over:
            return
        assert challenge.done and not self.broken
        assert tuple(action for action, _ in self.asked) == challenge.order
        for action, shown in self.asked:
            assert shown[DOES[action]] >= ENOUGH[action], (action, shown)
        assert {one.part for one in challenge.kept} == set(range(len(challenge.order) + 1))

    def teardown(self) -> None:
        for _ in range(round(60 / STEP)):
            if self.ended:
                break
            self.show(Doing.AHEAD)
        assert self.ended, "a sitting must end by itself"
        self.passes_only_what_was_shown()
        self.sitting.wipe()


AnySequence.TestCase.settings = settings(max_examples=20, stateful_step_count=20, deadline=None)
TestAnySequence = AnySequence.TestCase
