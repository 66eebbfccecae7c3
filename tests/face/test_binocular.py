"""Two eyes on the exact model face, and on rendered pairs: living heads, prints flat and bent, a screen, bad pairs."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_face import template

from kiosk.config.face import LivenessConfig
from kiosk.devices.emulated import infrared
from kiosk.devices.emulated.actor import Body
from kiosk.devices.emulated.people import Person, living_portrait
from kiosk.devices.emulated.portrait import BINOCULAR, UNIT_MM, Pose, head_surface, project
from kiosk.devices.emulated.sheets import TELEPHONE, WHITE_PAPER, HeldUp, Shape, Sheet, Surface, bent, room
from kiosk.devices.emulated.warp import Picture, drawn
from kiosk.domain.coaching import Coach
from kiosk.domain.liveness import CheckOutcome, CheckResult
from kiosk.face.align import Grey, to_grey
from kiosk.face.dlib_engine import DlibEngine
from kiosk.face.engine import Box, Image, Points
from kiosk.face.liveness.binocular import Binocular, Look, ReliefWatch, binocular_watches, relief, residuals
from kiosk.face.quality import Quality
from kiosk.face.sight import Sight

LIMITS = LivenessConfig()
SKEW_S = 0.04
PAIRS = 7
FACES = (Person.CARDHOLDER, Person.STRANGER)


# --- the measure itself -------------------------------------------------------------------------------------------


def both_eyes(surface: Points, pose: Pose, baseline: float = BINOCULAR) -> tuple[Points, Points]:
    """Exact points of a surface (3, 68) in both pictures."""
    one, other = (np.stack(project(surface, pose, seen_from), axis=1) for seen_from in (0.0, baseline))
    return one, other


def living() -> Points:
    return head_surface(*template().T)


def sheet(surface: Surface = Surface.FLAT, radius: float = 1.2) -> Points:
    return bent(*template().T, surface, radius)


AHEAD = Pose()


def exact(surface: Points, pose: Pose = AHEAD, baseline: float = BINOCULAR) -> float:
    return relief(np.array([residuals(*both_eyes(surface, pose, baseline))] * 5))


poses = st.builds(
    Pose, yaw=st.floats(-15, 15), pitch=st.floats(-12, 12), roll=st.floats(-12, 12), dx=st.floats(-80, 80),
    dy=st.floats(-40, 40), zoom=st.floats(0.7, 1.5),
)


@given(pose=poses, baseline=st.floats(0.2, 1.5))
def test_a_flat_sheet_has_no_relief_however_it_is_held(pose: Pose, baseline: float) -> None:
    assert exact(sheet(), pose, baseline) < 1e-9


@given(pose=poses)
def test_a_head_has_relief_however_it_is_held(pose: Pose) -> None:
    assert exact(living(), pose) > 2 * LIMITS.pair_relief_min * pose.zoom


def test_relief_by_distance_and_baseline() -> None:
    """60 and 25 mm at 50 cm, and 60 mm at 35 and 70 cm. Grows with the baseline, and falls with the distance."""
    cases = [(60, 0.50), (25, 0.50), (60, 0.35), (60, 0.70)]
    measured = [exact(living(), Pose(zoom=0.504 / z), mm / UNIT_MM) for mm, z in cases]
    assert measured == pytest.approx([0.0277, 0.0115, 0.0413, 0.0192], abs=0.0005)


@pytest.mark.parametrize(
    ("surface", "radius", "value"),
    [
        (Surface.UPRIGHT_BEND, 0.8, 0.0113), (Surface.UPRIGHT_BEND, 1.0, 0.0091), (Surface.UPRIGHT_BEND, 1.5, 0.0060),
        (Surface.UPRIGHT_BEND, 2.0, 0.0045), (Surface.LYING_BEND, 1.5, 0.0055), (Surface.WAVE, 1.0, 0.0029),
        (Surface.SADDLE, 1.0, 0.0086),
    ],
)
def test_a_bent_sheet_is_no_plane_either(surface: Surface, radius: float, value: float) -> None:
    """Exact points at 50 cm, radius in u. Nearer and tighter than that, a wrapped print passes the plane alone."""
    assert exact(sheet(surface, radius)) == pytest.approx(value, abs=0.0003)


@given(
    scale=st.floats(0.3, 3), turn=st.floats(-0.2, 0.2), dx=st.floats(-500, 500), dy=st.floats(-500, 500),
    enlarged=st.floats(0.3, 3),
)
def test_size_turn_and_offset_of_the_second_camera_do_not_matter(
    scale: float, turn: float, dx: float, dy: float, enlarged: float
) -> None:
    one, other = both_eyes(living(), Pose(yaw=3, pitch=-2))
    cos, sin = math.cos(turn), math.sin(turn)
    moved = scale * other @ np.array([[cos, sin], [-sin, cos]]) + [dx, dy]
    plain, changed = residuals(one, other), residuals(enlarged * one, moved)
    assert np.linalg.norm(changed, axis=1) == pytest.approx(np.linalg.norm(plain, axis=1), abs=1e-9)


@pytest.mark.parametrize("noise", [0.005, 0.02, 0.05])
def test_noise_alone_is_no_relief(noise: float) -> None:
    """Up to twice as strong as a head itself, in every pair anew: it is taken off as it is measured."""
    rng = np.random.default_rng(1)
    one, other = both_eyes(sheet(), AHEAD)
    reliefs, raw = [], []
    for _ in range(50):
        pairs = np.array([residuals(one, other + 85 * noise * rng.standard_normal(other.shape)) for _ in range(8)])
        reliefs.append(relief(pairs))
        raw.append(np.sqrt(np.mean(pairs[..., 0].mean(axis=0) ** 2)))
    assert np.mean(raw) == pytest.approx(noise / np.sqrt(8), rel=0.2), "what would be taken for relief"
    assert np.count_nonzero(reliefs) <= 2


def test_noise_does_not_hide_a_head() -> None:
    rng = np.random.default_rng(1)
    one, other = both_eyes(living(), AHEAD)
    pairs = np.array([residuals(one, other + rng.standard_normal(other.shape)) for _ in range(8)])
    assert relief(pairs) == pytest.approx(exact(living()), rel=0.05)


@pytest.mark.parametrize(("axis", "outcome"), [(0, CheckOutcome.PASSED), (1, CheckOutcome.UNCLEAR)])
def test_points_that_move_up_and_down_are_not_well_seen(
    engine: DlibEngine, axis: int, outcome: CheckOutcome
) -> None:
    """As when a landmark jumps from the brow to the rim of the glasses in one of the pictures."""
    one, other = both_eyes(living(), AHEAD)
    other[::2, axis] += 0.11 * 85
    binocular = Binocular(engine, LIMITS, SKEW_S)
    binocular.paired = True
    binocular.looks = [Look(150.0, "", residuals(one, other))] * 5
    assert ReliefWatch(binocular, LIMITS).result().outcome is outcome


# --- rendered pairs -----------------------------------------------------------------------------------------------


class StrongPrint(Sheet):
    """Ink that stays as black in infrared as it is in daylight, as toner does."""

    def infrared(
        self, pose: Pose, blink: float = 0.0, mouth: float = 0.0, t: float = 0.0, seen_from: float = BINOCULAR
    ) -> Picture:
        return drawn(infrared.skin(self._face.acting(blink, mouth)), self._sources(pose, t, seen_from))


class Display(Sheet):
    """A screen that fills the frame."""

    def infrared(
        self, pose: Pose, blink: float = 0.0, mouth: float = 0.0, t: float = 0.0, seen_from: float = BINOCULAR
    ) -> Picture:
        return infrared.glass(self._face.still)


@dataclass
class Shaky:
    """The engine with points that shake, each picture's in its own way."""

    engine: DlibEngine
    noise_px: float
    rng: np.random.Generator
    _shaken: deque[tuple[Image, Points]] = field(default_factory=lambda: deque(maxlen=4))

    @property
    def id(self) -> str:
        return self.engine.id

    def detect(self, rgb: Image, faint: bool = False) -> list[Box]:
        return self.engine.detect(rgb)

    def landmarks(self, rgb: Image, box: Box) -> Points:
        offset = next((one for picture, one in self._shaken if picture is rgb), None)
        if offset is None:
            offset = self.noise_px * self.rng.standard_normal((68, 2))
            self._shaken.append((rgb, offset))
        return self.engine.landmarks(rgb, box) + offset

    def embed(self, rgb: Image, box: Box) -> Points:
        return self.engine.embed(rgb, box)

    def distances(self, live: Points, enrolled: Points) -> Points:
        return self.engine.distances(live, enrolled)


