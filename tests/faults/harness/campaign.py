"""How much of the campaign is run, and its chance."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

Report = Callable[..., None]
"""report("kill -9", "312 kills", accepted=900, lost=0, doubled=0, other=0, control="red: 3 lost"): a row of the table."""


@dataclass(frozen=True, slots=True)
class Campaign:
    seed: int
    scale: float

    def many(self, count: int, least: int = 1) -> int:
        """`count` at full scale."""
        return max(least, round(count * self.scale))

    def random(self, name: str) -> random.Random:
        """A stream of its own for each purpose: more draws in one change nothing in another."""
        return random.Random(f"{self.seed}/{name}")
