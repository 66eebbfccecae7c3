"""How often a code was guessed wrong lately: after ten in ten minutes none is looked at for a while.

Kept in memory: one process serves the office, and a guess costs more than the tenth of a second a restart would save.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

LIMIT = 10
WINDOW_S = 600.0


class Guesses:
    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._at: deque[float] = deque(maxlen=LIMIT)

    def wrong(self) -> None:
        with self._lock:
            self._at.append(self._monotonic())

    def locked_s(self) -> float:
        """How long no code is looked at; 0: it is."""
        with self._lock:
            if len(self._at) < LIMIT:
                return 0.0
            return max(0.0, self._at[0] + WINDOW_S - self._monotonic())

    def forget(self) -> None:
        with self._lock:
            self._at.clear()


guesses = Guesses()
"""Of this process."""
