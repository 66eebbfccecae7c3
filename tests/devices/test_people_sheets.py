"""Sheets of paper and screens: where their points lie, what a camera can measure on them, how they are seen."""

from __future__ import annotations

import numpy as np
import pytest

from kiosk.devices.emulated.attacks import Species, attack_actor, render_species
from kiosk.devices.emulated.figures import living_portrait
from kiosk.devices.emulated.people import Person
from kiosk.devices.emulated.portrait import EYE_PX, ORIGIN_PX, Pose, project
from kiosk.devices.emulated.sheets import Shape, Sheet, Surface, bent, room
from kiosk.devices.emulated.warp import HALF_X, HALF_Y, Plane, drawn, sources

X, Y = (one.ravel() for one in np.meshgrid(np.linspace(-1, 1, 21), np.linspace(-1, 2, 31)))


def yaw_ratio(pose: Pose, surface: Surface, radius: float) -> float:
    """Of a symmetric face printed on the sheet: eyes half a unit beside the nasion, tip of the nose below it."""
    eyes = [(c + dx, y) for c in (-0.5, 0.5) for dx, y in (
        (-0.22, 0.06), (-0.08, 0.0), (0.08, 0.0), (0.22, 0.06), (0.08, 0.12), (-0.08, 0.12))]
    x, y = np.array([*eyes, (0.0, 0.57)]).T
    px, _ = project(bent(x, y, surface, radius), pose)
    left, right, tip = px[:6].mean(), px[6:12].mean(), px[12]
    return float(((tip - left) - (right - tip)) / (right - left))


@pytest.mark.parametrize(("surface", "radius", "yaw", "expected"), [
    (Surface.FLAT, 1.2, 25, 0.0246), (Surface.FLAT, 1.2, 40, 0.0351),
    (Surface.UPRIGHT_BEND, 1.2, 25, 0.1290), (Surface.UPRIGHT_BEND, 1.2, 40, 0.2224),
    (Surface.UPRIGHT_BEND, 2.0, 25, 0.0870), (Surface.UPRIGHT_BEND, 2.0, 40, 0.1472),
    (Surface.LYING_BEND, 1.5, 25, 0.1134), (Surface.LYING_BEND, 1.5, 40, 0.1941),
])
def test_how_much_a_turned_sheet_looks_like_a_turned_head(surface: Surface, radius: float, yaw: float, expected: float) -> None:
    """A head changes by 0.6 to 1.1 there."""
    assert yaw_ratio(Pose(yaw=yaw), surface, radius) == pytest.approx(expected, abs=0.012)
    assert yaw_ratio(Pose(), surface, radius) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("surface", [Surface.UPRIGHT_BEND, Surface.LYING_BEND])
def test_paper_is_bent_but_not_stretched(surface: Surface) -> None:
    x, y, z = bent(X.reshape(31, 21), Y.reshape(31, 21), surface, 1.5)
    axis, flat = (1, X) if surface is Surface.UPRIGHT_BEND else (0, Y)
    steps = np.sqrt(np.diff(x, axis=axis) ** 2 + np.diff(y, axis=axis) ** 2 + np.diff(z, axis=axis) ** 2)
    assert steps == pytest.approx(0.1 * np.ones_like(steps), rel=0.01)
    assert flat.size == x.size and z.max() <= 1e-12  # bent away from the camera


def test_waves_and_saddles() -> None:
    _, _, wave = bent(X, Y, Surface.WAVE, 1.2)
    assert wave.max() == pytest.approx(0.18, abs=0.002) and wave[X == 0] == pytest.approx(0)
    at = lambda x, y: float(bent(np.array(x), np.array(y), Surface.SADDLE, 1.5)[2])  # noqa: E731
    assert at(1.0, 0.5) == pytest.approx(-0.3) and at(0.0, 1.5) == pytest.approx(0.4 / 1.5)


@pytest.mark.parametrize("surface", list(Surface))
def test_rendered_pictures_lie_where_the_surface_says(surface: Surface) -> None:
    """A dot on the paper is found where its place is projected to."""
    pose, place = Pose(yaw=45, pitch=12, roll=8, dx=10, dy=-6, zoom=1.2), (-0.5, 0.9)
    x, y = (HALF_X - ORIGIN_PX[0]) / EYE_PX, (HALF_Y - ORIGIN_PX[1]) / EYE_PX
    px, py = project(bent(x, y, surface, 1.5), pose)
    paper = np.zeros((480, 640, 3), np.uint8)
    column, row = (round(o + EYE_PX * p) for o, p in zip(ORIGIN_PX, place, strict=True))
    paper[row - 2 : row + 3, column - 2 : column + 3] = 255
    frame = drawn(paper, sources(px - HALF_X, py - HALF_Y))[..., 0].astype(float)
    rows, columns = np.mgrid[0:480, 0:640]
    found = (frame * columns).sum() / frame.sum(), (frame * rows).sum() / frame.sum()
    exact = np.array([(column - ORIGIN_PX[0]) / EYE_PX]), np.array([(row - ORIGIN_PX[1]) / EYE_PX])
    wanted = [float(one[0]) for one in project(bent(*exact, surface, 1.5), pose)]
    assert found == pytest.approx(wanted, abs=0.2)


def test_a_sheet_that_breathes_changes_its_bend() -> None:
    sheet = Sheet(living_portrait(Person.CARDHOLDER).face, Shape(Surface.UPRIGHT_BEND, 1.3, breathes=True))
    near, far = sheet.render(Pose(yaw=30), t=0.0), sheet.render(Pose(yaw=30), t=0.75)
    assert np.abs(near.astype(int) - far).mean() > 3
    assert np.array_equal(near, sheet.render(Pose(yaw=30), t=0.0))


def straightness(species: Species) -> tuple[Plane, Plane]:
    """RGB and infrared of what is held up, as a camera gives it."""
    actor = attack_actor(species, living_portrait(Person.CARDHOLDER), np.random.default_rng(2))
    rgb, infrared = actor.pair(0.5)
    return rgb.astype(float).mean(axis=2), infrared.astype(float)


def test_a_print_has_a_white_rim_and_a_telephone_a_black_one_in_a_room() -> None:
    print_, _ = straightness(Species.PRINT)
    phone, dark = straightness(Species.SCREEN)
    row = slice(230, 240)
    left = slice(150, 215)  # the rim crosses these columns, somewhat askew
    assert print_[row, left].mean(axis=0).max() > 220
    assert phone[row, left].mean(axis=0).min() < 40
    assert dark[200:300, 190:280].max() < 40, "a screen is dark in infrared"
    assert dark[:40].mean() > 60, "the room is not"


def test_a_room_has_no_hard_edge() -> None:
    grey = room(np.random.default_rng(0)).astype(float).mean(axis=2)
    assert max(np.abs(np.diff(grey, axis=0)).max(), np.abs(np.diff(grey, axis=1)).max()) < 8


def test_a_clip_is_the_same_for_the_same_seed_and_never_shows_a_picture_twice() -> None:
    living = living_portrait(Person.CARDHOLDER)
    one, again = (list(render_species(living.face.still, living.face.points, Species.TILTED, 5, 3.0)) for _ in range(2))
    assert len(one) == round(3.0 * 12.5)
    assert all(np.array_equal(a, b) for a, b in zip(one, again, strict=True))
    assert max(np.abs(frame.astype(int) - one[0]).mean() for frame in one) > 12, "it follows what is asked"
    assert len({frame.tobytes() for frame in one}) == len(one)
