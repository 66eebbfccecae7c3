"""More people than photographs: how far from the original they end up, for the recogniser and for the eye."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from kiosk.devices.emulated.figures import stranger, subjects
from kiosk.devices.emulated.people import Person, living_portrait
from kiosk.devices.emulated.strangers import estranged
from kiosk.devices.emulated.warp import Picture
from kiosk.face.dlib_engine import DlibEngine
from kiosk.face.engine import Vector

SEEDS = range(4)


@pytest.fixture(scope="module")
def engine() -> DlibEngine:
    return DlibEngine()


def vector(engine: DlibEngine, picture: Picture) -> Vector:
    return engine.embed(picture, engine.detect(picture)[0])


@pytest.mark.parametrize(("base", "k", "least", "most"), [
    (Person.STRANGER, 1.0, 0.31, 0.56), (Person.STRANGER, 2.0, 0.42, 0.67),
    (Person.CARDHOLDER, 1.0, 0.15, 0.47), (Person.CARDHOLDER, 2.0, 0.26, 0.63),
])
def test_strangers_are_as_far_away_as_k_says(engine: DlibEngine, base: Person, k: float, least: float, most: float) -> None:
    original = vector(engine, living_portrait(base).face.still)
    found = [one for seed in SEEDS if (one := stranger(base, seed, k))]
    assert len(found) >= 3, "at most one in four loses the face"
    vectors = [vector(engine, one.face.still) for one in found]
    away = [float(np.linalg.norm(one - original)) for one in vectors]
    assert least - 0.03 <= min(away) and max(away) <= most + 0.03
    assert min(float(np.linalg.norm(a - b)) for a, b in combinations(vectors, 2)) > 0.13 * k


def test_a_stranger_is_the_same_every_time_and_nearly_oneself_without_any_change() -> None:
    face = living_portrait(Person.CARDHOLDER).face
    assert np.array_equal(estranged(face, 3, 1.0), estranged(face, 3, 1.0))
    assert not np.array_equal(estranged(face, 3, 1.0), estranged(face, 4, 1.0))


def test_subjects_begin_with_the_two_of_the_photographs() -> None:
    found = list(subjects([(Person.CARDHOLDER, 1, 1.0), (Person.STRANGER, 1, 1.0)]))
    assert found[:2] == [living_portrait(Person.CARDHOLDER), living_portrait(Person.STRANGER)]
    assert len(found) == 4 and found[2] is stranger(Person.CARDHOLDER, 1, 1.0)
