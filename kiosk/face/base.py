"""The people enrolled at this place as arrays: for the warning about lookalikes and for the statistics of a cohort.

10 000 people with three templates each take 15 MB.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from kiosk.domain.enrolment import Lookalike
from kiosk.domain.roster import FaceTemplate, TemplateSource
from kiosk.face.engine import FaceEngine, Vector, Vectors

Owners = npt.NDArray[np.int64]
_ROWS = 2048
"""So many templates are compared at a time: one block stays small whoever wrote the engine."""


@dataclass(frozen=True, slots=True, eq=False)
class FaceBase:
    engine_id: str
    vectors: npt.NDArray[np.float32] = field(repr=False)
    """(n, d)."""
    owners: Owners = field(repr=False)
    """(n,): whose template each row is, as an index into the people it was built from."""

    @classmethod
    def of(cls, engine_id: str, people: Iterable[Sequence[FaceTemplate]]) -> FaceBase:
        """From the templates of each person. Those of other engines are left out, and so are photographs of a chip:
        they are so far from everybody that they neither warn of anybody nor tell what strangers are like."""
        rows: list[tuple[float, ...]] = []
        owners: list[int] = []
        for owner, templates in enumerate(people):
            for one in templates:
                if one.engine == engine_id and one.source is not TemplateSource.CHIP:
                    rows.append(one.vector)
                    owners.append(owner)
        vectors = np.array(rows, np.float32) if rows else np.empty((0, 0), np.float32)
        return cls(engine_id, vectors, np.array(owners, np.int64))

    @property
    def size(self) -> int:
        """How many people have a template here."""
        return len(np.unique(self.owners))

    def nearness(self, engine: FaceEngine, vectors: Sequence[Vector] | Vectors) -> tuple[Owners, Vector]:
        """The people who have templates here, ascending, and the mean distance of all `vectors` to all of theirs.

        Without any vectors the distances are NaN. Raises ValueError for another engine than the base was built for:
        those numbers would mean nothing.
        """
        people, index = np.unique(self.owners, return_inverse=True)
        if not len(people) or not len(vectors):
            return people, np.full(len(people), np.nan)
        if engine.id != self.engine_id:
            raise ValueError("a base is compared by the engine that made its templates")
        live = np.asarray(vectors, dtype=np.float64)
        blocks = (self.vectors[at : at + _ROWS].astype(np.float64) for at in range(0, len(self.vectors), _ROWS))
        each = np.concatenate([engine.distances(live, block).mean(axis=0) for block in blocks])
        return people, np.bincount(index, weights=each) / np.bincount(index)

    def lookalikes(
        self, engine: FaceEngine, vectors: Sequence[Vector] | Vectors, exclude_owner: int | None, limit: float,
    ) -> tuple[Lookalike, ...]:
        """Everybody else whose mean distance is at most `limit`, nearest first."""
        people, far = self.nearness(engine, vectors)
        near = [
            Lookalike(int(owner), float(distance)) for owner, distance in zip(people, far, strict=True)
            if owner != exclude_owner and distance <= limit
        ]
        return tuple(sorted(near, key=lambda one: one.distance))

    def wipe(self) -> None:
        self.vectors.fill(0)
