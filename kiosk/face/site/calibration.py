"""Thresholds for one place, proposed from its own volunteers, and the refusal to propose any from too few of them.

`pass_max`: the largest threshold up to which the upper bound of FAR keeps to the target. `review_max`: the smallest from
which on the upper bound of FRR does. Both are chosen on two thirds of the people and checked on the last third.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kiosk.config.face import Engine, FaceConfig
from kiosk.domain.decision import FaceBands
from kiosk.face.engine import FaceEngine
from kiosk.face.site.figures import Curve, Load, Rate, curve, load
from kiosk.face.site.pairs import MainPairs, main_pairs, relatives
from kiosk.face.site.samples import Sample
from kiosk.face.site.scoring import mean_distance_trials
from kiosk.face.site.statistics import CONFIDENCE, DRAWS, Trials

PEOPLE_MIN = 30
RELATIVES_FAR = 0.01
"""Largest share of relatives accepted for one another."""
STOP = 0.55
"""A dlib distance above which nobody may be sent to review: a fifth of all strangers would be (measured: 18.6 %)."""
_STEP, _STEP_NORMALISED = 0.01, 0.05


@dataclass(frozen=True, slots=True)
class Aim:
    far: float = 0.001
    frr: float = 0.05
    templates: int = 2
    frames: int = 5
    normalised: bool = False
    draws: int = DRAWS
    seed: int = 0


@dataclass(frozen=True, slots=True)
class TooFew:
    people: int
    """Who could be compared with themselves and with others."""
    needed: int
    """So many, when all of them can be compared with as many others as these."""


@dataclass(frozen=True, slots=True)
class OutOfReach:
    """Enough people, but no threshold keeps to the target."""

    target: str
    """`far`: what keeps strangers out lets nobody in · `relatives`: what keeps relatives apart does · `frr`: above STOP."""
    threshold: float
    """Where the FRR would have been met; NaN for the others."""


@dataclass(frozen=True, slots=True)
class Proposal:
    aim: Aim
    pass_max: float
    review_max: float
    far: Rate
    """At pass_max, of the people chosen on."""
    frr: Rate
    """At review_max, of the people chosen on."""
    false_review: Rate
    """FAR at review_max: strangers an officer will be shown."""
    checked_far: Rate
    """At pass_max, of the held-out third."""
    checked_frr: Rate
    people: int
    held_out: int
    pairs: MainPairs
    load: dict[int, Load]
    """By the number of attempts, over all people."""

    @property
    def holds(self) -> bool:
        """The held-out third lets no more strangers pass than the bound allows."""
        return self.checked_far.value <= self.far.upper


def calibrate(engine: FaceEngine, samples: Sequence[Sample], config: FaceConfig, aim: Aim) -> Proposal | TooFew | OutOfReach:
    cohort = config.cohort if aim.normalised else None
    every = mean_distance_trials(engine, samples, aim.templates, aim.frames, cohort)
    traits = [sample.traits for sample in samples]
    mask, pairs = main_pairs(traits)
    trials = every.only(mask)
    chosen, held_out = _split(trials, aim.seed)
    step = _STEP_NORMALISED if aim.normalised else _STEP
    found = curve(_among(trials, chosen), _grid(trials, step), aim.draws, aim.seed)
    short = _too_few(found, len(chosen) + len(held_out), aim, config.cohort.size_min + 2 if aim.normalised else 0)
    if short is not None:
        return short
    strangers = _up_to([rate.upper <= aim.far for rate in found.far])
    related = np.sort(every.only(relatives(traits)).score)
    shares = np.searchsorted(related, found.thresholds, side="right") / max(1, len(related))
    passed = min(strangers, _up_to([share <= RELATIVES_FAR for share in shares.tolist()]))
    if passed < 0 or found.frr[passed].errors == found.frr[passed].comparisons:
        return OutOfReach("far" if passed == strangers else "relatives", math.nan)
    review = _from([rate.upper <= aim.frr for rate in found.frr])
    if review == len(found.thresholds) or (found.thresholds[review] > STOP and _dlib_distance(config, aim)):
        return OutOfReach("frr", found.thresholds[min(review, len(found.thresholds) - 1)])
    review = max(review, passed)
    pass_max, review_max = found.thresholds[passed], found.thresholds[review]
    check = curve(_among(trials, held_out), sorted({pass_max, review_max}), aim.draws, aim.seed)
    bands = FaceBands(pass_max, review_max, config.templates_min)
    return Proposal(
        aim=aim, pass_max=pass_max, review_max=review_max,
        far=found.far[passed], frr=found.frr[review], false_review=found.far[review],
        checked_far=check.at(pass_max)[0], checked_frr=check.at(review_max)[1],
        people=len(chosen), held_out=len(held_out), pairs=pairs,
        load={tries: load(trials, bands, aim.templates, tries) for tries in (1, 3)},
    )


def people_needed(target: float) -> int:
    """How many independent comparisons without one error show that the rate is not above the target."""
    return math.ceil(math.log((1 - CONFIDENCE) / 2) / math.log(1 - target))


def _too_few(found: Curve, people: int, aim: Aim, cohort: int) -> TooFew | None:
    """`cohort`: how many S-norm needs."""
    pairs, own = found.far[0].independent, found.frr[0].independent
    share = pairs / (own * (own - 1) / 2) if own > 1 and pairs else 1.0  # of all pairs, those alike enough to count
    wanted = people_needed(aim.far) / share
    for_far = math.ceil((1 + math.sqrt(1 + 8 * wanted)) / 2)
    chosen = max(for_far, people_needed(aim.frr))
    needed = max(PEOPLE_MIN, math.ceil(1.5 * chosen), cohort)
    enough = pairs >= people_needed(aim.far) and own >= people_needed(aim.frr) and people >= max(PEOPLE_MIN, cohort)
    return None if enough else TooFew(people, max(needed, people + 1))


def _split(trials: Trials, seed: int) -> tuple[list[int], list[int]]:
    """The people to choose on and the third to check on; only who has a genuine comparison."""
    usable = np.unique(trials.claimed[trials.claimed == trials.actual])
    shuffled = np.random.default_rng(seed).permutation(usable).tolist()
    third = len(shuffled) // 3
    return sorted(shuffled[third:]), sorted(shuffled[:third])


def _among(trials: Trials, people: Sequence[int]) -> Trials:
    member = np.zeros(trials.people, dtype=np.bool_)
    member[list(people)] = True
    return trials.only(member[:, None] & member)


def _grid(trials: Trials, step: float) -> tuple[float, ...]:
    """Multiples of `step` from below the least score to above the largest genuine one."""
    if not len(trials.genuine):
        return (0.0,)
    first, last = math.floor(trials.score.min() / step), math.ceil(trials.genuine.max() / step)
    return tuple(round(number * step, 2) for number in range(first, last + 1))


def _up_to(kept: Sequence[bool]) -> int:
    """The last of those that keep to the target without a gap from the start; -1: none."""
    return next((number for number, good in enumerate(kept) if not good), len(kept)) - 1


def _from(kept: Sequence[bool]) -> int:
    """The first of those that keep to the target without a gap to the end."""
    return max((number for number, good in enumerate(kept) if not good), default=-1) + 1


def _dlib_distance(config: FaceConfig, aim: Aim) -> bool:
    return config.engine is Engine.DLIB and not aim.normalised
