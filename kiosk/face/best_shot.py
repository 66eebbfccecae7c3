"""The sharpest frame of a moment in which the face holds still with open eyes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from kiosk.face import geometry
from kiosk.face.engine import Box, Image, Points
from kiosk.face.sight import Sight

_STILL_S = 0.5
_FRAMES_MIN = 4
_MOVED_MAX = 0.12
"""Eye distances the face may move in that time: about 3 % of its width to either side."""
_TURNED_MAX = 0.06
"""The same for its yaw ratio: about 3 degrees."""
_OPEN_MIN = 0.8
"""Share of the usual opening of the eyes: below, they blink."""


@dataclass(frozen=True, slots=True)
class Shot:
    rgb: Image = field(repr=False)
    """Of its own memory."""
    face: Box
    yaw: float
    """Mean yaw ratio of the moment."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    rgb: Image = field(repr=False)
    face: Box
    sharpness: float
    eyes: float
    """Eye aspect ratio."""


@dataclass(frozen=True, slots=True)
class _Pose:
    t: float
    at: tuple[float, float]
    """Middle of the eyes, pixels."""
    unit: float
    """Distance of the eyes, pixels."""
    yaw: float
    eyes: float


class BestShot:
    def __init__(self) -> None:
        self._poses: list[_Pose] = []
        self._best: _Candidate | None = None

    def see(self, sight: Sight, yaw: float) -> Shot | None:
        """A usable frame. Brings the best one as soon as the face has held still long enough; it is the caller's then.

        `yaw`: the yaw ratio without the noise of single frames.
        """
        if sight.points is None or sight.face is None:
            return None
        pose = _pose(sight.t, sight.points, yaw)
        if any(_apart(pose, one) for one in self._poses):
            self.drop()
        self._poses.append(pose)
        if self._best is None or sight.quality.sharpness > self._best.sharpness:
            self._forget_best()
            self._best = _Candidate(sight.rgb.copy(), sight.face, sight.quality.sharpness, pose.eyes)
        if pose.t - self._poses[0].t < _STILL_S or len(self._poses) < _FRAMES_MIN:
            return None
        return self._finish(self._best)

    def _finish(self, best: _Candidate) -> Shot | None:
        usual = float(np.median([one.eyes for one in self._poses]))
        mean_yaw = float(np.mean([one.yaw for one in self._poses]))
        if best.eyes < _OPEN_MIN * usual:
            self.drop()
            return None
        self._poses.clear()
        self._best = None
        return Shot(best.rgb, best.face, mean_yaw)

    def drop(self) -> None:
        """What was seen so far does not count; its picture is overwritten."""
        self._poses.clear()
        self._forget_best()

    def _forget_best(self) -> None:
        if self._best is not None:
            self._best.rgb.fill(0)
            self._best = None


def _pose(t: float, points: Points, yaw: float) -> _Pose:
    x, y = np.mean(geometry.eye_centres(points), axis=0)
    return _Pose(t, (float(x), float(y)), geometry.eye_distance(points), yaw, geometry.eye_aspect_ratio(points))


def _apart(one: _Pose, other: _Pose) -> bool:
    moved = max(abs(one.at[0] - other.at[0]), abs(one.at[1] - other.at[1]))
    return moved > _MOVED_MAX * other.unit or abs(one.yaw - other.yaw) > _TURNED_MAX
