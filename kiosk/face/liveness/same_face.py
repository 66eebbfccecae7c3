"""One and the same person from the still face to the last action.

Who turned the head must be who is compared: an unbroken track says so from frame to frame, and the embeddings of the
looks ahead say so over the whole challenge. Only frames near frontal are compared: a turned head is as far from itself
as another person.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from kiosk.domain.liveness import Check, CheckOutcome, CheckResult
from kiosk.face.engine import FaceEngine, Vector


def same_face(
    engine: FaceEngine, vectors: Sequence[Vector], parts: Sequence[int], limit: float, complete: bool
) -> CheckResult:
    """Every embedding against those of part 0, the still face. value: the largest distance.

    `parts`: the part of the challenge each vector is from; `complete`: the challenge was finished on one track.
    """
    first = [vector for vector, part in zip(vectors, parts, strict=True) if part == 0]
    if not first or len(vectors) == 1:  # a face is always like itself
        return CheckResult(Check.SAME_FACE, CheckOutcome.UNCLEAR, limit=limit, reason="too_few")
    far = float(engine.distances(np.asarray(first), np.asarray(vectors)).max())
    if math.isnan(far):
        return CheckResult(Check.SAME_FACE, CheckOutcome.UNCLEAR, limit=limit, reason="no_number")
    if far > limit:
        return CheckResult(Check.SAME_FACE, CheckOutcome.FAILED, far, limit, "another_face")
    if not complete:
        return CheckResult(Check.SAME_FACE, CheckOutcome.UNCLEAR, far, limit, "not_finished")
    return CheckResult(Check.SAME_FACE, CheckOutcome.PASSED, far, limit)
