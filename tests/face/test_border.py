"""Rims of prints and screens are seen, people in rooms with doors are let be, and what shows nothing is not judged."""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np
import pytest

from kiosk.config.face import GateConfig, LivenessConfig
from kiosk.devices.emulated import people
from kiosk.devices.emulated.actor import Actor
from kiosk.devices.emulated.attacks import ACTIONS, Species, attack_actor
from kiosk.devices.emulated.people import Person
from kiosk.devices.emulated.portrait import EYE_PX, ORIGIN_PX
from kiosk.domain.liveness import CheckOutcome, CheckResult
from kiosk.face.align import Grey
from kiosk.face.dlib_engine import DlibEngine
from kiosk.face.engine import Box, Image, Points
from kiosk.face.liveness.border import BorderWatch, Side, find_sides
from kiosk.face.quality import Quality
from kiosk.face.sight import Sight
from kiosk.face.watcher import Watcher

FACE = Box(590, 260, 690, 360)
"""100 px wide: lengths are those of the method."""
EVERY_S = 0.34
FACES = [Person.CARDHOLDER, Person.STRANGER]


def scene(**lines: float) -> Grey:
    """A plain wall with straight edges: darker beyond each."""
    grey = np.full((720, 1280), 140, np.uint8)
    for side, at in lines.items():
        start = round(at)
        match side:
            case "left":
                grey[:, :start] = 60
            case "right":
                grey[:, start:] = 60
            case "top":
                grey[:start] = 60
            case "bottom":
                grey[start:] = 60
    return grey


@pytest.mark.parametrize(
    ("side", "at", "seen"),
    [
        ("left", 500, True), ("left", 440, True), ("left", 420, False), ("left", 591, False), ("left", 620, False),
        ("right", 780, True), ("right", 860, False), ("right", 691, False),
        ("top", 200, True), ("top", 90, False), ("top", 257, False),
        ("bottom", 500, True), ("bottom", 555, True), ("bottom", 570, False), ("bottom", 363, False),
    ],
)
def test_where_a_side_may_be(side: str, at: float, seen: bool) -> None:
    found = find_sides(scene(**{side: at}), FACE)
    assert set(found) == ({Side(side)} if seen else set())
    assert not seen or found[Side(side)] == pytest.approx(at, abs=2)


@pytest.mark.parametrize(("degrees", "seen"), [(0, True), (15, True), (-15, True), (30, False)])
def test_how_far_a_side_may_lean(degrees: float, seen: bool) -> None:
    x, y = np.meshgrid(np.arange(1280), np.arange(720))
    beyond = x - 520 < math.tan(math.radians(degrees)) * (y - 310)
    assert (Side.LEFT in find_sides(np.where(beyond, 60, 140).astype(np.uint8), FACE)) is seen


def test_a_short_edge_is_none() -> None:
    grey = np.full((720, 1280), 140, np.uint8)
    grey[270:350, 400:520] = 60
    assert find_sides(grey, FACE) == {}
    grey[240:360, 400:520] = 60
    assert set(find_sides(grey, FACE)) == {Side.LEFT}


def test_the_nearest_of_several_lines_counts() -> None:
    grey = scene(left=460)
    grey[:, 500:540] = 200
    assert find_sides(grey, FACE)[Side.LEFT] == pytest.approx(540, abs=2)


def test_a_larger_face_has_larger_borders() -> None:
    large = np.asarray(cv2.resize(scene(left=520, bottom=470), (2560, 1440)), dtype=np.uint8)
    found = find_sides(large, Box(1180, 520, 1380, 720))
    assert found == {Side.LEFT: pytest.approx(1040, abs=3), Side.BOTTOM: pytest.approx(940, abs=3)}


def points(x: float, y: float) -> Points:
    return np.full((68, 2), (x, y), dtype=np.float64)


def watched(grey: Callable[[int], Grey], face_dx: Callable[[int], float], looks: int = 12, sides: int = 3) -> CheckResult:
    watch = BorderWatch(LivenessConfig(border_sides=sides))
    for i in range(looks):
        dx = round(face_dx(i))
        box = Box(FACE.left + dx, FACE.top, FACE.right + dx, FACE.bottom)
        watch.see(Sight(i * EVERY_S, np.zeros((1, 1, 3), np.uint8), grey(i), (box,), points(640 + dx, 290), Quality(None)))
    return watch.result()


DOOR = {"left": 520.0, "right": 770.0, "top": 190.0}


def swaying(i: int) -> float:
    return 6 * math.sin(i)


def test_three_sides_round_a_face_that_keeps_still() -> None:
    result = watched(lambda i: scene(**DOOR), lambda i: 0.0)
    assert (result.outcome, result.value, result.limit, result.reason) == (CheckOutcome.FAILED, 3, 3, "straight_border")


def test_the_limit_is_configuration() -> None:
    assert watched(lambda i: scene(**DOOR), lambda i: 0.0, sides=4).outcome is CheckOutcome.PASSED
    two = {"left": 520.0, "right": 770.0}
    assert watched(lambda i: scene(**two), lambda i: 0.0).outcome is CheckOutcome.PASSED
    assert watched(lambda i: scene(**two), lambda i: 0.0, sides=2).outcome is CheckOutcome.FAILED


