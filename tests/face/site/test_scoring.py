"""Scores of whole folders are the scores of the terminal, trial by trial."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from invented_people import flat_people, visiting_people

from kiosk.config.face import CohortConfig
from kiosk.domain.roster import FaceTemplate
from kiosk.face.base import FaceBase
from kiosk.face.cohort import Cohort
from kiosk.face.dlib_engine import DlibEngine
from kiosk.face.engine import Vectors
from kiosk.face.matching import mean_distance
from kiosk.face.site.samples import Sample
from kiosk.face.site.scoring import blocks_of, mean_distance_trials, windows


def templates(engine: DlibEngine, vectors: Vectors) -> list[FaceTemplate]:
    return [FaceTemplate(engine.id, tuple(vector)) for vector in vectors]


def of_pair(trials: object, claimed: int, actual: int) -> np.ndarray:
    return trials.score[(trials.claimed == claimed) & (trials.actual == actual)]  # type: ignore[attr-defined]


def test_every_run_of_pictures_serves_as_templates() -> None:
    assert windows(4, 2, shared=True) == [(0, 1), (0, 3), (1, 2), (2, 3)]
    assert windows(3, 3, shared=False) == [(0, 1, 2)] and windows(3, 3, shared=True) == []
    assert windows(2, 3, shared=False) == [] and windows(0, 1, shared=False) == []


def test_blocks_are_full_and_of_one_visit() -> None:
    blocks = blocks_of(visiting_people(2, visits=(5, 7)), frames=3)
    assert blocks.rows.tolist() == [[0, 1, 2], [5, 6, 7], [8, 9, 10], [12, 13, 14], [17, 18, 19], [20, 21, 22]]
    assert blocks.owner.tolist() == [0, 0, 0, 1, 1, 1] and len(blocks.probes) == 24


def test_scores_are_mean_distances(engine: DlibEngine) -> None:
    people = visiting_people(3)
    trials = mean_distance_trials(engine, people, templates=2, frames=5)
    for claimed, actual in itertools.product(range(3), repeat=2):
        blocks = [people[actual].probes[:5], people[actual].probes[5:10]]
        chosen = [people[claimed].gallery[list(one)] for one in ((0, 1), (0, 2), (1, 2))]
        wanted = [mean_distance(engine, list(block), templates(engine, one)) for block in blocks for one in chosen]
        assert of_pair(trials, claimed, actual) == pytest.approx(wanted)


def test_no_picture_is_compared_with_itself(engine: DlibEngine) -> None:
    people = flat_people(3, pictures=4)
    trials = mean_distance_trials(engine, people, templates=3, frames=5)
    for person in range(3):
        own = of_pair(trials, person, person)
        pictures = people[person].gallery
        left_out = [(3, (0, 1, 2)), (0, (1, 2, 3)), (1, (0, 2, 3)), (2, (0, 1, 3))]
        wanted = [mean_distance(engine, [pictures[one]], templates(engine, pictures[list(rest)])) for one, rest in left_out]
        assert sorted(own) == pytest.approx(sorted(wanted))
        assert len(of_pair(trials, person, (person + 1) % 3)) == 16, "all four pictures against all four runs"


def test_people_without_pictures_take_no_part(engine: DlibEngine) -> None:
    nobody = np.empty((0, 0))
    people = visiting_people(3)
    people[1] = replace(people[1], gallery=nobody)
    people[2] = replace(people[2], probes=nobody, visits=())
    trials = mean_distance_trials(engine, people, templates=1, frames=5)
    assert set(zip(trials.claimed.tolist(), trials.actual.tolist(), strict=True)) == {(0, 0), (0, 1), (2, 0), (2, 1)}
    empty = Sample("S9", nobody, nobody, (), False, nobody, people[0].traits)
    assert not len(mean_distance_trials(engine, [empty, empty], 1, 5).score)


@pytest.mark.parametrize("nearest", [5, 12, 100])
def test_normalised_scores_are_those_of_the_cohort(engine: DlibEngine, nearest: int) -> None:
    """Of everybody but the claimed and the one who stands there."""
    config = CohortConfig(size_min=10, nearest=nearest)
    people = visiting_people(14)
    people[13] = replace(people[13], gallery=np.empty((0, 0)))
    trials = mean_distance_trials(engine, people, templates=3, frames=5, cohort=config)
    for claimed, actual in ((0, 0), (0, 1), (5, 3), (12, 12), (2, 13)):
        enrolled = [templates(engine, one.gallery) for one in people]
        if actual != claimed:
            enrolled[actual] = []
        cohort = Cohort(engine, FaceBase.of(engine.id, enrolled), config, exclude_owner=claimed)
        mine = templates(engine, people[claimed].gallery)
        blocks = (people[actual].probes[:5], people[actual].probes[5:10])
        wanted = [cohort.normalised(list(block), mine) for block in blocks]
        assert of_pair(trials, claimed, actual) == pytest.approx(wanted, abs=1e-4), "float32 in the base"


def test_too_few_people_are_not_normalised(engine: DlibEngine) -> None:
    config = CohortConfig(size_min=10)
    assert not len(mean_distance_trials(engine, flat_people(11), 1, 1, config).score)
    assert len(mean_distance_trials(engine, flat_people(12), 1, 1, config).score)
