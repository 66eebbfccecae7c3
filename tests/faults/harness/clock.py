"""A clock that steps, in one process: `datetime.now` and `time.time` move by what a file says, the monotonic clock does not."""

from __future__ import annotations

import datetime as dt
import time
from pathlib import Path
from typing import Any


def step_by(file: Path) -> None:
    """file: seconds, read at each look at the clock. Holds for this process from here on."""
    real, real_time = dt.datetime, time.time

    def offset() -> float:
        return float(file.read_text() or 0)

    class Meta(type(real)):  # type: ignore[misc]
        def __instancecheck__(cls, one: Any) -> bool:
            return isinstance(one, real)

    class Stepping(real, metaclass=Meta):
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> Any:
            return real.now(tz) + dt.timedelta(seconds=offset())

    dt.datetime = Stepping  # type: ignore[misc]
    time.time = lambda: real_time() + offset()
