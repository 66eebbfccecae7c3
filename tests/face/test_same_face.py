"""One and the same person from the still face on, by the distances of the frames taken on the way."""

from __future__ import annotations

import numpy as np
import pytest

from kiosk.domain.liveness import CheckOutcome
from kiosk.face.dlib_engine import DlibEngine
from kiosk.face.engine import Vector
from kiosk.face.liveness.same_face import same_face


def at(x: float) -> Vector:
    return np.array([x, 0.0])


@pytest.mark.parametrize(("far", "outcome"), [(0.349, CheckOutcome.PASSED), (0.351, CheckOutcome.FAILED)])
def test_every_frame_against_the_still_face(engine: DlibEngine, far: float, outcome: CheckOutcome) -> None:
    result = same_face(engine, [at(0), at(0.1), at(far)], [0, 1, 2], 0.35, True)
    assert result.outcome is outcome
    assert (result.value, result.limit) == (pytest.approx(far), 0.35)
    assert result.reason == ("another_face" if outcome is CheckOutcome.FAILED else "")


def test_each_frame_of_the_still_face_counts(engine: DlibEngine) -> None:
    assert same_face(engine, [at(0), at(0.2), at(0.4)], [0, 0, 1], 0.35, True).outcome is CheckOutcome.FAILED
    assert same_face(engine, [at(0.2), at(0), at(0.4)], [0, 1, 1], 0.35, True).outcome is CheckOutcome.PASSED


def test_too_little_says_nothing(engine: DlibEngine) -> None:
    assert same_face(engine, [], [], 0.35, True).outcome is CheckOutcome.UNCLEAR
    assert same_face(engine, [at(0)], [0], 0.35, True).outcome is CheckOutcome.UNCLEAR
    assert same_face(engine, [at(0), at(0)], [1, 2], 0.35, True).outcome is CheckOutcome.UNCLEAR


def test_an_unfinished_challenge_never_passes(engine: DlibEngine) -> None:
    result = same_face(engine, [at(0), at(0.1)], [0, 1], 0.35, False)
    assert (result.outcome, result.reason) == (CheckOutcome.UNCLEAR, "not_finished")
    assert same_face(engine, [at(0), at(0.9)], [0, 1], 0.35, False).outcome is CheckOutcome.FAILED


def test_no_number_never_passes(engine: DlibEngine) -> None:
    result = same_face(engine, [at(0), at(np.nan)], [0, 1], 0.35, True)
    assert (result.outcome, result.value) == (CheckOutcome.UNCLEAR, None)