def pairs(
    engine: DlibEngine, body: Body, seed: int = 0, mm: float = 60, metres: float = 0.5, width: int | None = None,
    count: int = PAIRS,
) -> Iterator[Sight]:
    """Of somebody who sways. `width`: of both frames of a 70 degree lens; None: as rendered, 940 of such a lens."""
    rng = np.random.default_rng(seed)
    scale = 1.0 if width is None else width / 2 / math.tan(math.radians(35)) / 680
    for i in range(count):
        yaw, pitch, roll, dx, dy = rng.normal(0, [2, 1.5, 1, 2, 2])
        pose = Pose(yaw, pitch, roll, dx, dy, zoom=0.504 / metres)
        rgb = filmed(body.render(pose), scale, rng)
        ir = filmed(body.infrared(pose, seen_from=mm / UNIT_MM), scale, rng)  # type: ignore[call-arg]
        faces = tuple(engine.detect(rgb))
        assert faces, "the colour picture must show a face"
        t = 100 + i / 4
        yield Sight(t, rgb, to_grey(rgb), faces, engine.landmarks(rgb, faces[0]), Quality(None), 1, ir, t + 0.01)


def filmed(picture: Picture, scale: float, rng: np.random.Generator) -> Picture:
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    scaled = picture if scale == 1 else np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=how))
    noisy = scaled + 2 * rng.standard_normal(scaled.shape, dtype=np.float32)
    return np.ascontiguousarray(np.clip(noisy, 0, 255), dtype=np.uint8)


