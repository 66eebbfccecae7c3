"""The score of the decision bands: mean distance over all frames and all templates.

Never the minimum and never a mean embedding: both let strangers nearer (measured two to eight times as many).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from kiosk.domain.roster import FaceTemplate, TemplateSource
from kiosk.face.engine import FaceEngine, Vector, Vectors


def comparable(templates: Sequence[FaceTemplate], engine_id: str) -> tuple[FaceTemplate, ...]:
    """Those made by the same engine, alignment and model; all others are as if not there."""
    return tuple(one for one in templates if one.engine == engine_id)


def foreign(templates: Sequence[FaceTemplate], engine_id: str) -> int:
    """How many are refused: with any of them the person has to be enrolled again."""
    return sum(one.engine != engine_id for one in templates)


def chip_only(templates: Sequence[FaceTemplate]) -> bool:
    """Nothing but photographs of a card's chip can be compared."""
    return bool(templates) and all(one.source is TemplateSource.CHIP for one in templates)


def mean_distance(engine: FaceEngine, vectors: Sequence[Vector], templates: Sequence[FaceTemplate]) -> float:
    """Over the templates of this engine only. NaN when there is nothing to compare."""
    same = comparable(templates, engine.id)
    if not len(vectors) or not same:
        return math.nan
    return float(engine.distances(np.asarray(vectors, dtype=np.float64), matrix(same)).mean())


def matrix(templates: Sequence[FaceTemplate]) -> Vectors:
    """(n, d): the embeddings as rows."""
    return np.array([one.vector for one in templates], dtype=np.float64)
