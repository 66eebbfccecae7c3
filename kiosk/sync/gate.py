"""The gate before the office: closed for a while after trouble that is no case's fault. It always opens by time."""

from __future__ import annotations

import random
from time import monotonic


class Gate:
    """Full-jitter back-off on the monotonic clock."""

    def __init__(self, base_s: float, cap_s: float) -> None:
        self._base_s, self._cap_s = base_s, cap_s
        self._opens_at = 0.0
        self._failures = 0

    @property
    def is_open(self) -> bool:
        return monotonic() >= self._opens_at

    def failed(self) -> None:
        """Once more without a connection: closed for uniform(0, min(cap, base * 2^failures)) seconds."""
        self._failures += 1
        self._close(random.uniform(0, min(self._cap_s, self._base_s * 2.0 ** min(self._failures, 60))))

    def hold(self, seconds: float) -> None:
        """The office asked for this much; up to as much again is added, so that terminals do not return in step."""
        self._close(min(seconds, self._cap_s) * random.uniform(1, 2))

    def worked(self) -> None:
        self._failures = 0

    def _close(self, seconds: float) -> None:
        self._opens_at = monotonic() + seconds
