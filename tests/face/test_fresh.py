"""Recordings and hanging feeds are told from living people, who never look twice the same."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.config.face import LivenessConfig
from kiosk.devices.emulated import people
from kiosk.devices.emulated.actor import Actor
from kiosk.devices.emulated.people import Person
from kiosk.devices.emulated.warp import FPS
from kiosk.domain.liveness import CheckOutcome, CheckResult
from kiosk.face.align import Grey, to_grey
from kiosk.face.engine import Box, Image
from kiosk.face.liveness.fresh import FreshWatch, find_loop, thumbnail
from kiosk.face.quality import Quality
from kiosk.face.sight import Sight

BOX = Box(230, 150, 410, 330)
NO_COLOUR = np.zeros((1, 1, 3), np.uint8)
FACES = [Person.CARDHOLDER, Person.STRANGER]
Turn = Callable[[float], float]


def sight(t: float, grey: Grey, faces: tuple[Box, ...] = (BOX,)) -> Sight:
    return Sight(t, NO_COLOUR, grey, faces, np.zeros((68, 2)) if faces else None, Quality(None))


def watched(pictures: Sequence[Grey], fps: float = FPS, frozen_s: float = 1.0) -> CheckResult:
    watch = FreshWatch(LivenessConfig(frozen_s=frozen_s))
    for i, grey in enumerate(pictures):
        watch.see(sight(100.0 + i / fps, grey))
    return watch.result()


def noise(count: int, seed: int = 0) -> list[Grey]:
    rng = np.random.default_rng(seed)
    return [rng.integers(100, 130, (120, 160), dtype=np.uint8) for _ in range(count)]


def test_never_twice_the_same() -> None:
    result = watched(noise(60))
    assert (result.outcome, result.value, result.limit, result.reason) == (CheckOutcome.PASSED, 0.0, 1.0, "")


def test_one_picture_that_comes_again() -> None:
    pictures = noise(30)
    pictures[20] = pictures[5].copy()
    result = watched(pictures)
    assert (result.outcome, result.reason) == (CheckOutcome.FAILED, "repeated")
    assert result.value == pytest.approx(15 / FPS)


@pytest.mark.parametrize(("again", "outcome"), [(13, CheckOutcome.PASSED), (14, CheckOutcome.FAILED)])
def test_a_feed_that_hangs(again: int, outcome: CheckOutcome) -> None:
    """A camera may give a picture two or three times; for a second none of a person stays the same."""
    pictures = noise(10)
    result = watched([*pictures[:5], *[pictures[5]] * again, *pictures[6:]])
    assert result.outcome is outcome
    assert result.reason == ("frozen" if outcome is CheckOutcome.FAILED else "")
    assert result.value == pytest.approx((again - 1) / FPS)


def test_one_level_in_one_pixel_is_a_change() -> None:
    still = np.full((120, 160), 90, np.uint8)
    pictures = []
    for i in range(40):
        pictures.append(still.copy())
        pictures[-1][4 * (i // 30), 4 * (i % 30)] += 1
    assert watched(pictures).outcome is CheckOutcome.PASSED


@pytest.mark.parametrize("step", [0.0, -0.04])
def test_a_clock_that_does_not_go_on(step: float) -> None:
    watch = FreshWatch(LivenessConfig())
    for t, grey in zip([1.0, 1.08, 1.08 + step, 1.3], noise(4), strict=True):
        watch.see(sight(t, grey))
    assert watch.result().outcome is CheckOutcome.FAILED and watch.result().reason == "time"


def test_pictures_without_a_face_may_be_black() -> None:
    watch = FreshWatch(LivenessConfig())
    black = np.zeros((120, 160), np.uint8)
    for i, grey in enumerate(noise(40)):
        watch.see(sight(i / FPS, grey) if i % 20 < 4 else sight(i / FPS, black, ()))
    assert watch.result().outcome is CheckOutcome.PASSED


def test_without_pictures_nothing_is_said() -> None:
    watch = FreshWatch(LivenessConfig())
    assert watch.result().outcome is CheckOutcome.NOT_DONE
    for i, grey in enumerate(noise(4)):
        watch.see(sight(i / FPS, grey))
    assert (watch.result().outcome, watch.result().reason) == (CheckOutcome.UNCLEAR, "too_few")


def test_another_picture_size_breaks_nothing() -> None:
    watch = FreshWatch(LivenessConfig())
    for i, grey in enumerate(noise(40)):
        watch.see(sight(i / FPS, np.asarray(cv2.resize(grey, (640, 480))) if i > 20 else grey, (Box(40, 30, 90, 80),)))
    assert watch.result().outcome is CheckOutcome.PASSED


def test_nothing_is_kept_after_wiping_nor_for_longer_than_needed() -> None:
    watch = FreshWatch(LivenessConfig())
    for i, grey in enumerate(noise(30)):
        watch.see(sight(i * 5.0, grey))
    kept = [thumb for _, thumb in watch._thumbs]
    assert len(kept) == 10 and kept[0].any()
    watch.wipe()
    assert not any(thumb.any() for thumb in kept) and not watch._thumbs and not watch._known


@settings(max_examples=40)
@given(order=st.lists(st.integers(0, 11), min_size=5, max_size=40))
def test_any_order_of_pictures(order: list[int]) -> None:
    """It fails as soon as one comes again after another, or stays for a second; and only then."""
    pictures = noise(12)
    runs = [(one, len(list(run))) for one, run in itertools.groupby(order)]
    again = len({one for one, _ in runs}) < len(runs)
    stayed = any((length - 1) / FPS >= 1 for _, length in runs)
    assert (watched([pictures[i] for i in order]).outcome is CheckOutcome.FAILED) == (again or stayed)


# ------------------------------------------------------------------------------------------------ loops


def still(t: float) -> float:
    return 0.0


def trembling(t: float) -> float:
    """4.7 Hz, as regular as no hand or head is."""
    return 1.5 * math.sin(2 * math.pi * 4.7 * t)


def turning(t: float) -> float:
    """The same turn again and again."""
    return 22 * math.sin(math.pi * (t % 4) / 1.6) ** 0.8 if t % 4 < 1.6 else 0.0


class Swaying:
    """The person of a clip, moved from side to side as well: thumbnails cannot tell that from a head that turns."""

    def __init__(self, person: Person, motion: Turn) -> None:
        self._actor = Actor(people.living_portrait(person), np.random.default_rng(2))
        self._motion = motion

    def at(self, t: float) -> Image:
        frame = self._actor.frame(t)
        shift = np.array([[1.0, 0, self._motion(t)], [0, 1, 0]])
        return np.asarray(cv2.warpAffine(frame, shift, frame.shape[1::-1], borderMode=cv2.BORDER_REPLICATE))


def filmed(pictures: Iterator[Image] | Sequence[Image], seed: int) -> list[Grey]:
    """Filmed or compressed anew: the noise is another one, the light flickers."""
    rng = np.random.default_rng(seed)
    made = []
    for i, picture in enumerate(pictures):
        noisy = np.clip(picture * (1 + 0.01 * math.sin(i)) + rng.normal(0, 2, picture.shape), 0, 255).astype(np.uint8)
        jpeg = cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, 75])[1]
        made.append(np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_GRAYSCALE), dtype=np.uint8))
    return made


@pytest.mark.parametrize("motion", [still, trembling, turning])
@pytest.mark.parametrize("person", FACES)
def test_living_people_are_no_loop(person: Person, motion: Turn) -> None:
    swaying = Swaying(person, motion)
    pictures = [to_grey(swaying.at(i / FPS)) for i in range(110)]
    assert watched(pictures).outcome is CheckOutcome.PASSED


@pytest.mark.parametrize("person", FACES)
def test_a_loop_filmed_anew(person: Person) -> None:
    swaying = Swaying(person, turning)
    once = [swaying.at(i / FPS) for i in range(50)]
    result = watched(filmed(once * 2, seed=1))
    assert (result.outcome, result.reason) == (CheckOutcome.FAILED, "loop")
    assert result.value == pytest.approx(4.0, abs=0.05)


def wandering(seed: int = 3) -> Callable[[float], np.ndarray]:
    """Thumbnails that move slowly and never the same way, by time."""
    rng = np.random.default_rng(seed)
    speed, phase = rng.uniform(0.2, 4.0, (2, 12)) * [[1], [2]]
    weight = rng.normal(0, 1.5, (48, 12))
    return lambda t: np.asarray(weight @ np.sin(speed * t + phase))


@settings(max_examples=30, deadline=None)
@given(fps=st.floats(10, 30), length=st.floats(1.6, 4.0), dropped=st.floats(0, 0.3), seed=st.integers(0, 1000))
def test_a_loop_is_found_at_any_frame_rate(fps: float, length: float, dropped: float, seed: int) -> None:
    """Also with frames missing here and there. A clip that is only seen once is none."""
    rng = np.random.default_rng(seed)
    at = wandering(seed)
    times = np.arange(0, 2 * length + 1.0, 1 / fps)
    times = times[rng.random(len(times)) >= dropped]
    looped = np.array([at(t % length) for t in times]) + rng.normal(0, 0.05, (len(times), 48))
    once = np.array([at(t) for t in times]) + rng.normal(0, 0.05, (len(times), 48))
    lag = find_loop(times, looped)
    assert lag is not None and lag / length == pytest.approx(round(lag / length), abs=0.05)
    assert find_loop(times, once) is None


def test_a_loop_has_to_last() -> None:
    at = wandering()
    times = np.arange(0, 8, 0.04)
    for again_s, found in ((1.0, False), (1.6, True)):
        shown = np.where((times > 5) & (times < 5 + again_s), times - 4, times)
        assert (find_loop(times, 3 * np.array([at(t) for t in shown])) is not None) is found


def test_at_rest_everything_is_alike_and_proves_nothing() -> None:
    times = np.arange(0, 8, 0.04)
    assert find_loop(times, np.random.default_rng(0).normal(100, 0.3, (len(times), 48))) is None


def test_flickering_light_is_no_motion() -> None:
    picture = noise(1)[0]
    bright, dim = thumbnail(picture), thumbnail(np.asarray(picture * 0.5, dtype=np.uint8))
    assert np.abs(bright - dim).max() < 1.5 and bright.mean() == pytest.approx(128)
