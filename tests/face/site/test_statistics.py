"""Error rates against published vectors, closed forms and what must hold for any scores."""

from __future__ import annotations

import itertools
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kiosk.face.site.figures import curve
from kiosk.face.site.statistics import (
    Trials,
    clopper_pearson,
    crossing,
    eer,
    identity_bootstrap,
    interval,
    rates,
    tally,
)

GRID = (0.3, 0.4, 0.42, 0.5, 0.6)
scores = arrays(np.float64, st.integers(1, 40), elements=st.floats(0, 1.5, width=32))


@st.composite
def some_trials(draw: st.DrawFn) -> Trials:
    people = draw(st.integers(2, 6))
    size = draw(st.integers(people, 60))
    number = st.integers(0, people - 1)
    claimed, actual = (np.array(draw(st.lists(number, min_size=size, max_size=size)), np.int64) for _ in range(2))
    return Trials(people, claimed, actual, draw(arrays(np.float64, size, elements=st.floats(0.25, 0.75, width=16))))


# ------------------------------------------------------------------------------------------ exact intervals


@pytest.mark.parametrize(("errors", "trials", "low", "high"), [
    (0, 12_421, 0, 0.0297), (5, 12_421, 0.0131, 0.0939), (41, 933, 3.1717, 5.9146),
    (0, 150, 0, 2.4293), (10, 200, 2.4234, 9.0028), (20, 200, 6.2159, 15.0213),
])
def test_clopper_pearson_two_sided(errors: int, trials: int, low: float, high: float) -> None:
    bounds = clopper_pearson(errors, trials)
    assert [round(100 * bound, 4) for bound in bounds] == [low, high]


@pytest.mark.parametrize(("trials", "high"), [(30, 9.503), (150, 1.977), (300, 0.994)])
def test_clopper_pearson_one_sided(trials: int, high: float) -> None:
    assert round(100 * clopper_pearson(0, trials, one_sided=True)[1], 3) == high


def test_clopper_pearson_at_its_ends() -> None:
    assert clopper_pearson(0, 0) == (0.0, 1.0), "nothing tried, nothing known"
    assert clopper_pearson(7, 7)[1] == 1.0 and clopper_pearson(7, 7)[0] > 0.5
    with pytest.raises(ValueError, match="between"):
        clopper_pearson(3, 2)


@given(st.integers(1, 3000), st.data())
def test_clopper_pearson_contains_the_estimate(trials: int, data: st.DataObject) -> None:
    errors = data.draw(st.integers(0, trials))
    low, high = clopper_pearson(errors, trials)
    assert 0 <= low <= errors / trials <= high <= 1
    assert clopper_pearson(errors, trials, one_sided=True)[1] <= high
    mirrored = clopper_pearson(trials - errors, trials)
    assert (1 - mirrored[1], 1 - mirrored[0]) == pytest.approx((low, high), abs=1e-9)


# ------------------------------------------------------------------------------------------ rates and EER


def test_a_score_at_the_threshold_is_accepted() -> None:
    far, frr = rates(np.array([0.42, 0.43]), np.array([0.42, 0.41, 0.9]), np.array([0.42]))
    assert far[0] == pytest.approx(2 / 3) and frr[0] == 0.5


@given(scores, scores)
def test_rates_are_monotone_shares(genuine: np.ndarray, impostor: np.ndarray) -> None:
    thresholds = np.linspace(-0.1, 1.6, 40)
    far, frr = rates(genuine, impostor, thresholds)
    assert (np.diff(far) >= 0).all() and (np.diff(frr) <= 0).all()
    assert far[0] == 0 and far[-1] == 1 and frr[0] == 1 and frr[-1] == 0


@given(scores, scores)
def test_eer_lies_where_the_rates_cross(genuine: np.ndarray, impostor: np.ndarray) -> None:
    found = eer(genuine, impostor)
    everything = np.concatenate([genuine, impostor])
    under = everything[everything <= found.threshold].max()
    over = everything[everything >= found.threshold].min()
    far, frr = rates(genuine, impostor, np.array([np.nextafter(under, -1) if under == over else under, over]))
    assert far[0] - 1e-12 <= found.rate <= far[1] + 1e-12
    assert frr[1] - 1e-12 <= found.rate <= frr[0] + 1e-12


