"""S-norm: what it computes, when it refuses to, and that a cohort of other people does harm."""

from __future__ import annotations

import logging
import math

import numpy as np
import numpy.typing as npt
import pytest

from kiosk.config.face import CohortConfig, FaceConfig
from kiosk.domain.decision import FaceEvidence, IdentifiedBy, Outcome, decide
from kiosk.domain.liveness import Action, Check, CheckOutcome, CheckResult, LivenessReport, Profile
from kiosk.domain.roster import FaceTemplate
from kiosk.face import cohort as room
from kiosk.face.base import FaceBase
from kiosk.face.cohort import Cohort
from kiosk.face.dlib_engine import DlibEngine
from kiosk.face.matching import mean_distance

Floats = npt.NDArray[np.float64]
SMALL = CohortConfig(size_min=10, nearest=5)


def base_of(engine: DlibEngine, vectors: Floats) -> FaceBase:
    """One template a person."""
    return FaceBase(engine.id, vectors.astype(np.float32), np.arange(len(vectors)))


def templates_of(engine: DlibEngine, *vectors: Floats) -> list[FaceTemplate]:
    return [FaceTemplate(engine.id, tuple(vector.tolist())) for vector in vectors]


def strangers(count: int, seed: int = 0) -> Floats:
    return np.random.default_rng(seed).normal(size=(count, 4)).astype(np.float32).astype(np.float64)


def test_the_formula(engine: DlibEngine) -> None:
    others = strangers(20)
    live, enrolled = [np.array([1.0, 0, 0, 0]), np.array([1.2, 0, 0, 0])], [np.array([1.0, 0.5, 0, 0]), np.zeros(4)]
    score = Cohort(engine, base_of(engine, others), SMALL, None).normalised(live, templates_of(engine, *enrolled))
    distance = np.mean([np.linalg.norm(e - t) for e in live for t in enrolled])
    halves = []
    for side in (live, enrolled):
        near = sorted(np.mean([np.linalg.norm(one - other) for one in side]) for other in others)[:5]
        halves.append((distance - np.mean(near)) / np.std(near))
    assert score == pytest.approx(sum(halves) / 2)


def test_the_person_is_no_stranger_to_himself(engine: DlibEngine) -> None:
    others, own = strangers(20), np.full(4, 0.1)
    templates = templates_of(engine, own)
    without = Cohort(engine, base_of(engine, others), SMALL, None).normalised([own], templates)
    among = base_of(engine, np.insert(others, 7, own, axis=0))
    assert Cohort(engine, among, SMALL, 7).normalised([own], templates) == pytest.approx(without)
    assert Cohort(engine, among, SMALL, None).normalised([own], templates) != pytest.approx(without)


@pytest.mark.parametrize(("people", "owner", "told"), [(10, None, True), (9, None, False), (10, 3, False), (11, 3, True)])
def test_with_too_few_other_people_nothing_is_said(engine: DlibEngine, people: int, owner: int | None, told: bool) -> None:
    score = Cohort(engine, base_of(engine, strangers(people)), SMALL, owner).normalised(
        [np.zeros(4)], templates_of(engine, np.zeros(4)))
    assert math.isnan(score) is not told


def test_nothing_to_compare_or_nobody_to_compare_with_is_no_number(engine: DlibEngine) -> None:
    cohort, templates = Cohort(engine, base_of(engine, strangers(20)), SMALL, None), templates_of(engine, np.zeros(4))
    assert math.isnan(cohort.normalised([], templates)) and math.isnan(cohort.normalised([np.zeros(4)], []))
    assert math.isnan(cohort.normalised([np.zeros(4)], [FaceTemplate("another", (0.0,) * 4)]))
    assert math.isnan(Cohort(engine, None, SMALL, None).normalised([np.zeros(4)], templates))
    alike = base_of(engine, np.ones((20, 4)))
    assert math.isnan(Cohort(engine, alike, SMALL, None).normalised([np.zeros(4)], templates)), "no spread, no unit"


