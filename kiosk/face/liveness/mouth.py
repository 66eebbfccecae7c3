"""The opened mouth: the inner lips much further apart than the person's own closed ones."""

from __future__ import annotations

from kiosk.config.face import LivenessConfig
from kiosk.face import geometry
from kiosk.face.engine import Points

_YAW_MAX = 0.18
_OPEN_S = 0.08
"""From the first to the last open frame: two frames at 12.5 per second."""
_SLACK_S = 0.01
"""Frames are not taken to the millisecond."""


def open_from(config: LivenessConfig, closed: float) -> float:
    """MAR above which a mouth is open, for a person whose closed mouth has `closed`."""
    return max(config.mouth_min, closed + config.mouth_rise)


class MouthCheck:
    def __init__(self, config: LivenessConfig, closed: float, yaw: float) -> None:
        """`closed`, `yaw`: MAR and yaw ratio of the still face."""
        self.limit = open_from(config, closed)
        self.value: float | None = None
        """The widest the mouth was."""
        self.seen = False
        self._yaw = yaw
        self._open_since: float | None = None

    def watch(self, t: float, points: Points) -> None:
        mouth = geometry.mouth_aspect_ratio(points)
        ahead = abs(geometry.yaw_ratio(points) - self._yaw) < _YAW_MAX
        if not ahead or mouth <= self.limit:
            self._open_since = None
        elif self._open_since is None:
            self._open_since = t
        elif t - self._open_since >= _OPEN_S - _SLACK_S:
            self.seen = True
        if ahead:
            self.value = max(mouth, self.value or 0.0)
