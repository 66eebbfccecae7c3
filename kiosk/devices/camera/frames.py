"""What cameras give: frames with their times, and the format they came in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

Frame = npt.NDArray[np.uint8]
"""(height, width, 3), BGR, not mirrored. Every frame is an array of its own."""

Grey = npt.NDArray[np.uint8]
"""(height, width), not mirrored."""

MIN_WIDTH, MIN_HEIGHT = 640, 360
"""A smaller picture shows a face at arm's length with too few pixels to compare it."""


class Shot(NamedTuple):
    frame: Frame
    t: float
    """time.monotonic() when it arrived, before it was decoded."""
    stamp: float | None = None
    """Seconds on the driver's own clock; None where the source has none."""


@dataclass(frozen=True, slots=True)
class Format:
    """What a source really gives, whatever it was asked for."""

    name: str
    """Four letters such as MJPG, or `file`, `folder`, `stream`."""
    width: int
    height: int
    fps: float
    """0 where the source does not say."""

    @property
    def large_enough(self) -> bool:
        return self.width >= MIN_WIDTH and self.height >= MIN_HEIGHT

    def __str__(self) -> str:
        return f"{self.name} {self.width}x{self.height} at {self.fps:g} fps"


class FrameSource(Protocol):
    """An open source. All calls block for at most a few seconds and belong to one thread."""

    format: Format
    refused: tuple[str, ...]
    """Names of the settings it was asked for and did not take."""

    def read(self) -> Shot:
        """The next frame, when it is time for it. Raises DeviceLost."""

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class FramePair:
    """One instant in colour and, where there is one near enough, in infrared. Times are monotonic seconds of arrival."""

    rgb: Frame
    t_rgb: float
    ir: Grey | None = None
    t_ir: float | None = None

    @property
    def skew(self) -> float | None:
        """Seconds by which the infrared picture is later, negative if earlier."""
        return None if self.t_ir is None else self.t_ir - self.t_rgb
