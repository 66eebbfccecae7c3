"""The score of the decision bands: mean L2 distance over all frames and all templates.

Never the minimum and never a mean embedding: both let strangers nearer (measured two to eight times as many).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from kiosk.domain.roster import FaceTemplate
from kiosk.face.engine import Vector


def comparable(templates: Sequence[FaceTemplate], engine_id: str) -> tuple[FaceTemplate, ...]:
    """Those made by the same engine, alignment and model; all others are as if not there."""
    return tuple(one for one in templates if one.engine == engine_id)


def mean_distance(vectors: Sequence[Vector], templates: Sequence[FaceTemplate]) -> float:
    """NaN when there is nothing to compare."""
    if not vectors or not templates:
        return math.nan
    return float(np.mean([np.linalg.norm(vector - np.asarray(one.vector)) for vector in vectors for one in templates]))
