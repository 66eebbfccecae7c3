"""Faces are cut out in one and the same place, however they are held and whatever they look like."""

from __future__ import annotations

import numpy as np
import pytest
from model_face import head, template

from kiosk.devices.emulated.portrait import Pose
from kiosk.face.align import cut_face

EYES_AT = (120.0, 60.0)
SIZE = (240, 170)


def dotted(points: np.ndarray, indices: list[int]) -> np.ndarray:
    grey = np.zeros((480, 640), np.uint8)
    for x, y in np.round(points[indices]).astype(int):
        grey[y - 2 : y + 3, x - 2 : x + 3] = 255
    return grey


def where(cut: np.ndarray) -> tuple[float, float]:
    """Middle of what is bright."""
    ys, xs = np.nonzero(cut > 60)
    return float(xs.mean()), float(ys.mean())


@pytest.mark.parametrize("pose", [Pose(), Pose(roll=15), Pose(dx=60, dy=-40), Pose(zoom=1.4), Pose(zoom=0.7, roll=-10)])
def test_the_eyes_are_where_they_belong(pose: Pose) -> None:
    points = head(pose)
    cut = cut_face(dotted(points, [36, 45]), points, 90.0, EYES_AT, SIZE)
    assert cut.shape == SIZE[::-1]
    assert where(cut[:, :120])[0] == pytest.approx(120 - 0.72 * 90, abs=2)
    assert where(cut)[0] == pytest.approx(120, abs=2)
    left, right = where(cut[:, :120]), where(cut[:, 120:])
    assert left[1] == pytest.approx(right[1], abs=1.5), "level"


def test_an_unusual_face_does_not_jump() -> None:
    """Small motions of the points move the cut by as little, also where the nose is not where noses are."""
    face = template()
    face[30:36, 1] += 0.18
    rng = np.random.default_rng(0)
    places = []
    for _ in range(40):
        points = head(Pose(), face) + rng.normal(0, 0.6, (68, 2))
        places.append(where(cut_face(dotted(head(Pose(), face), [27]), points, 90.0, EYES_AT, SIZE)))
    assert np.std(places, axis=0).max() < 0.7
