"""Error rates of scores where smaller means more alike, and how sure they are.

The bootstrap draws people, not comparisons: comparisons share people, and an interval that takes them for independent
is too narrow (ISO/IEC 19795-1 warns of it; measured: 0.01-0.09 % instead of 0-0.18 %).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv

Numbers = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

CONFIDENCE = 0.95
DRAWS = 1000


@dataclass(frozen=True, slots=True)
class Trials:
    """Comparisons of one kind of score. Entry i: `actual[i]` stood there, `claimed[i]`'s templates were compared with.

    People are numbered 0 to people - 1; equal numbers are a genuine comparison.
    """

    people: int
    claimed: Indices
    actual: Indices
    score: Numbers

    @property
    def genuine(self) -> Numbers:
        return np.asarray(self.score[self.claimed == self.actual], dtype=np.float64)

    @property
    def impostor(self) -> Numbers:
        return np.asarray(self.score[self.claimed != self.actual], dtype=np.float64)

    def only(self, pairs: Flags) -> Trials:
        """Those with `pairs[claimed, actual]`; the shape of `pairs` is (people, people)."""
        kept = pairs[self.claimed, self.actual]
        return Trials(self.people, self.claimed[kept], self.actual[kept], self.score[kept])


@dataclass(frozen=True, slots=True)
class Eer:
    rate: float
    """Where both error rates are equal; NaN when there is nothing to compare or they do not meet."""
    threshold: float


@dataclass(frozen=True, slots=True)
class Tally:
    """What the bootstrap needs of trials: counts per person and per pair at every threshold."""

    genuine: Numbers
    """(people,): genuine comparisons of each."""
    rejected: Numbers
    """(thresholds, people): of them, above the threshold."""
    impostor: Numbers
    """(people, people): comparisons of `actual` (column) with the templates of `claimed` (row); the diagonal is 0."""
    accepted: Numbers
    """(thresholds, people, people): of them, not above the threshold."""


@dataclass(frozen=True, slots=True)
class Draws:
    """Error rates of bootstrap draws: (draws, thresholds) each; NaN where a draw has nothing to compare."""

    far: Numbers
    frr: Numbers


def rates(genuine: Numbers, impostor: Numbers, thresholds: Numbers) -> tuple[Numbers, Numbers]:
    """FAR: share of impostor scores <= t; FRR: share of genuine scores > t. NaN without scores."""
    return _share_up_to(impostor, thresholds), 1 - _share_up_to(genuine, thresholds)


def eer(genuine: Numbers, impostor: Numbers) -> Eer:
    """At the crossing, interpolated between the two scores around it."""
    if not len(genuine) or not len(impostor):
        return Eer(math.nan, math.nan)
    thresholds = np.unique(np.concatenate([genuine, impostor]))
    far, frr = rates(genuine, impostor, thresholds)
    return crossing(far, frr, thresholds)


def crossing(far: Numbers, frr: Numbers, thresholds: Numbers) -> Eer:
    """Where a growing FAR meets a falling FRR. Below the first threshold nobody is accepted (FAR 0, FRR 1)."""
    met = np.flatnonzero(far >= frr)
    if not len(met):
        return Eer(math.nan, math.nan)
    at = int(met[0])
    before_far, before_frr, before_t = (far[at - 1], frr[at - 1], thresholds[at - 1]) if at else (0.0, 1.0, thresholds[0])
    gap, step = before_frr - before_far, (far[at] - before_far) + (before_frr - frr[at])
    share = float(gap / step) if step > 0 else 1.0
    rate = before_far + share * (far[at] - before_far)
    return Eer(float(rate), float(before_t + share * (thresholds[at] - before_t)))


def clopper_pearson(errors: int, trials: int, confidence: float = CONFIDENCE, one_sided: bool = False) -> tuple[float, float]:
    """Exact binomial bounds of an error rate for independent trials; one_sided: the lower bound is 0."""
    if not 0 <= errors <= trials:
        raise ValueError("errors must lie between 0 and trials")
    if trials == 0:
        return 0.0, 1.0
    tail = (1 - confidence) if one_sided else (1 - confidence) / 2
    lower = 0.0 if errors == 0 or one_sided else float(betaincinv(errors, trials - errors + 1, tail))
    upper = 1.0 if errors == trials else float(betaincinv(errors + 1, trials - errors, 1 - tail))
    return lower, upper


def tally(trials: Trials, thresholds: Numbers) -> Tally:
    people, pair = trials.people, trials.claimed * trials.people + trials.actual

    def count(which: Flags) -> Numbers:
        return np.bincount(pair[which], minlength=people * people).reshape(people, people).astype(np.float64)

    all_pairs = count(np.ones(len(pair), dtype=np.bool_))
    accepted = np.stack([count(trials.score <= threshold) for threshold in thresholds])
    genuine = np.diagonal(all_pairs).copy()
    rejected = genuine - np.diagonal(accepted, axis1=1, axis2=2)
    themselves = np.arange(people)
    all_pairs[themselves, themselves] = 0
    accepted[:, themselves, themselves] = 0
    return Tally(genuine, rejected, all_pairs, accepted)


def identity_bootstrap(counts: Tally, draws: int = DRAWS, seed: int = 0) -> Draws:
    """Draws as many people as there are, with replacement; a person drawn w times counts w times, a pair w_i · w_j times."""
    people = len(counts.genuine)
    if not people:
        nothing = np.empty((0, len(counts.rejected)))
        return Draws(nothing, nothing)
    drawn = np.random.default_rng(seed).integers(people, size=(draws, people))
    weights = np.stack([np.bincount(row, minlength=people) for row in drawn]).astype(np.float64)
    frr = _ratio(weights @ counts.rejected.T, weights @ counts.genuine)
    pairs = ((weights @ counts.impostor) * weights).sum(axis=1)
    wrong = np.stack([((weights @ accepted) * weights).sum(axis=1) for accepted in counts.accepted], axis=1)
    return Draws(_ratio(wrong, pairs), frr)


def interval(drawn: Numbers, confidence: float = CONFIDENCE) -> tuple[Numbers, Numbers]:
    """Percentile bounds per column, without the draws that had nothing to compare; NaN when none had."""
    drawn = drawn[~np.isnan(drawn).any(axis=1)]
    if not len(drawn):
        nothing = np.full(drawn.shape[1:], math.nan)
        return nothing, nothing
    tail = 100 * (1 - confidence) / 2
    low, high = np.percentile(drawn, [tail, 100 - tail], axis=0)
    return low, high


def _ratio(wrong: Numbers, of: Numbers) -> Numbers:
    shares = np.full(wrong.shape, math.nan)
    np.divide(wrong, of[:, None], out=shares, where=of[:, None] > 0)
    return shares


def _share_up_to(scores: Numbers, thresholds: Numbers) -> Numbers:
    if not len(scores):
        return np.full(len(thresholds), math.nan)
    below: Any = np.searchsorted(np.sort(scores), thresholds, side="right")
    return np.asarray(below / len(scores), dtype=np.float64)
