"""The person before the camera does what is asked, when it is asked, as far as the body can; and is never the same twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.devices.emulated.actor import ALL, BLINK_S, MOUTH_S, STIFF, TURN_DEG, TURN_S, Actor, Performer
from kiosk.devices.emulated.attacks import ACTIONS, Species, Swap, attack_actor
from kiosk.devices.emulated.cast import perform
from kiosk.devices.emulated.drift import SWAY
from kiosk.devices.emulated.light import Light, Sensor
from kiosk.devices.emulated.people import Person, living_portrait
from kiosk.devices.emulated.portrait import BINOCULAR, Pose
from kiosk.devices.emulated.warp import Picture
from kiosk.domain.coaching import Coach

FPS = 25.0
CALM = ALL - {"spontaneous"}
REACTION_S = 0.5
BLANK: Picture = np.zeros((480, 640, 3), np.uint8)


@dataclass
class Puppet:
    """A body that only writes down how it is moved."""

    seen: list[tuple[float, Pose, float, float]] = field(default_factory=list)

    def render(self, pose: Pose, blink: float = 0.0, mouth: float = 0.0, t: float = 0.0) -> Picture:
        self.seen.append((t, pose, blink, mouth))
        return BLANK

    def infrared(
        self, pose: Pose, blink: float = 0.0, mouth: float = 0.0, t: float = 0.0, seen_from: float = BINOCULAR
    ) -> Picture:
        return BLANK[..., 0]

    def posture(self, which: Callable[[Pose, float, float], float]) -> dict[float, float]:
        return {t: which(pose, blink, mouth) for t, pose, blink, mouth in self.seen}


def yaw(pose: Pose, blink: float, mouth: float) -> float:
    return pose.yaw


def lids(pose: Pose, blink: float, mouth: float) -> float:
    return blink


def lips(pose: Pose, blink: float, mouth: float) -> float:
    return mouth


def played(
    script: dict[float, str], seconds: float = 6.0, can: frozenset[str] = CALM, fps: float = FPS, seed: int = 0
) -> Puppet:
    """What the body did while these requests were heard at these times."""
    puppet = Puppet()
    actor = Actor(puppet, np.random.default_rng(seed), reaction_s=REACTION_S, can=can)
    left = sorted(script.items())
    for i in range(round(seconds * fps)):
        while left and left[0][0] <= i / fps:
            actor.hear(left[0][1], left.pop(0)[0])
        actor.frame(i / fps)
    return puppet


def active(values: dict[float, float], least: float) -> tuple[float, float]:
    """From when to when the value was beyond `least`."""
    times = [t for t, value in values.items() if abs(value) > least]
    return times[0], times[-1]


@pytest.mark.parametrize(("request_", "part", "seconds"), [
    ("blink", lids, BLINK_S), ("open_mouth", lips, MOUTH_S),
])
def test_lids_and_lips_move_after_a_moment_and_no_longer_than_they_should(
    request_: str, part: Callable[..., float], seconds: float
) -> None:
    values = played({1.0: request_}).posture(part)
    begun, ended = active(values, 0.01)
    assert begun == pytest.approx(1.0 + REACTION_S, abs=0.09)
    assert ended == pytest.approx(1.0 + REACTION_S + seconds, abs=0.09)
    assert max(values.values()) > 0.95


@pytest.mark.parametrize(("request_", "side"), [("turn_left", 1), ("turn_right", -1)])
def test_turns_go_to_the_own_side_and_back(request_: str, side: int) -> None:
    values = played({1.0: request_}).posture(yaw)
    begun, ended = active(values, 2.0)
    assert begun == pytest.approx(1.0 + REACTION_S, abs=0.1) and ended == pytest.approx(1.0 + REACTION_S + TURN_S, abs=0.1)
    assert max(side * value for value in values.values()) == pytest.approx(TURN_DEG, abs=1.0)
    assert min(side * value for value in values.values()) > -1.0


def test_nothing_is_done_unasked() -> None:
    puppet = played({}, seconds=15)
    assert max(puppet.posture(lids).values()) == max(puppet.posture(lips).values()) == 0
    for value, limit in ((yaw, SWAY.yaw), (lambda pose, b, m: pose.pitch, SWAY.pitch), (lambda pose, b, m: pose.dx, SWAY.dx)):
        moved = [abs(one) for one in puppet.posture(value).values()]
        assert 0.3 * limit < max(moved) <= limit, "sways all the time, within its limits"


@pytest.mark.parametrize("request_", sorted(ALL - {"spontaneous"}))
def test_what_a_body_cannot_do_it_does_not(request_: str) -> None:
    puppet = played({1.0: request_}, can=CALM - {request_})
    assert max(puppet.posture(lids).values()) == max(puppet.posture(lips).values()) == 0
    assert max(abs(one) for one in puppet.posture(yaw).values()) <= SWAY.yaw


def test_who_cannot_turn_blinks_and_opens_the_mouth() -> None:
    puppet = played({1.0: "turn_left", 2.0: "further", 3.0: "blink", 4.0: "open_mouth"}, can=STIFF - {"spontaneous"})
    assert max(abs(one) for one in puppet.posture(yaw).values()) <= SWAY.yaw
    assert max(puppet.posture(lids).values()) > 0.95 and max(puppet.posture(lips).values()) > 0.95


@settings(max_examples=25)
@given(st.text(max_size=12) | st.sampled_from([one.value for one in Coach if one.value not in {*ALL, "look_ahead"}]))
def test_words_that_ask_for_nothing_are_not_acted_on(word: str) -> None:
    if word in ALL:
        return
    puppet = played({0.2: word}, seconds=2, fps=12.5)
    assert max(abs(one) for one in puppet.posture(yaw).values()) <= SWAY.yaw
    assert not any(puppet.posture(lids).values()) and not any(puppet.posture(lips).values())


def test_all_requests_of_the_terminal_have_the_words_of_its_coach() -> None:
    assert {*ALL, "look_ahead", "further", "other_side"} - {"spontaneous"} <= {one.value for one in Coach}


def test_a_request_heard_while_acting_waits_and_a_newer_one_takes_its_place() -> None:
    puppet = played({1.0: "turn_left", 1.6: "open_mouth", 2.0: "blink"})
    assert max(puppet.posture(lips).values()) == 0
    assert active(puppet.posture(lids), 0.01)[0] == pytest.approx(1.0 + REACTION_S + TURN_S, abs=0.1)


def test_looking_ahead_forgets_what_has_not_begun() -> None:
    assert not any(played({1.0: "blink", 1.3: "look_ahead"}).posture(lids).values())


def test_further_is_more_of_the_same_and_the_other_side_is_the_other() -> None:
    more = played({1.0: "turn_left", 2.0: "further"}).posture(yaw)
    assert max(more.values()) > 1.2 * TURN_DEG
    other = played({1.0: "turn_left", 2.0: "other_side"}).posture(yaw)
    assert max(other.values()) > 20 and min(other.values()) < -20
    assert max(abs(one) for one in played({1.0: "further", 3.0: "other_side"}).posture(yaw).values()) < 1, "nothing was asked"


def test_a_little_is_held_until_told_otherwise() -> None:
    values = played({1.0: "a_little_left", 2.0: "hold_still", 4.0: "a_little_right", 6.0: "look_ahead"}, seconds=8).posture(yaw)
    assert [values[t] for t in (1.4, 3.0, 5.4, 7.6)] == pytest.approx([0, 7, -7, 0], abs=1.0)
    steps = [abs(b - a) for a, b in zip(values.values(), list(values.values())[1:], strict=False)]
    assert max(steps) < 2, "nobody jerks the head"


def test_eyes_blink_by_themselves_every_few_seconds() -> None:
    values = played({}, seconds=60, can=ALL, fps=12.5).posture(lids)
    closed = [t for t, value in values.items() if value > 0.3]
    blinks = [b for a, b in zip([-9.0, *closed], closed, strict=False) if b - a > 0.5]
    assert 8 <= len(blinks) <= 25
    assert 2.0 < min(np.diff(blinks)) < max(np.diff(blinks)) < 7.0


def test_time_that_goes_back_counts_as_the_last_one() -> None:
    puppet = Puppet()
    actor = Actor(puppet, np.random.default_rng(0), can=CALM)
    for t in (5.0, 4.0, -1.0):
        actor.frame(t)
    actor.hear("blink", 1.0)
    actor.frame(5.66)
    assert [t for t, *_ in puppet.seen] == [5.0, 5.0, 5.0, 5.66]
    actor.frame(5.72)
    assert max(puppet.posture(lids).values()) > 0.1, "heard at 5, done at 5.5"


def test_the_rate_of_the_frames_does_not_change_when_things_happen() -> None:
    slow, fast = (active(played({1.0: "turn_left"}, fps=fps).posture(yaw), 5.0) for fps in (6.25, 25))
    assert slow == pytest.approx(fast, abs=0.2)


# ------------------------------------------------------------------------------------------- pictures


def frames(performer: Performer, count: int, begin: float = 0.0) -> list[Picture]:
    return [performer.frame(begin + i / 12.5) for i in range(count)]


@pytest.mark.parametrize("person", list(Person))
def test_everybody_is_filmed_and_no_two_pictures_are_equal(person: Person) -> None:
    performer = perform(person, np.random.default_rng(3))
    performer.hear("turn_left", 0.0)
    filmed = [*frames(performer, 12), performer.frame(0.5), performer.frame(0.5)]
    assert all(one.shape == (480, 640, 3) and one.dtype == np.uint8 and one.flags.c_contiguous for one in filmed)
    assert len({one.tobytes() for one in filmed}) == len(filmed)
    infrared = performer.infrared(2.0)
    assert infrared.shape == (480, 640) and infrared.dtype == np.uint8 and infrared.flags.c_contiguous


def test_the_same_seed_gives_the_same_pictures_and_another_gives_others() -> None:
    living = living_portrait(Person.CARDHOLDER)
    one, again, other = (frames(Actor(living, np.random.default_rng(seed)), 3) for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(one, again, strict=True))
    assert not any(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_light_from_one_side_and_too_little_of_it() -> None:
    living = living_portrait(Person.STRANGER)
    even, side, dim = (Actor(living, np.random.default_rng(0), light=light).frame(0.0).astype(float) for light in Light)
    left, right = np.s_[:, 40:120], np.s_[:, 520:600]
    assert side[right].mean() / even[right].mean() > 2.5 * side[left].mean() / even[left].mean()
    assert dim.mean() == pytest.approx(even.mean() / 2, rel=0.05)
    flat = np.s_[20:60, 60:100]
    assert np.diff(dim[flat], axis=1).std() > 1.5 * np.diff(even[flat], axis=1).std(), "a dim picture is noisy"


def test_a_face_takes_the_colour_of_the_screen_and_the_wall_behind_it_does_not() -> None:
    sensor = Sensor(Light.EVEN, np.random.default_rng(0))
    grey = np.full((480, 640, 3), 120, np.uint8)
    sensor.screen = (255, 0, 0)
    lit = sensor.film(grey, 0.0).astype(float) - 120
    assert lit[200:260, 280:360, 0].mean() == pytest.approx(12, abs=1) and abs(lit[200:260, 280:360, 1:].mean()) < 1
    assert abs(lit[:, :20].mean()) < 1
    assert abs(sensor.film(grey, 0.0, gloss=0.02).astype(float).mean() - 120) < 1


# -------------------------------------------------------------------------------------------- attacks


@pytest.mark.parametrize("species", list(Species))
def test_every_attack_moves_as_it_can(species: Species) -> None:
    """Turned sheets look otherwise when the turn is at its height; what cannot turn stays as it was."""
    performer = attack_actor(species, living_portrait(Person.CARDHOLDER), np.random.default_rng(4))
    before = performer.frame(1.0).astype(int)
    performer.hear("turn_right", 1.0)
    performer.frame(1.5)
    moved = np.abs(performer.frame(2.3).astype(int) - before).mean()
    turns = species not in {Species.STILL, Species.SCREEN}
    assert (moved > 12) == turns


@pytest.mark.parametrize(("species", "blinks"), [(Species.CUT_EYES, True), (Species.CUT_EYES_BENT, True), (Species.STILL, False)])
def test_only_holes_for_eyes_blink(species: Species, blinks: bool) -> None:
    eyes = np.s_[195:222, 265:375]
    performer = attack_actor(species, living_portrait(Person.CARDHOLDER), np.random.default_rng(5), reaction_s=0.1)
    before = performer.frame(0.9).astype(int)
    performer.hear("blink", 0.9)
    performer.frame(1.0)
    assert (np.abs(performer.frame(1.16).astype(int) - before)[eyes].mean() > 12) == blinks


def test_a_print_is_jerked_for_want_of_lids() -> None:
    performer = attack_actor(Species.TILTED, living_portrait(Person.CARDHOLDER), np.random.default_rng(6), reaction_s=0.1)
    before = performer.frame(1.0).astype(int)
    performer.hear("open_mouth", 1.0)
    performer.frame(1.1)
    assert np.abs(performer.frame(1.26).astype(int) - before).mean() > 12


def test_the_second_person_comes_with_the_second_request() -> None:
    one, other = (Actor(living_portrait(who), np.random.default_rng(0), can=CALM) for who in (Person.CARDHOLDER, Person.STRANGER))
    swap = Swap(one, other, requests=2, delay_s=0.5)
    swap.hear("look_ahead", 0.5)
    swap.hear(ACTIONS[0], 1.0)
    first = swap.frame(2.0)
    swap.hear(ACTIONS[1], 3.0)
    assert np.abs(swap.frame(3.4).astype(int) - first).mean() < 12
    assert np.abs(swap.frame(3.5).astype(int) - first).mean() > 40
    assert swap.infrared(3.6).shape == (480, 640)
