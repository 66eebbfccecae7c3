"""Invented embeddings: people as points, their pictures scattered round them. Distances as dlib's, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kiosk.face.engine import Vectors
from kiosk.face.site.folder import Traits
from kiosk.face.site.samples import Sample

NOTHING = np.empty((0, 0))
_DIMENSIONS = 16


def flat_people(people: int, pictures: int = 4, apart: float = 0.7, scatter: float = 0.35, seed: int = 0) -> list[Sample]:
    """`apart`: usual distance of two people; `scatter`: of two pictures of one."""
    vectors = _vectors(people, pictures, apart, scatter, seed)
    return [Sample(f"S{i:03}", own, own, (pictures,), True, NOTHING, Traits()) for i, own in enumerate(vectors)]


def visiting_people(
    people: int, enrolled: int = 3, visits: Sequence[int] = (5, 7), apart: float = 0.7, scatter: float = 0.35, seed: int = 0,
    traits: Sequence[Traits] = (),
) -> list[Sample]:
    vectors = _vectors(people, enrolled + sum(visits), apart, scatter, seed)
    known = traits or [Traits()] * people
    return [
        Sample(f"S{i:03}", own[:enrolled], own[enrolled:], tuple(visits), False, NOTHING, known[i])
        for i, own in enumerate(vectors)
    ]


def _vectors(people: int, pictures: int, apart: float, scatter: float, seed: int) -> list[Vectors]:
    """In few dimensions distances vary about as much as those of faces do."""
    rng = np.random.default_rng(seed)
    between = np.sqrt(max(apart**2 - scatter**2, 0) / 2 / _DIMENSIONS)
    centres = between * rng.standard_normal((people, 1, _DIMENSIONS))
    within = scatter / np.sqrt(2 * _DIMENSIONS) * rng.standard_normal((people, pictures, _DIMENSIONS))
    return [np.pad(one, ((0, 0), (0, 128 - _DIMENSIONS))) for one in centres + within]
