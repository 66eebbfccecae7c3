"""How somebody who stands still moves nevertheless: slow, without end, never the same again."""

from __future__ import annotations

import numpy as np

from kiosk.devices.emulated.portrait import Pose

_WAVES = 6
_HZ = (0.05, 0.9)

SWAY = Pose(yaw=0.8, pitch=0.8, roll=0.6, dx=1.5, dy=1.2, zoom=1.0)
"""Largest deflections of somebody who stands still."""
WAVE = Pose(yaw=45, pitch=25, roll=12, dx=40, dy=25, zoom=1.25)
"""Of a photograph waved by hand."""


class Drift:
    """Slow random motion as a function of time, within the limits."""

    def __init__(self, limits: Pose, rng: np.random.Generator) -> None:
        shares = rng.uniform(0.3, 1.0, (6, _WAVES))
        self._shares = shares / shares.sum(axis=1, keepdims=True)
        self._hz = rng.uniform(*_HZ, (6, _WAVES))
        self._phases = rng.uniform(0, 1, (6, _WAVES))
        self._limits = np.array([limits.yaw, limits.pitch, limits.roll, limits.dx, limits.dy, limits.zoom - 1])

    def at(self, t: float) -> Pose:
        waves = self._shares * np.sin(2 * np.pi * (self._hz * t + self._phases))
        yaw, pitch, roll, dx, dy, nearer = (float(one) for one in self._limits * waves.sum(axis=1))
        return Pose(yaw, pitch, roll, dx, dy, 1 + nearer)
