"""Adaptive S-norm: how far away a face is, told in what is usual between it and its nearest strangers.

    score = ½ [ (d − μt) / σt + (d − μe) / σe ]

d is the mean distance of the live frames (e) to the person's templates (t); μ and σ are mean and standard deviation of
the distances from t, or from e, to the nearest strangers of the site's own base. A match is far below 0.

Measured with dlib's embedding: people like those before the camera take the equal error rate from 5.0 to 3.2-4.0 %;
people of another kind raise it, from 4.5 to 7.5-10.7 %. So only the site's own base may serve, and only with thresholds
calibrated on it.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from functools import cache

import numpy as np

from kiosk.config.face import CohortConfig
from kiosk.domain.roster import FaceTemplate
from kiosk.face.base import FaceBase
from kiosk.face.engine import FaceEngine, Vector, Vectors
from kiosk.face.matching import comparable, matrix, mean_distance

_log = logging.getLogger(__name__)


class Cohort:
    """The strangers of one person."""

    def __init__(self, engine: FaceEngine, base: FaceBase | None, config: CohortConfig, exclude_owner: int | None) -> None:
        """exclude_owner: the person's own index in the base. base None: nothing is known, nothing is normalised."""
        self._engine = engine
        self._base = base
        self._config = config
        self._owner = exclude_owner
        _warn_once()

    def normalised(self, vectors: Sequence[Vector], templates: Sequence[FaceTemplate]) -> float:
        """NaN when nothing can be compared, and also with fewer than `size_min` other people.

        Then no band may be chosen: the thresholds of the plain distance are others. Evidence with this NaN as its
        `distance` and the plain mean as its `raw_distance` goes to an officer (kiosk.domain.decision.decide).
        """
        same = comparable(templates, self._engine.id)
        distance = mean_distance(self._engine, vectors, same)
        if math.isnan(distance):
            return math.nan
        return (self._against_strangers(distance, matrix(same)) + self._against_strangers(distance, vectors)) / 2

    def _against_strangers(self, distance: float, side: Sequence[Vector] | Vectors) -> float:
        """(d − μ) / σ over the strangers nearest to this side."""
        if self._base is None:
            return math.nan
        people, far = self._base.nearness(self._engine, side)
        strangers = far[people != self._owner] if self._owner is not None else far
        if len(strangers) < self._config.size_min:
            return math.nan
        nearest = np.sort(strangers)[: self._config.nearest]
        spread = float(nearest.std())
        return (distance - float(nearest.mean())) / spread if spread > 0 else math.nan


@cache
def _warn_once() -> None:
    _log.warning(
        "distances are normalised by the enrolled base (S-norm): with people of another kind than those before the "
        "camera this raises errors (measured: equal error rate from 4.5 to 7.5-10.7 %); recalibrate when the base changes",
    )
