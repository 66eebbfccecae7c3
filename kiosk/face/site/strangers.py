"""S-norm over a whole folder at once: the same score as kiosk.face.cohort, for every pair of people.

The volunteers are each other's cohort. Of a comparison both the person claimed and the one who stands there are left
out of it: an impostor is not as a rule enrolled at the place he tries, and finding him there would flatter the score.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from kiosk.config.face import CohortConfig
from kiosk.face.engine import FaceEngine, Vectors
from kiosk.face.site.statistics import Indices, Numbers


class Strangers:
    def __init__(self, engine: FaceEngine, galleries: Sequence[Vectors], config: CohortConfig) -> None:
        self._engine = engine
        self._galleries = galleries
        self._config = config

    @property
    def enough(self) -> bool:
        return sum(len(gallery) > 0 for gallery in self._galleries) - 2 >= self._config.size_min

    def of_blocks(self, probes: Vectors, rows: Indices) -> Numbers:
        """(blocks, people): how far each block is from everybody."""
        return np.asarray(self._nearness(probes)[rows].mean(axis=1), dtype=np.float64)

    def normalised(
        self, scores: Numbers, claimed: int, gallery: Vectors, windows: Sequence[Sequence[int]], owner: Indices, blocks: Numbers
    ) -> Numbers:
        """(blocks, windows): the mean distances `scores` against the templates of `claimed`, normalised.

        owner: (blocks,) who stands there. blocks: what `of_blocks` gave.
        """
        seen = blocks.copy()
        seen[np.arange(len(seen)), owner] = math.inf
        seen[:, claimed] = math.inf
        mean_e, spread_e = self._usual(seen)
        templates = self._nearness(gallery)[np.array(windows)].mean(axis=1)  # (windows, people)
        templates[:, claimed] = math.inf
        people = len(self._galleries)
        without = np.repeat(templates[None], people, axis=0)  # (people, windows, people)
        without[np.arange(people), :, np.arange(people)] = math.inf
        mean_t, spread_t = self._usual(without)
        by_block = (scores - mean_e[:, None]) / spread_e[:, None]
        by_templates = (scores - mean_t[owner]) / spread_t[owner]
        return np.asarray((by_block + by_templates) / 2, dtype=np.float64)

    def _usual(self, far: Numbers) -> tuple[Numbers, Numbers]:
        """Mean and standard deviation of the nearest along the last axis; those who do not count are infinitely far."""
        nearest = np.sort(far, axis=-1)[..., : self._config.nearest]
        there = np.isfinite(nearest)
        return nearest.mean(axis=-1, where=there), nearest.std(axis=-1, where=there)

    def _nearness(self, vectors: Vectors) -> Numbers:
        """(n, people): mean distance of each vector to everybody's templates; infinite where there are none."""
        far = np.full((len(vectors), len(self._galleries)), math.inf)
        for person, gallery in enumerate(self._galleries):
            if len(gallery):
                far[:, person] = self._engine.distances(vectors, gallery).mean(axis=1)
        return far