def test_templates_of_another_engine_change_nothing(engine: DlibEngine) -> None:
    cohort, mine = Cohort(engine, base_of(engine, strangers(20)), SMALL, None), templates_of(engine, np.ones(4))
    foreign = FaceTemplate("another", (5.0,) * 4)
    assert cohort.normalised([np.zeros(4)], [foreign, *mine]) == cohort.normalised([np.zeros(4)], mine)


def test_what_cannot_be_normalised_goes_to_an_officer(engine: DlibEngine) -> None:
    """Never to the thresholds of the plain distance, by which it would pass."""
    bands = FaceConfig.model_validate({"cohort": {"enabled": True, "pass_max": -3.0, "review_max": -1.0}}).bands()
    seen = tuple(CheckResult(check, CheckOutcome.PASSED) for check in Check)
    report = LivenessReport(Profile.PAPER, "00", (Action.TURN_LEFT, Action.TURN_RIGHT, Action.BLINK), seen, 9.0)
    templates, live = templates_of(engine, np.zeros(4), np.zeros(4)), [np.zeros(4)]
    raw = mean_distance(engine, live, templates)
    for people, outcome in ((9, Outcome.MANUAL_REVIEW), (20, Outcome.PASSED)):
        score = Cohort(engine, base_of(engine, 3 + strangers(people)), SMALL, None).normalised(live, templates)
        evidence = FaceEvidence(score, 5, 2, report, engine.id, raw_distance=raw)
        assert decide(evidence, bands, IdentifiedBy.CARD) is outcome


def test_the_warning_is_logged_once(engine: DlibEngine, caplog: pytest.LogCaptureFixture) -> None:
    room._warn_once.cache_clear()
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            Cohort(engine, None, SMALL, None)
    (record,) = caplog.records
    assert "4.5 to 7.5-10.7 %)" in record.getMessage()


# ------------------------------------------------------------------------------------------ does it help?

PEOPLE, DIMENSIONS = 80, 32


def equal_error_rate(genuine: Floats, impostor: Floats) -> float:
    limits = np.sort(np.concatenate([genuine, impostor]))
    accepted = np.searchsorted(np.sort(impostor), limits, side="right") / len(impostor)
    rejected = 1 - np.searchsorted(np.sort(genuine), limits, side="right") / len(genuine)
    at = int(np.argmin(np.abs(accepted - rejected)))
    return float(accepted[at] + rejected[at]) / 2


def village(rng: np.random.Generator) -> Floats:
    """People who stand apart from the rest more or less: those in the middle are taken for each other."""
    return rng.uniform(0.5, 1.3, size=(PEOPLE, 1)) * rng.normal(size=(PEOPLE, DIMENSIONS))


def another_country(rng: np.random.Generator) -> Floats:
    """Far off in a quarter of the dimensions, and more alike than the village."""
    away = np.zeros(DIMENSIONS)
    away[: DIMENSIONS // 4] = 3.0
    return away + 0.5 * rng.normal(size=(PEOPLE, DIMENSIONS))


def photographed(people: Floats, rng: np.random.Generator) -> Floats:
    return people + 0.8 * rng.normal(size=people.shape)


@pytest.mark.parametrize("seed", range(3))
def test_a_cohort_of_the_same_people_helps_and_one_of_others_harms(engine: DlibEngine, seed: int) -> None:
    rng = np.random.default_rng(seed)
    people, neighbours, others = village(rng), village(rng), another_country(rng)
    enrolled, live = photographed(people, rng), photographed(people, rng)
    config = CohortConfig(size_min=30, nearest=30)
    matched, mismatched = (
        Cohort(engine, base_of(engine, photographed(cohort, rng)), config, None) for cohort in (neighbours, others)
    )
    own = np.eye(PEOPLE, dtype=bool)

    def rate(scores: Floats) -> float:
        return equal_error_rate(scores[own], scores[~own])

    def normalised(cohort: Cohort) -> Floats:
        return np.array([
            [cohort.normalised([one], templates_of(engine, other)) for other in enrolled] for one in live
        ])

    plain = rate(engine.distances(live, enrolled))
    assert rate(normalised(matched)) < 0.85 * plain < plain < rate(normalised(mismatched))