def judged(
    engine: DlibEngine | Shaky, sights: Sequence[Sight] | Iterator[Sight], limits: LivenessConfig = LIMITS
) -> tuple[CheckResult, CheckResult]:
    """Infrared and relief."""
    watches = binocular_watches(engine, limits, SKEW_S)
    for one in sights:
        for watch in watches:
            watch.see(one)
    return watches[0].result(), watches[1].result()


def said(result: CheckResult) -> tuple[CheckOutcome, str]:
    return result.outcome, result.reason


PASSED = (CheckOutcome.PASSED, "")


@pytest.fixture(scope="module")
def living_pairs(engine: DlibEngine) -> tuple[Sight, ...]:
    return tuple(pairs(engine, living_portrait(Person.STRANGER)))


@pytest.mark.parametrize("person", FACES)
@pytest.mark.parametrize("metres", [0.35, 0.5])
def test_a_living_face(engine: DlibEngine, person: Person, metres: float) -> None:
    there, deep = judged(engine, pairs(engine, living_portrait(person), metres=metres))
    assert said(there) == PASSED and there.value is not None and there.value > 100
    assert said(deep) == PASSED and deep.value is not None


@pytest.mark.parametrize("person", FACES)
@pytest.mark.parametrize("print_of", [Sheet, StrongPrint])
def test_a_flat_print_is_flat(engine: DlibEngine, person: Person, print_of: type[Sheet]) -> None:
    there, deep = judged(engine, pairs(engine, print_of(living_portrait(person).face), metres=0.4, count=9))
    assert said(there) == PASSED, "in infrared alone a print is there"
    assert said(deep) == (CheckOutcome.FAILED, "flat")
    assert deep.value is not None and deep.value < 0.6 * LIMITS.pair_relief_min, "as pale as it is in infrared"


def test_a_small_print_in_a_room_is_flat(engine: DlibEngine) -> None:
    face = living_portrait(Person.STRANGER).face
    held = HeldUp(lambda t: face.still, WHITE_PAPER, room(np.random.default_rng(1)))
    assert said(judged(engine, pairs(engine, held))[1]) == (CheckOutcome.FAILED, "flat")


