"""All figures of one folder of volunteers at the configured bands, without a word about how they are shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from kiosk.config.face import FaceConfig
from kiosk.domain.decision import FaceBands
from kiosk.face.engine import FaceEngine
from kiosk.face.site.figures import Curve, Load, curve, load
from kiosk.face.site.pairs import MainPairs, Subgroup, main_pairs, relatives, within
from kiosk.face.site.samples import Sample
from kiosk.face.site.scoring import mean_distance_trials
from kiosk.face.site.statistics import DRAWS, Numbers, Trials, rates

TEMPLATE_COUNTS = (1, 2, 3)
FRAME_COUNTS = (1, 3, 5)
PERCENTILES = (1, 5, 25, 50, 75, 95, 99)
ATTEMPTS = (1, 3)
SMALLEST_CELL = 5
"""Figures of fewer people than this could be traced to one of them and are not shown."""
_TABLE = np.arange(30, 61, 2) / 100
"""Of distances of the dlib engine; another engine's thresholds are laid over its own scores."""
_DRAWN = 400


@dataclass(frozen=True, slots=True)
class Cell:
    """One way of comparing."""

    templates: int
    frames: int
    normalised: bool
    curve: Curve
    load: dict[int, Load]
    """By the number of attempts; empty where no bands are known for this score."""
    line: tuple[Numbers, Numbers, Numbers] = field(repr=False)
    """Thresholds, FAR and FRR, fine enough to be drawn."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    bands: FaceBands
    cohort_bands: FaceBands | None
    apart: bool
    frames: int
    pairs: MainPairs
    by_templates: tuple[Cell, ...]
    normalised: tuple[Cell, ...]
    """Empty when there are too few people for a cohort."""
    by_frames: tuple[Cell, ...]
    """Empty without visits."""
    chip: Cell | None
    subgroups: dict[Subgroup, Curve]
    relatives: Curve | None
    everybody: Curve
    """All pairs of people, alike or not, related or not."""
    genuine: Numbers = field(repr=False)
    impostor: Numbers = field(repr=False)
    """Scores behind `headline`, for percentiles and plots."""

    headline: Cell
    """What stands for the terminal: as many templates as most of the people could be enrolled with."""


class _Desk:
    """What all figures of one folder share."""

    def __init__(self, engine: FaceEngine, samples: Sequence[Sample], config: FaceConfig, draws: int, seed: int) -> None:
        self._engine, self._samples, self._config = engine, samples, config
        self._draws, self._seed = draws, seed
        self.traits = [sample.traits for sample in samples]
        self.bands = FaceBands(config.pass_max, config.review_max, config.templates_min, config.review_max_chip)
        self.cohort_bands = _cohort_bands(config)

    def trials(self, templates: int, frames: int, normalised: bool = False) -> Trials:
        cohort = self._config.cohort if normalised else None
        return mean_distance_trials(self._engine, self._samples, templates, frames, cohort)

    def cell(self, trials: Trials, templates: int, frames: int, normalised: bool = False, chip: bool = False) -> Cell:
        bands = self.cohort_bands if normalised else self.bands
        loads = {} if bands is None else {tries: load(trials, bands, templates, tries, chip) for tries in ATTEMPTS}
        return Cell(templates, frames, normalised, self.curve(trials, bands), loads, _line(trials))

    def curve(self, trials: Trials, bands: FaceBands | None) -> Curve:
        return curve(trials, thresholds(trials, bands), self._draws, self._seed)

    def chip(self, frames: int) -> Cell | None:
        """The photograph of the card as the only template."""
        samples = [sample.from_chip for sample in self._samples if len(sample.chip)]
        trials = mean_distance_trials(self._engine, samples, 1, frames)
        return self.cell(trials, 1, frames, chip=True) if len(trials.score) else None


def evaluate(
    engine: FaceEngine, samples: Sequence[Sample], config: FaceConfig, frames: int, draws: int = DRAWS, seed: int = 0
) -> Evaluation:
    """`frames` count only where enrolment and visits are kept apart; otherwise every picture is a try of its own."""
    desk = _Desk(engine, samples, config, draws, seed)
    apart = not any(sample.shared for sample in samples)
    size = frames if apart else 1
    mask, pairs = main_pairs(desk.traits)
    raw = {count: desk.trials(count, size) for count in TEMPLATE_COUNTS}
    snorm = {count: desk.trials(count, size, normalised=True).only(mask) for count in TEMPLATE_COUNTS}
    by_templates = tuple(desk.cell(of.only(mask), count, size) for count, of in raw.items())
    headline = _headline(by_templates)
    shown, templates = raw[headline.templates], desk.bands.templates_min
    kin = relatives(desk.traits)
    related = shown.only(kin | np.diag(kin.any(axis=1)))
    return Evaluation(
        bands=desk.bands, cohort_bands=desk.cohort_bands, apart=apart, frames=size, pairs=pairs,
        by_templates=by_templates,
        normalised=tuple(desk.cell(of, count, size, normalised=True) for count, of in snorm.items() if len(of.score)),
        by_frames=tuple(
            desk.cell(desk.trials(templates, count).only(mask), templates, count) for count in FRAME_COUNTS if apart
        ),
        chip=desk.chip(size),
        subgroups={one: desk.curve(shown.only(within(desk.traits, one)), desk.bands) for one in Subgroup},
        relatives=desk.curve(related, desk.bands) if len(related.impostor) else None,
        everybody=desk.curve(shown, desk.bands),
        genuine=shown.only(mask).genuine, impostor=shown.only(mask).impostor, headline=headline,
    )


def thresholds(trials: Trials, bands: FaceBands | None) -> tuple[float, ...]:
    """Of the table and of the bands; where the scores are of another kind, evenly over their middle."""
    edges = set() if bands is None else {bands.pass_max, bands.review_max, bands.review_max_chip or bands.review_max}
    if not len(trials.score):
        return tuple(sorted(edges)) or (0.0,)
    low, high = np.percentile(trials.score, [1, 99])
    fits = 0 < low < _TABLE[-1] and high > _TABLE[0]
    table = _TABLE if fits else np.round(np.linspace(low, high, len(_TABLE)), 2)
    return tuple(sorted({float(one) for one in table} | edges))


def _line(trials: Trials) -> tuple[Numbers, Numbers, Numbers]:
    if not len(trials.genuine) or not len(trials.impostor):
        return np.empty(0), np.empty(0), np.empty(0)
    grid = np.linspace(trials.score.min(), max(trials.genuine.max(), np.median(trials.impostor)), _DRAWN)
    return grid, *rates(trials.genuine, trials.impostor, grid)


def _headline(cells: Sequence[Cell]) -> Cell:
    most = max(cell.curve.people for cell in cells)
    return max((cell for cell in cells if 2 * cell.curve.people >= most), key=lambda cell: cell.templates)


def _cohort_bands(config: FaceConfig) -> FaceBands | None:
    cohort = config.cohort
    if cohort.pass_max is None or cohort.review_max is None:
        return None
    return FaceBands(cohort.pass_max, cohort.review_max, config.templates_min)
