"""Thresholds proposed, refused and denied; the lines for the configuration."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from invented_people import flat_people, visiting_people

from kiosk.config import load_config
from kiosk.config.face import CohortConfig, FaceConfig
from kiosk.face.dlib_engine import DlibEngine
from kiosk.face.site.calibration import Aim, OutOfReach, Proposal, TooFew, calibrate, people_needed
from kiosk.face.site.figures import curve
from kiosk.face.site.folder import Traits
from kiosk.face.site.scoring import mean_distance_trials
from kiosk.face.site.snippet import threshold_set, toml_snippet
from kiosk.face.site.statistics import clopper_pearson

CONFIG = FaceConfig()
EASY = Aim(far=0.02, frr=0.1, frames=1, draws=200)


def proposed(engine: DlibEngine, people: list, aim: Aim = EASY, config: FaceConfig = CONFIG) -> Proposal:  # type: ignore[type-arg]
    found = calibrate(engine, people, config, aim)
    assert isinstance(found, Proposal), found
    return found


@pytest.mark.parametrize("target", [0.001, 0.01, 0.05, 0.3])
def test_people_needed_is_the_least_number_that_shows_a_rate(target: float) -> None:
    needed = people_needed(target)
    assert clopper_pearson(0, needed)[1] <= target < clopper_pearson(0, needed - 1)[1]


def test_bounds_keep_to_the_targets_and_the_next_step_does_not(engine: DlibEngine) -> None:
    people = flat_people(60, apart=0.62, scatter=0.42)
    found = proposed(engine, people)
    assert found.far.upper <= 0.02 and found.frr.upper <= 0.1 and found.pass_max < found.review_max
    assert (found.people, found.held_out) == (40, 20)
    usable = np.random.default_rng(0).permutation(60)
    chosen = [people[number] for number in sorted(usable[20:])]
    around = [round(edge + step, 2) for edge in (found.pass_max, found.review_max) for step in (-0.01, 0, 0.01)]
    again = curve(mean_distance_trials(engine, chosen, 2, 1), sorted(set(around)), 200)
    assert again.at(found.pass_max)[0] == found.far and again.at(around[2])[0].upper > 0.02
    assert again.at(found.review_max)[1] == found.frr and again.at(around[3])[1].upper > 0.1


def test_the_load_is_told_at_one_and_three_attempts(engine: DlibEngine) -> None:
    found = proposed(engine, flat_people(60, apart=0.62, scatter=0.42))
    one, three = found.load[1], found.load[3]
    for load in (one, three):
        assert load.accept + load.review + load.retry == pytest.approx(1)
    assert three.retry <= one.retry and three.accept >= one.accept and 0 < one.review < 1


def test_far_apart_people_need_no_review_band(engine: DlibEngine) -> None:
    found = proposed(engine, flat_people(60, apart=1.2, scatter=0.2))
    assert found.pass_max == found.review_max and found.load[1].accept == 1 and found.far.errors == 0


@pytest.mark.parametrize(("people", "aim", "usable"), [
    (60, Aim(), 60), (29, Aim(far=0.5, frr=0.5), 29), (12, Aim(far=0.5, frr=0.5, normalised=True), 0), (1, Aim(), 1),
])
def test_too_few_people_are_refused_with_the_number_needed(engine: DlibEngine, people: int, aim: Aim, usable: int) -> None:
    found = calibrate(engine, flat_people(people), CONFIG, replace(aim, draws=100))
    assert isinstance(found, TooFew) and found.needed > people and found.people == usable


def test_the_number_asked_for_is_enough(engine: DlibEngine) -> None:
    short = calibrate(engine, flat_people(20, apart=1.2, scatter=0.2), CONFIG, replace(EASY, far=0.005))
    assert isinstance(short, TooFew)
    found = calibrate(engine, flat_people(short.needed, apart=1.2, scatter=0.2), CONFIG, replace(EASY, far=0.005))
    assert isinstance(found, Proposal)
    almost = calibrate(engine, flat_people(short.needed - 2, apart=1.2, scatter=0.2), CONFIG, replace(EASY, far=0.005))
    assert isinstance(almost, TooFew)


def test_pairs_that_do_not_count_do_not_help(engine: DlibEngine) -> None:
    """Men beside women: only half of the pairs are realistic impostors, so more people are needed."""
    alike = [Traits("70-79", "男")] * 60
    mixed = [Traits("70-79", "男" if number % 2 else "女") for number in range(60)]
    aim = replace(EASY, far=0.006, frames=5, templates=3)
    assert isinstance(calibrate(engine, visiting_people(60, apart=1.6, scatter=0.2, traits=alike), CONFIG, aim), Proposal)
    short = calibrate(engine, visiting_people(60, apart=1.6, scatter=0.2, traits=mixed), CONFIG, aim)
    assert isinstance(short, TooFew) and 70 < short.needed < 85


def test_out_of_reach(engine: DlibEngine) -> None:
    people = visiting_people(60)
    moved = [replace(one, probes=other.probes) for one, other in zip(people, people[1:] + people[:1], strict=True)]
    far = calibrate(engine, moved, CONFIG, replace(EASY, far=0.006))
    assert isinstance(far, OutOfReach) and far.target == "far", "everybody's pictures lie in the next one's folder"
    frr = calibrate(engine, flat_people(60, apart=1.1, scatter=0.75), CONFIG, EASY)
    assert isinstance(frr, OutOfReach) and frr.target == "frr" and frr.threshold > 0.55
    swapped = [
        replace(one, probes=people[number ^ 1].probes, traits=Traits(relation_group=f"g{number // 2}"))
        for number, one in enumerate(people)
    ]
    kin = calibrate(engine, swapped, CONFIG, EASY)
    assert isinstance(kin, OutOfReach) and kin.target == "relatives", "everybody is taken for the brother"


def test_relatives_hold_the_threshold_down(engine: DlibEngine) -> None:
    """Everybody has a relative nearer than strangers are."""
    people = visiting_people(60, apart=0.8, scatter=0.3)
    related = []
    for number, one in enumerate(people):
        pull = 0.75 * (people[number ^ 1].gallery.mean(axis=0) - one.gallery.mean(axis=0)) if number % 2 else 0.0
        traits = Traits(relation_group=f"g{number // 2}")
        related.append(replace(one, gallery=one.gallery + pull, probes=one.probes + pull, traits=traits))
    free, held = proposed(engine, people), proposed(engine, related)
    assert held.pass_max < free.pass_max
    kin = mean_distance_trials(engine, related, 2, 1)
    pairs = np.isin(kin.claimed ^ kin.actual, [1])
    assert np.mean(kin.score[pairs] <= held.pass_max) <= 0.01 < np.mean(kin.score[pairs] <= held.pass_max + 0.01)


def test_a_held_out_third_that_does_worse_denies_the_proposal(engine: DlibEngine) -> None:
    people = flat_people(60, apart=1.0, scatter=0.3)
    held_out = sorted(np.random.default_rng(0).permutation(60)[:20])
    for one, other in zip(held_out[::2], held_out[1::2], strict=True):
        people[other] = replace(people[one], gallery=people[one].gallery + 0.01, probes=people[one].probes + 0.01)
    assert not proposed(engine, people).holds


def test_normalised_thresholds_may_be_negative(engine: DlibEngine) -> None:
    config = FaceConfig(cohort=CohortConfig(size_min=10, nearest=10))
    found = proposed(engine, flat_people(60, apart=0.9, scatter=0.3), replace(EASY, normalised=True), config)
    assert found.pass_max < 0 and round(found.pass_max / 0.05, 6) % 1 == 0


@pytest.mark.parametrize("normalised", [False, True])
def test_the_lines_make_a_configuration(engine: DlibEngine, tmp_path: Path, normalised: bool) -> None:
    config = FaceConfig(cohort=CohortConfig(size_min=10, nearest=10))
    found = proposed(engine, flat_people(60, apart=0.9, scatter=0.3), replace(EASY, normalised=normalised), config)
    name = threshold_set("含谷镇\"东", "dlib128-align68-55533b28a958", dt.date(2026, 7, 1), normalised)
    file = tmp_path / "terminal.toml"
    file.write_text('mode = "demo"\n' + toml_snippet(found, name), encoding="utf-8")
    face = load_config(file).face
    assert (face.bands().pass_max, face.bands().review_max) == (found.pass_max, found.review_max)
    assert face.threshold_set == name and face.cohort.enabled is normalised
    assert name.startswith("含谷镇") and "2026-07-01-dlib128-align68" in name and name.endswith("snorm") is normalised


def test_a_long_name_keeps_its_date() -> None:
    name = threshold_set("x" * 80, "dlib128-align68-55533b28a958", dt.date(2026, 7, 1), True)
    assert len(name) == 60 and name.endswith("-2026-07-01-dlib128-align68-snorm")