def test_a_tightly_wrapped_print_defeats_the_plane(engine: DlibEngine) -> None:
    """And is there in infrared, if its ink is: what is left against it are the other checks."""
    wrapped = StrongPrint(living_portrait(Person.CARDHOLDER).face, Shape(Surface.UPRIGHT_BEND, 0.8))
    there, deep = judged(engine, pairs(engine, wrapped, metres=0.35))
    assert (said(there), said(deep)) == (PASSED, PASSED)


@pytest.mark.parametrize("fills", [True, False])
def test_a_screen_is_dark(engine: DlibEngine, fills: bool) -> None:
    face = living_portrait(Person.CARDHOLDER).face
    shown = Display(face) if fills else HeldUp(lambda t: face.still, TELEPHONE, room(np.random.default_rng(1)), lit=True)
    there, deep = judged(engine, pairs(engine, shown, count=5))
    assert there.outcome is CheckOutcome.FAILED and there.reason == ("dark" if fills else "no_face_ir")
    assert said(deep) == (CheckOutcome.UNCLEAR, "too_few")


@pytest.mark.parametrize("noise_px", [0.7, 1.5])
def test_points_that_shake(engine: DlibEngine, noise_px: float) -> None:
    """Noise makes no print a head; too much of it, and nothing is said."""
    shaky = Shaky(engine, noise_px, np.random.default_rng(3))
    face = living_portrait(Person.STRANGER)
    deep = judged(shaky, pairs(engine, StrongPrint(face.face), metres=0.4))[1]
    assert deep.outcome is not CheckOutcome.PASSED
    deep = judged(shaky, pairs(engine, face, metres=0.4))[1]
    assert deep.outcome is not CheckOutcome.FAILED


