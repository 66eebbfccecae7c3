"""The colours of the screen are found in a face that throws them back in their order, and in nothing else."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.config.face import FlashConfig, GateConfig
from kiosk.devices.emulated import people
from kiosk.devices.emulated.actor import Actor
from kiosk.devices.emulated.people import Person
from kiosk.devices.emulated.portrait import Pose
from kiosk.devices.emulated.warp import FPS
from kiosk.domain.coaching import FlashPlan
from kiosk.domain.liveness import CheckOutcome, CheckResult
from kiosk.face.dlib_engine import DlibEngine
from kiosk.face.engine import Image, Points
from kiosk.face.liveness.flash import FlashCheck, Series, Times, response, skin_colour, strip_colour
from kiosk.face.quality import Quality
from kiosk.face.sight import Sight
from kiosk.face.watcher import Watcher

CONFIG = FlashConfig(enabled=True)
SEEDS = range(60)
TIMES: Times = np.arange(50) / FPS
SKIN, STRIPS = np.array([195.0, 140.0, 115.0]), np.array([120.0, 110.0, 105.0])


def plan(seed: int) -> FlashPlan:
    return FlashCheck(CONFIG, random.Random(seed)).plan()


def shown(at: Times, colours: FlashPlan) -> Series:
    """0 or 1 a channel; grey before and after."""
    steps = np.floor(at / colours.step_s).astype(int)
    inside = (steps >= 0) & (steps < len(colours.colours))
    table = np.array(colours.colours) / 255
    return np.where(inside[:, None], table[np.clip(steps, 0, len(table) - 1)], 0.0)


def series(modulation: float, colours: FlashPlan | None, seed: int, late: float = 0.12) -> tuple[Series, Series]:
    """Skin and strips in a room: exposure hunts by 3 %, lamps flicker, white balance takes back 60 % of the play of colours.

    The noise is that of landmarks and sensor in rendered clips of the younger face: 0.04 % in each channel.
    """
    rng = np.random.default_rng(seed)
    light = shown(TIMES - late, colours) if colours else np.zeros((len(TIMES), 3))
    play = light - 0.6 * (light - light.mean(axis=1, keepdims=True))
    hunting = 1 + 0.03 * np.interp(TIMES, np.arange(0, 5, 0.5), rng.normal(0, 1, 10))
    flicker = 1 + 0.01 * np.sin(2 * np.pi * rng.uniform(0.5, 5) * TIMES)
    room = (hunting * flicker)[:, None]
    noise = rng.normal(1, 0.0004, (2, len(TIMES), 3))
    return SKIN * (1 + modulation * play) * room * noise[0], STRIPS * room * noise[1]


def responses(modulation: float, other: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Correlations and amplitudes."""
    seen = [response(TIMES, *series(modulation, plan(seed), seed), plan(seed + 1000 if other else seed)) for seed in SEEDS]
    return np.array([one.correlation for one in seen]), np.array([one.amplitude for one in seen])


@pytest.mark.parametrize(
    ("modulation", "found", "amplitude"),
    [(0.002, (0.0, 0.45), 0.0018), (0.005, (0.8, 1.0), 0.0045), (0.01, (1.0, 1.0), 0.009), (0.02, (1.0, 1.0), 0.018),
     (0.05, (1.0, 1.0), 0.043), (0.25, (1.0, 1.0), 0.19)],
)
def test_the_table_of_modulations(modulation: float, found: tuple[float, float], amplitude: float) -> None:
    correlation, seen = responses(modulation)
    assert found[0] <= (correlation > 0.75).mean() <= found[1]
    assert np.median(seen) == pytest.approx(amplitude, rel=0.15)


def test_another_sequence_does_not_fit() -> None:
    """Recorded faces, however brightly they were lit."""
    for modulation in (0.02, 0.25):
        correlation, _ = responses(modulation, other=True)
        assert correlation.max() < 0.75


def test_without_light_there_is_nothing_to_find() -> None:
    correlation, amplitude = responses(0.0)
    assert correlation.max() < 0.75 and amplitude.max() < 0.005