def test_what_stands_still_while_the_face_moves_is_the_rooms() -> None:
    result = watched(lambda i: scene(**DOOR), swaying)
    assert (result.outcome, result.value) == (CheckOutcome.PASSED, 1)  # the lintel: the face does not go up and down


def test_what_goes_with_the_face_is_the_faces() -> None:
    rim = watched(lambda i: scene(left=520 + swaying(i), right=770 + swaying(i), top=190), swaying)
    assert (rim.outcome, rim.value) == (CheckOutcome.FAILED, 3)


def test_another_line_now_and_then_does_not_hide_that_one_stands_still() -> None:
    result = watched(lambda i: scene(**(DOOR | {"left": 560.0} if i % 4 == 0 else DOOR)), swaying)
    assert (result.outcome, result.value) == (CheckOutcome.PASSED, 1)


@pytest.mark.parametrize(("with_rim", "outcome"), [(7, CheckOutcome.FAILED), (5, CheckOutcome.PASSED)])
def test_most_of_the_looks_decide(with_rim: int, outcome: CheckOutcome) -> None:
    assert watched(lambda i: scene(**DOOR) if i < with_rim else scene(), lambda i: 0.0).outcome is outcome


def test_three_looks_a_second_are_enough() -> None:
    watch = BorderWatch(LivenessConfig())
    bare = Sight(0.0, np.zeros((1, 1, 3), np.uint8), scene(), (), None, Quality(None))
    watch.see(bare)
    assert watch.result().outcome is CheckOutcome.NOT_DONE
    for i in range(25):
        watch.see(Sight(i / 25, bare.rgb, bare.grey, (FACE,), points(640, 290), Quality(None)))
    assert len(watch._looks) == 3
    assert (watch.result().outcome, watch.result().reason) == (CheckOutcome.UNCLEAR, "too_few")
    watch.wipe()
    assert watch.result().outcome is CheckOutcome.NOT_DONE


# --------------------------------------------------------------------------------------------- rendered


def filmed(engine: DlibEngine, frame: Callable[[float], Image], hear: Callable[[str, float], None]) -> CheckResult:
    """Seven seconds: blink, left, right."""
    watcher, watch = Watcher(engine, GateConfig(), 640), BorderWatch(LivenessConfig())
    for i in range(21):
        if i % 7 == 1:
            hear(ACTIONS[i // 7], i * EVERY_S)
        watch.see(watcher.look(i * EVERY_S, np.ascontiguousarray(frame(i * EVERY_S))))
    return watch.result()


@pytest.mark.parametrize("person", FACES)
def test_a_living_person(engine: DlibEngine, person: Person) -> None:
    actor = Actor(people.living_portrait(person), np.random.default_rng(1))
    result = filmed(engine, actor.frame, actor.hear)
    assert result.outcome is CheckOutcome.PASSED and result.value is not None and result.value <= 1


@pytest.mark.parametrize("person", FACES)
@pytest.mark.parametrize("species", [Species.PRINT, Species.SCREEN])
def test_prints_and_telephones(engine: DlibEngine, person: Person, species: Species) -> None:
    actor = attack_actor(species, people.living_portrait(person), np.random.default_rng(1))
    result = filmed(engine, actor.frame, actor.hear)
    assert (result.outcome, result.reason) == (CheckOutcome.FAILED, "straight_border")


def before_a_door(rgb: Image) -> Image:
    """The head of a rendered frame and shoulders before a door frame, 1280x720."""
    room = np.full((720, 1280, 3), 165, np.uint8)
    cv2.rectangle(room, (440, 110), (830, 760), (90, 60, 40), 14)
    room[118:, 448:822] = 95
    x, y = np.meshgrid(np.arange(1280), np.arange(720))
    shoulders = ((x - 640) / 330) ** 2 + ((y - 900) / 290) ** 2 < 1
    room[shoulders] = (70, 75, 90)
    u, v = (x - 320 - ORIGIN_PX[0]) / EYE_PX, (y - 200 - ORIGIN_PX[1]) / EYE_PX
    head = np.clip((1.15 - (u / 1.76) ** 2 - ((v - 0.4) / 2.4) ** 2) / 0.3, 0, 1)[200:680, 320:960, None]
    room[200:680, 320:960] = rgb * head + room[200:680, 320:960] * (1 - head)
    noise = np.random.default_rng(int(rgb[0, 0, 0])).normal(0, 2, room.shape)
    return np.clip(cv2.GaussianBlur(room, (0, 0), 0.8) + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("person", FACES)
def test_somebody_before_a_door(engine: DlibEngine, person: Person) -> None:
    """Jambs and lintel are there in nearly every look; turning the head is enough to tell them from a rim."""
    actor = Actor(people.living_portrait(person), np.random.default_rng(1))
    raw = find_sides(cv2.cvtColor(before_a_door(actor.frame(0.0)), cv2.COLOR_RGB2GRAY).astype(np.uint8), Box(554, 354, 733, 533))
    assert {Side.LEFT, Side.RIGHT, Side.TOP} <= set(raw)
    result = filmed(engine, lambda t: before_a_door(actor.frame(t)), actor.hear)
    assert result.outcome is CheckOutcome.PASSED and result.value is not None and result.value <= 1