@pytest.mark.parametrize("size", [(320, 240), (1280, 960), (640, 360)])
def test_the_infrared_camera_may_have_another_resolution(
    engine: DlibEngine, living_pairs: Sequence[Sight], size: tuple[int, int]
) -> None:
    def other(ir: Grey) -> Grey:
        cut = ir[60:420] if size[1] == 360 else ir  # both show the same width of the world
        return np.ascontiguousarray(cv2.resize(cut, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)

    there, deep = judged(engine, [replace(one, ir=other(one.ir)) for one in living_pairs if one.ir is not None])
    assert (said(there), said(deep)) == (PASSED, PASSED)


def shifted(sights: Sequence[Sight], widths_right: float, widths_down: float) -> list[Sight]:
    """The infrared pictures moved, in widths of the face."""
    moved = []
    for one in sights:
        assert one.ir is not None and one.face is not None
        by = np.array([[1, 0, widths_right * one.face.width], [0, 1, widths_down * one.face.width]])
        size = (one.ir.shape[1], one.ir.shape[0])
        moved.append(replace(one, ir=np.asarray(cv2.warpAffine(one.ir, by, size, borderMode=cv2.BORDER_REPLICATE), np.uint8)))
    return moved


@pytest.mark.parametrize(("right", "down"), [(-0.55, 0.0), (0.4, 0.4)], ids=["beside", "below"])
def test_a_face_somewhere_else_is_not_aligned(
    engine: DlibEngine, living_pairs: Sequence[Sight], right: float, down: float
) -> None:
    there, deep = judged(engine, shifted(living_pairs, right, down))
    assert said(there) == (CheckOutcome.FAILED, "not_aligned")
    assert said(deep) == (CheckOutcome.UNCLEAR, "too_few")


def test_either_eye_may_be_the_left_one(engine: DlibEngine, living_pairs: Sequence[Sight]) -> None:
    assert said(judged(engine, shifted(living_pairs, 0.8, 0.0))[0]) == PASSED


def test_nobody_in_infrared(engine: DlibEngine, living_pairs: Sequence[Sight]) -> None:
    empty = [replace(one, ir=np.full((480, 640), 120, np.uint8)) for one in living_pairs]
    assert said(judged(engine, empty)[0]) == (CheckOutcome.FAILED, "no_face_ir")


def test_too_dark_in_infrared(engine: DlibEngine, living_pairs: Sequence[Sight]) -> None:
    """Found, because a detector looks at contrast, but darker than skin is."""
    dim = [replace(one, ir=np.asarray(one.ir * 0.14, np.uint8)) for one in living_pairs if one.ir is not None]
    there = judged(engine, dim)[0]
    assert said(there) == (CheckOutcome.FAILED, "dark")
    assert there.value is not None and there.limit is not None and there.value < there.limit
    assert said(judged(engine, dim, LivenessConfig(infrared_min=10))[0]) == PASSED


def test_one_look_in_four_may_miss(engine: DlibEngine, living_pairs: Sequence[Sight]) -> None:
    empty = np.full((480, 640), 120, np.uint8)

    def missing(count: int) -> CheckResult:
        return judged(engine, [replace(one, ir=empty) if i < count else one for i, one in enumerate(living_pairs[:4])])[0]

    assert missing(1).outcome is CheckOutcome.PASSED and missing(2).outcome is CheckOutcome.FAILED


def test_without_infrared_nothing_is_done(engine: DlibEngine, living_pairs: Sequence[Sight]) -> None:
    alone = [replace(one, ir=None) for one in living_pairs]
    assert [one.outcome for one in judged(engine, alone)] == [CheckOutcome.NOT_DONE] * 2


def test_pictures_of_different_moments_are_no_pair(engine: DlibEngine, living_pairs: Sequence[Sight]) -> None:
    for late in (0.05, -0.05):
        apart = [replace(one, t_ir=one.t + late) for one in living_pairs]
        assert [one.outcome for one in judged(engine, apart)] == [CheckOutcome.NOT_DONE] * 2


def test_few_pairs_are_not_enough(engine: DlibEngine, living_pairs: Sequence[Sight]) -> None:
    there, deep = judged(engine, living_pairs[:4])
    assert said(there) == PASSED and said(deep) == (CheckOutcome.UNCLEAR, "too_few")
    there, deep = judged(engine, living_pairs[:2])
    assert [said(there), said(deep)] == [(CheckOutcome.UNCLEAR, "too_few")] * 2


def test_only_usable_pictures_are_looked_at(engine: DlibEngine, living_pairs: Sequence[Sight]) -> None:
    turned = [replace(one, quality=Quality(Coach.TURNED)) for one in living_pairs]
    assert [said(one) for one in judged(engine, turned)] == [(CheckOutcome.UNCLEAR, "too_few")] * 2


def test_four_looks_a_second(engine: DlibEngine, living_pairs: Sequence[Sight]) -> None:
    """At once twice as many pairs, in the same time, are no more looks."""
    dense = [replace(one, t=100 + i / 8, t_ir=100 + i / 8) for i, one in enumerate([*living_pairs[:4], *living_pairs[:4]])]
    assert said(judged(engine, dense)[1]) == (CheckOutcome.UNCLEAR, "too_few")


def test_wipe_forgets_all(engine: DlibEngine, living_pairs: Sequence[Sight]) -> None:
    there, deep = binocular_watches(engine, LIMITS, SKEW_S)
    for one in living_pairs[:5]:
        there.see(one)
    assert deep.result().outcome is CheckOutcome.PASSED
    there.wipe()
    assert deep.result().value is None


@pytest.mark.long
@pytest.mark.parametrize("width", [640, 1280])
@pytest.mark.parametrize(("mm", "metres"), [(60, 0.35), (60, 0.5), (25, 0.35)])
def test_the_table(engine: DlibEngine, width: int, mm: float, metres: float) -> None:
    """No flat print passes anywhere; living faces do at 60 mm up to half a metre."""
    for person in FACES:
        face = living_portrait(person)
        for seed in range(3):
            for print_of in (Sheet, StrongPrint):
                flat = judged(engine, pairs(engine, print_of(face.face), seed, mm, metres, width, 9))[1]
                assert flat.outcome is not CheckOutcome.PASSED, (person, print_of, flat)
            alive = judged(engine, pairs(engine, face, seed, mm, metres, width, 9))[1]
            assert mm < 60 or said(alive) == PASSED, (person, seed, alive)