@given(seed=st.integers(0, 500), late=st.floats(0.0, 0.40), fps=st.floats(10, 30))
def test_screen_and_camera_may_be_late(seed: int, late: float, fps: float) -> None:
    times = np.arange(0, 4.0, 1 / fps)
    colours = plan(seed)
    skin = SKIN * (1 + 0.1 * shown(times - late, colours))
    seen = response(times, skin, np.tile(STRIPS, (len(times), 1)), colours)
    assert seen.correlation > 0.75 and seen.amplitude > 0.1
    assert response(times - 1.0, skin, np.tile(STRIPS, (len(times), 1)), colours).correlation < seen.correlation


def test_light_that_changes_everywhere_is_not_the_screens() -> None:
    skin, _ = series(0.25, plan(1), 1)
    assert response(TIMES, skin, skin * 0.7, plan(1)).amplitude < 1e-9


def test_colours_that_drift_do_not_matter() -> None:
    """White balance finds its way, the sun comes out: slower than the screen."""
    skin, strips = series(0.02, plan(2), 2)
    drift = 1 + 0.1 * np.array([1.0, 0.0, -1.0]) * ((TIMES - 1) ** 2 / 4)[:, None]
    assert response(TIMES, skin * drift, strips, plan(2)).correlation > 0.75


def test_every_sequence_is_drawn_anew() -> None:
    plans = [plan(seed).colours for seed in range(300)]
    assert len(set(plans)) == 300
    assert all(len(one) == 9 and all(a != b for a, b in pairwise(one)) for one in plans)
    counts = Counter(colour for one in plans for colour in one)
    assert len(counts) == 6 and min(counts.values()) > 350
    assert all(0 < sum(colour) < 3 * 255 and set(colour) == {0, 255} for colour in counts)
    check = FlashCheck(CONFIG, random.Random(4))
    assert check.plan() == check.plan() == plan(4)
    assert check.plan().step_s == 0.4 and check.seconds == pytest.approx(4.0)


# ------------------------------------------------------------------------------------------- the check


@pytest.fixture(scope="module")
def face(engine: DlibEngine) -> tuple[Image, Points]:
    rgb = people.living_portrait(Person.CARDHOLDER).render(Pose())
    return rgb, engine.landmarks(rgb, engine.detect(rgb)[0])


def checked(sights: Sequence[Sight], begin: float | None = 0.0, seed: int = 3) -> CheckResult:
    check = FlashCheck(CONFIG, random.Random(seed))
    if begin is not None:
        check.begin(begin)
    for one in sights:
        check.see(one)
    return check.result()


def tinted(
    face: tuple[Image, Points], modulation: float, colours: FlashPlan, *, gain: float = 1.0, start: float = 0.0
) -> list[Sight]:
    """The face in the middle of the frame takes on the screen's colours. The grain stays: means are finer than grey levels."""
    rgb, points = face
    grain = np.random.default_rng(0).normal(0, 2, rgb.shape)
    made = []
    for i in range(52):
        lit = rgb * gain * np.ones(3)
        lit[:, 100:540] *= 1 + modulation * shown(np.array([i / FPS - 0.1]), colours)[0]
        picture = np.clip(lit + grain, 0, 255).astype(np.uint8)
        made.append(sight_of(start + i / FPS, picture, points))
    return made


def sight_of(t: float, rgb: Image, points: Points | None) -> Sight:
    return Sight(t, rgb, rgb[..., 1], (), points, Quality(None))


def test_a_face_that_follows(face: tuple[Image, Points]) -> None:
    result = checked(tinted(face, 0.1, plan(3)))
    assert (result.outcome, result.reason, result.limit) == (CheckOutcome.PASSED, "", 0.75)
    assert result.value is not None and result.value > 0.9


def test_a_recording_of_another_time(face: tuple[Image, Points]) -> None:
    result = checked(tinted(face, 0.1, plan(8)))
    assert (result.outcome, result.reason) == (CheckOutcome.FAILED, "wrong_colours")


