"""One sentence at a time: it is heard out, flicker does not replace it, and it is said again when nothing happens."""

from __future__ import annotations

from kiosk.domain.coaching import Coach

_NOTHING_TO_HEED = frozenset({Coach.HOLD_STILL, Coach.WORKING})
"""The person already does what they say."""


class SteadyPrompt:
    HOLD_S = 1.5
    """A prompt stays at least this long."""
    SETTLE_S = 0.3
    """Another one has to be wanted for this long."""
    REPEAT_S = 6.0
    """An unheeded prompt is brought again after this time: said calmly, with a pause to act in."""

    def __init__(self) -> None:
        self.current: Coach | None = None
        self._said_at = 0.0
        self._shown_at = 0.0
        self._wanted: Coach | None = None
        self._wanted_since = 0.0

    def show(self, wanted: Coach, now: float) -> Coach | None:
        """The prompt to be said now: a new one, or the current one again. None: leave the person in peace."""
        if wanted is not self._wanted:
            self._wanted, self._wanted_since = wanted, now
        if wanted is self.current:
            if wanted in _NOTHING_TO_HEED or now - self._said_at < self.REPEAT_S:
                return None
            self._said_at = now
            return wanted
        if self.current is not None and (now - self._shown_at < self.HOLD_S or now - self._wanted_since < self.SETTLE_S):
            return None
        self.current, self._shown_at, self._said_at = wanted, now, now
        return wanted
