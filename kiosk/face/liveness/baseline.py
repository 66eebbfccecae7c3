"""The person's own still face before the first request: what every action is measured against."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from kiosk.face import geometry
from kiosk.face.align import Grey
from kiosk.face.engine import Points
from kiosk.face.liveness.blink import patch
from kiosk.face.sight import Sight

_YAW_RANGE = 0.15
"""Moves further than this are no still face: what lies before them is forgotten."""
_AHEAD = 0.18
"""Largest change of the yaw ratio of a face that looks ahead."""
_EYES_OPEN = 0.8
"""Smallest share of the person's own EAR with which an eye is open; takes out the middle of a blink."""
_SLACK_S = 0.01
"""Frames are not taken to the millisecond."""


@dataclass(frozen=True, slots=True)
class Baseline:
    points: Points = field(repr=False)
    """De-rolled, mean."""
    yaw: float
    mouth: float
    """MAR, median."""
    eyes: float
    """EAR, median."""
    patch: Grey = field(repr=False)
    """Of open eyes: `blink.patch`, median of each pixel."""

    def looks_ahead(self, points: Points) -> bool:
        return abs(geometry.yaw_ratio(points) - self.yaw) < _AHEAD

    def eyes_open(self, points: Points) -> bool:
        return geometry.eye_aspect_ratio(points) >= _EYES_OPEN * self.eyes

    def wipe(self) -> None:
        self.patch.fill(0)
        self.points.fill(0)


class BaselineTaker:
    """Takes usable frames until they span the time asked for without a larger move."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._taken: list[tuple[float, Points, Grey]] = []

    @property
    def complete(self) -> bool:
        return len(self._taken) > 1 and self._taken[-1][0] - self._taken[0][0] >= self._seconds - _SLACK_S

    def take(self, sight: Sight) -> None:
        if sight.points is None:
            return
        yaw = geometry.yaw_ratio(sight.points)
        if any(abs(geometry.yaw_ratio(points) - yaw) > _YAW_RANGE for _, points, _ in self._taken):
            self.wipe()
        self._taken.append((sight.t, geometry.deroll(sight.points), patch(sight.grey, sight.points)))

    def baseline(self) -> Baseline:
        level = np.array([points for _, points, _ in self._taken])
        mean = np.asarray(level.mean(axis=0), dtype=np.float64)
        return Baseline(
            points=mean,
            yaw=geometry.yaw_ratio(mean),
            mouth=float(np.median([geometry.mouth_aspect_ratio(points) for points in level])),
            eyes=float(np.median([geometry.eye_aspect_ratio(points) for points in level])),
            patch=np.median([picture for _, _, picture in self._taken], axis=0).astype(np.uint8),
        )

    def wipe(self) -> None:
        for _, points, picture in self._taken:
            points.fill(0)
            picture.fill(0)
        self._taken.clear()