@pytest.mark.parametrize("modulation", [0.0, 0.002, 0.006])
def test_sunlight_and_screens(face: tuple[Image, Points], modulation: float) -> None:
    """Follows the order, as a tablet does, but by far less than skin; or the room outshines the kiosk."""
    result = checked(tinted(face, modulation, plan(3)))
    assert (result.outcome, result.reason, result.limit) == (CheckOutcome.UNCLEAR, "no_response", 0.015)


def test_a_face_too_bright_to_follow(face: tuple[Image, Points]) -> None:
    result = checked(tinted(face, 0.1, plan(3), gain=1.6))
    assert (result.outcome, result.reason) == (CheckOutcome.UNCLEAR, "too_bright")


def test_what_was_not_shown_or_seen(face: tuple[Image, Points]) -> None:
    sights = tinted(face, 0.1, plan(3))
    assert checked(sights, begin=None).outcome is CheckOutcome.NOT_DONE
    few = checked(sights[:26])
    assert (few.outcome, few.reason) == (CheckOutcome.UNCLEAR, "too_few")
    gone = checked([one if i % 2 else sight_of(one.t, one.rgb, None) for i, one in enumerate(sights)])
    assert gone.reason == "too_few"
    before_and_after = tinted(face, 0.5, plan(8), start=-5.0) + sights + tinted(face, 0.5, plan(8), start=4.2)
    assert checked(before_and_after).outcome is CheckOutcome.PASSED


def test_a_second_beginning_forgets_the_first(face: tuple[Image, Points]) -> None:
    check = FlashCheck(CONFIG, random.Random(3))
    check.begin(0.0)
    for one in tinted(face, 0.1, plan(8)):
        check.see(one)
    check.begin(10.0)
    for one in tinted(face, 0.1, plan(3), start=10.0):
        check.see(one)
    assert check.result().outcome is CheckOutcome.PASSED
    check.wipe()
    assert check.result().reason == "too_few"


def test_skin_is_without_eyes_and_mouth(face: tuple[Image, Points]) -> None:
    _, points = face
    rgb = np.zeros((480, 640, 3), np.uint8)
    rgb[:, :] = (180, 120, 90)
    assert skin_colour(rgb, points) == pytest.approx((180, 120, 90))
    for hole in (slice(36, 42), slice(42, 48), slice(48, 60)):
        inner = 0.7 * points[hole] + 0.3 * points[hole].mean(axis=0)
        cv2.fillConvexPoly(rgb, cv2.convexHull(inner.round().astype(np.int32)), (0, 0, 0))
    assert skin_colour(rgb, points) == pytest.approx((180, 120, 90), abs=1)


def test_strips_are_the_outer_tenths() -> None:
    rgb = np.full((480, 640, 3), 7, np.uint8)
    rgb[:, :60], rgb[:, 580:] = (10, 20, 30), (30, 40, 50)
    assert strip_colour(rgb) == pytest.approx((20, 30, 40))


@pytest.mark.parametrize("person", [Person.CARDHOLDER, Person.STRANGER])
@pytest.mark.parametrize(("reflected", "expected"), [(0.12, CheckOutcome.PASSED), (0.0, CheckOutcome.UNCLEAR)])
def test_living_people_before_the_screen(engine: DlibEngine, person: Person, reflected: float, expected: CheckOutcome) -> None:
    """Swaying and blinking, with points found in every frame; in the sun nothing comes back."""
    actor, watcher = Actor(people.living_portrait(person), np.random.default_rng(6)), Watcher(engine, GateConfig(), 640)
    check = FlashCheck(CONFIG, random.Random(6))
    actor.sensor.reflected = reflected
    colours = check.plan()
    check.begin(0.0)
    for i in range(52):
        t = i / FPS
        step = int((t - 0.15) // colours.step_s)
        actor.sensor.screen = colours.colours[step] if 0 <= step < len(colours.colours) else (0, 0, 0)
        check.see(watcher.look(t, actor.frame(t)))
    assert check.result().outcome is expected, check.result()
