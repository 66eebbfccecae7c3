"""Error rates with their intervals, and what they mean for the people who come."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kiosk.domain.decision import Band, FaceBands
from kiosk.face.site.statistics import (
    DRAWS,
    Draws,
    Eer,
    Numbers,
    Tally,
    Trials,
    clopper_pearson,
    crossing,
    eer,
    identity_bootstrap,
    interval,
    tally,
)


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of errors, 0 to 1; NaN where nothing was compared."""

    value: float
    low: float
    high: float
    """Percentiles 2.5 and 97.5 of the identity bootstrap."""
    errors: int
    comparisons: int
    independent: int
    """People (FRR) or pairs of people (FAR) behind the comparisons: so many can at most be called independent."""

    @property
    def exact(self) -> tuple[float, float] | None:
        """Clopper-Pearson over people or pairs where not one error was seen: the bootstrap then knows nothing."""
        return clopper_pearson(0, self.independent) if self.comparisons and not self.errors else None

    @property
    def upper(self) -> float:
        return self.exact[1] if self.exact is not None else self.high


@dataclass(frozen=True, slots=True)
class Curve:
    """One way of comparing, over all thresholds asked for."""

    people: int
    thresholds: tuple[float, ...]
    far: tuple[Rate, ...]
    frr: tuple[Rate, ...]
    eer: Eer
    eer_low: float
    eer_high: float
    """NaN where too few draws cross within the thresholds."""

    def at(self, threshold: float) -> tuple[Rate, Rate]:
        """FAR and FRR at one of the thresholds."""
        here = self.thresholds.index(threshold)
        return self.far[here], self.frr[here]


@dataclass(frozen=True, slots=True)
class Load:
    """What becomes of the person the templates are of; shares that add up to 1, every person counting the same."""

    accept: float
    review: float
    retry: float


def curve(trials: Trials, thresholds: Sequence[float], draws: int = DRAWS, seed: int = 0) -> Curve:
    """`thresholds` ascending. People who take part in no comparison are not drawn from."""
    trials = _renumbered(trials)
    grid = np.array(thresholds, dtype=np.float64)
    counts = tally(trials, grid)
    drawn = identity_bootstrap(counts, draws, seed)
    low, high = _eer_interval(drawn, grid)
    far, frr = _far(counts, drawn), _frr(counts, drawn)
    return Curve(trials.people, tuple(thresholds), far, frr, eer(trials.genuine, trials.impostor), low, high)


def load(trials: Trials, bands: FaceBands, templates: int, attempts: int = 1, chip_only: bool = False) -> Load:
    """With several attempts, those of one person are taken for independent; only "not matched" is tried again."""
    shares = []
    for person in range(trials.people):
        scores = trials.score[(trials.claimed == person) & (trials.actual == person)]
        if len(scores):
            found = [bands.band(float(score), templates, chip_only) for score in scores]
            accept, review, retry = (found.count(band) / len(found) for band in (Band.PASS, Band.REVIEW, Band.RETRY))
            tries = sum(retry**before for before in range(attempts))
            shares.append((accept * tries, review * tries, retry**attempts))
    if not shares:
        return Load(math.nan, math.nan, math.nan)
    return Load(*(float(share) for share in np.mean(shares, axis=0)))


def _renumbered(trials: Trials) -> Trials:
    known, numbers = np.unique(np.concatenate([trials.claimed, trials.actual]), return_inverse=True)
    claimed, actual = np.split(numbers.astype(np.int64), 2)
    return Trials(len(known), claimed, actual, trials.score)


def _far(counts: Tally, drawn: Draws) -> tuple[Rate, ...]:
    pairs = np.triu(counts.impostor + counts.impostor.T, 1)
    wrong = counts.accepted.sum(axis=(1, 2))
    return _rates(wrong, counts.impostor.sum(), int((pairs > 0).sum()), drawn.far)


def _frr(counts: Tally, drawn: Draws) -> tuple[Rate, ...]:
    return _rates(counts.rejected.sum(axis=1), counts.genuine.sum(), int((counts.genuine > 0).sum()), drawn.frr)


def _rates(wrong: Numbers, comparisons: float, independent: int, drawn: Numbers) -> tuple[Rate, ...]:
    low, high = interval(drawn)
    of = int(comparisons)
    return tuple(
        Rate(float(errors) / of if of else math.nan, float(low[here]), float(high[here]), int(errors), of, independent)
        for here, errors in enumerate(wrong)
    )


def _eer_interval(drawn: Draws, thresholds: Numbers) -> tuple[float, float]:
    """Only where nine draws in ten cross within the thresholds, because the others would bend it."""
    pairs = zip(drawn.far, drawn.frr, strict=True)
    rates = np.array([crossing(far, frr, thresholds).rate for far, frr in pairs if far[0] <= frr[0]])
    rates = rates[~np.isnan(rates)]
    if not len(rates) or len(rates) < 0.9 * len(drawn.far):
        return math.nan, math.nan
    low, high = interval(rates[:, None])
    return float(low[0]), float(high[0])