@pytest.mark.parametrize("apart", [1.0, 2.0, 3.5])
def test_eer_of_two_normal_distributions(apart: float) -> None:
    """Closed form: two unit normals that far apart have an EER of Φ(-apart / 2), halfway."""
    quantiles = np.array([NormalDist().inv_cdf((i + 0.5) / 20_000) for i in range(20_000)])
    found = eer(quantiles, quantiles + apart)
    assert found.rate == pytest.approx(NormalDist().cdf(-apart / 2), abs=1e-4)
    assert found.threshold == pytest.approx(apart / 2, abs=1e-3)


def test_eer_of_separate_and_of_missing_scores() -> None:
    assert eer(np.array([0.1, 0.2]), np.array([0.5, 0.6])).rate == 0
    assert eer(np.array([0.9, 0.8]), np.array([0.1, 0.2])).rate == 1
    assert np.isnan(eer(np.array([]), np.array([0.5])).rate) and np.isnan(eer(np.array([0.5]), np.array([])).rate)
    assert np.isnan(crossing(np.array([0.0]), np.array([0.5]), np.array([0.4])).rate), "they do not meet in sight"


# ------------------------------------------------------------------------------------------ bootstrap


def by_hand(trials: Trials, threshold: float, weights: np.ndarray) -> tuple[float, float]:
    """The formulas once more, comparison by comparison."""
    frr, far = [0.0, 0.0], [0.0, 0.0]
    for claimed, actual, score in zip(trials.claimed, trials.actual, trials.score, strict=True):
        if claimed == actual:
            frr = [frr[0] + weights[claimed] * (score > threshold), frr[1] + weights[claimed]]
        else:
            both = weights[claimed] * weights[actual]
            far = [far[0] + both * (score <= threshold), far[1] + both]
    return tuple(wrong / of if of else np.nan for wrong, of in (far, frr))


@settings(max_examples=40)
@given(some_trials(), st.integers(0, 5))
def test_bootstrap_weighs_people_and_pairs(trials: Trials, seed: int) -> None:
    drawn = identity_bootstrap(tally(trials, np.array(GRID)), draws=5, seed=seed)
    people = np.random.default_rng(seed).integers(trials.people, size=(5, trials.people))
    for draw, (at, threshold) in itertools.product(range(5), enumerate(GRID)):
        far, frr = by_hand(trials, threshold, np.bincount(people[draw], minlength=trials.people))
        assert drawn.far[draw, at] == pytest.approx(far, nan_ok=True)
        assert drawn.frr[draw, at] == pytest.approx(frr, nan_ok=True)


def population(people: int, blocks: int, spread: float, seed: int) -> Trials:
    """Scores with a person's own part in them: of one person, comparisons are no independent witnesses."""
    rng = np.random.default_rng(seed)
    claimed, actual = (side.ravel() for side in np.indices((people, people)))
    claimed, actual = np.repeat(claimed, blocks), np.repeat(actual, blocks)
    own, pair = spread * rng.standard_normal(people), spread * rng.standard_normal((people, people))
    pair = (pair + pair.T) / 2
    mean = np.where(claimed == actual, 0.35 + own[claimed], 0.62 + pair[claimed, actual])
    return Trials(people, claimed, actual, mean + 0.02 * rng.standard_normal(len(claimed)))


@settings(max_examples=25)
@given(some_trials())
def test_bounds_contain_the_estimate_of_a_single_rate_and_are_shares(trials: Trials) -> None:
    found = curve(trials, GRID, draws=50)
    for rate in (*found.far, *found.frr):
        if rate.comparisons and not np.isnan(rate.low):
            assert 0 <= rate.low <= rate.high <= 1 and rate.errors <= rate.comparisons
            assert rate.value == pytest.approx(rate.errors / rate.comparisons)


def test_bounds_contain_the_estimate_and_the_truth() -> None:
    truth_far, truth_frr = curve(population(400, 1, 0.06, 99), GRID, draws=20).at(0.5)
    found = curve(population(60, 4, 0.06, 1), GRID)
    far, frr = found.at(0.5)
    assert far.low < far.value < far.high and frr.low < frr.value < frr.high
    assert far.low < truth_far.value < far.high and frr.low < truth_frr.value < frr.high
    assert found.eer_low < found.eer.rate < found.eer_high
    assert far.independent == 60 * 59 // 2 and frr.independent == 60


