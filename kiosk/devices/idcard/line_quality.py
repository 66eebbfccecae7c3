"""Whether a line that still works has become bad: the share of exchanges that went wrong of late."""

from __future__ import annotations

from collections import deque

WINDOW = 100
"""Exchanges looked back on: 30 s of looking for a card, some minutes of heartbeat."""
MANY = 20
"""So many wrong ones in the window make the line poor …"""
FEW = 4
"""… and no more than these make it good again. The gap keeps the word from flickering."""


class LineQuality:
    """Outlives the openings of a port: a line is no better for having been opened again."""

    def __init__(self) -> None:
        self.poor = False
        self._wrong: deque[bool] = deque(maxlen=WINDOW)

    def note(self, good: bool) -> None:
        """One exchange: answered cleanly, or not."""
        self._wrong.append(not good)
        wrong = sum(self._wrong)
        self.poor = wrong > FEW if self.poor else wrong >= MANY
