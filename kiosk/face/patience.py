"""What somebody has been asked for long enough is let be, and the picture is taken as it is.

A bent back, a low nose, a smooth face under a dim lamp: some people cannot do what a gate asks for. These gates are for
the person's sake (a bad picture hardly ever lets a stranger in), so none of them may hold anybody for ever.
"""

from __future__ import annotations

from kiosk.domain.coaching import Coach

FORGIVABLE = frozenset(
    {Coach.BRIGHT, Coach.GLARE, Coach.SIDE_LIT, Coach.BLUR, Coach.RAISE_HEAD, Coach.LOWER_HEAD, Coach.TILTED}
)
"""Not those the liveness rules rely on: one near, bare, lit face that looks ahead with open eyes."""

_STEP_MAX_S = 0.5
"""A gap in the pictures is no time in which somebody was asked."""


class Patience:
    """Counts, gate by gate, how long it alone stood in the way of a face that was there."""

    def __init__(self, seconds: float) -> None:
        """`seconds`: 0 never lets anything be."""
        self.forgiven: frozenset[Coach] = frozenset()
        self._seconds = seconds
        self._asked_s: dict[Coach, float] = {}
        self._last: float | None = None

    def see(self, t: float, coach: Coach | None) -> None:
        """`t`: monotonic time of the frame in seconds; `coach`: what the gate said of it."""
        step = 0.0 if self._last is None else min(t - self._last, _STEP_MAX_S)
        self._last = t
        if not self._seconds or coach not in FORGIVABLE or coach is None:
            return
        self._asked_s[coach] = self._asked_s.get(coach, 0.0) + step
        if self._asked_s[coach] >= self._seconds:
            self.forgiven |= {coach}