def test_people_are_drawn_not_comparisons() -> None:
    """25 comparisons of the same person say little more than one: the interval must not shrink to a fifth."""
    once, often = (curve(population(60, blocks, 0.06, 1), GRID).at(0.4)[1] for blocks in (1, 25))
    low, high = clopper_pearson(often.errors, often.comparisons)
    assert often.high - often.low > 0.7 * (once.high - once.low)
    assert often.high - often.low > 2.5 * (high - low)


def test_zero_errors_have_an_exact_bound_beside_the_empty_bootstrap() -> None:
    far, frr = curve(population(30, 2, 0.01, 3), GRID).at(0.5)
    assert (far.errors, far.low, far.high) == (0, 0, 0)
    assert far.exact == clopper_pearson(0, 435) and far.upper == far.exact[1] > 0.008, "over pairs of people"
    assert frr.exact == clopper_pearson(0, 30) and frr.upper > 0.1, "over people"
    assert curve(population(30, 2, 0.06, 3), GRID).at(0.6)[0].exact is None


def test_the_same_seed_gives_the_same_bounds_and_another_seed_others() -> None:
    trials = population(20, 2, 0.06, 5)
    first, again, other = (curve(trials, GRID, draws=100, seed=seed) for seed in (0, 0, 1))
    assert first == again
    assert [rate.high for rate in first.far] != [rate.high for rate in other.far]


@settings(max_examples=25)
@given(some_trials(), st.randoms(use_true_random=False))
def test_the_order_of_people_and_comparisons_changes_no_estimate(trials: Trials, random: object) -> None:
    names, order = list(range(trials.people)), list(range(len(trials.score)))
    random.shuffle(names)  # type: ignore[attr-defined]
    random.shuffle(order)  # type: ignore[attr-defined]
    claimed, actual = (np.array(names)[side][order] for side in (trials.claimed, trials.actual))
    renamed = Trials(trials.people, claimed, actual, trials.score[order])
    one, other = curve(trials, GRID, draws=10), curve(renamed, GRID, draws=10)
    for mine, theirs in zip((*one.far, *one.frr), (*other.far, *other.frr), strict=True):
        assert (mine.errors, mine.comparisons, mine.independent) == (theirs.errors, theirs.comparisons, theirs.independent)
    assert (one.eer.rate, one.people) == pytest.approx((other.eer.rate, other.people), nan_ok=True)


def test_the_names_of_people_hardly_move_the_bounds() -> None:
    trials = population(40, 2, 0.06, 5)
    names = np.random.default_rng(1).permutation(40)
    one = curve(trials, GRID).at(0.5)
    other = curve(Trials(40, names[trials.claimed], names[trials.actual], trials.score), GRID).at(0.5)
    for mine, theirs in zip(one, other, strict=True):
        assert mine.high == pytest.approx(theirs.high, rel=0.15)


def test_bounds_are_the_outer_percentiles() -> None:
    low, high = interval(np.arange(1001)[:, None] / 1000)
    assert (low[0], high[0]) == pytest.approx((0.025, 0.975))


def test_eer_has_no_bounds_where_the_draws_cross_out_of_sight() -> None:
    trials = population(60, 4, 0.06, 1)
    aside = curve(trials, (0.30, 0.35), draws=50)
    assert not np.isnan(aside.eer.rate) and np.isnan(aside.eer_low) and np.isnan(aside.eer_high)
    half = curve(trials, (0.45, aside.eer.threshold), draws=50)
    assert np.isnan(half.eer_low), "only some of the draws cross"


def test_nothing_to_compare_has_no_bounds() -> None:
    nothing = Trials(3, np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
    found = curve(nothing, GRID, draws=10)
    assert found.people == 0 and np.isnan(found.far[0].value) and np.isnan(found.far[0].upper) and np.isnan(found.eer_low)
    low, high = interval(np.full((4, 2), np.nan))
    assert np.isnan(low).all() and np.isnan(high).all()
    alone = Trials(2, np.array([0, 0]), np.array([0, 0]), np.array([0.3, 0.5]))
    assert curve(alone, GRID, draws=10).frr[1].value == 0.5 and np.isnan(curve(alone, GRID, draws=10).far[1].value)
