"""One frame and what was found in it: what gates, liveness checks and enrolment all look at."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from kiosk.domain.liveness import CheckResult
from kiosk.face.align import Grey
from kiosk.face.engine import Box, Image, Points
from kiosk.face.quality import Quality


@dataclass(frozen=True, slots=True)
class Sight:
    """Without a face, `face` and `points` are None and `quality` says so."""

    t: float
    """Monotonic time of the frame, seconds."""
    rgb: Image = field(repr=False)
    grey: Grey = field(repr=False)
    faces: tuple[Box, ...]
    """The followed one first."""
    points: Points | None = field(repr=False)
    """68 points of the followed face in pixels of the frame."""
    quality: Quality
    track: int = 0
    """Number of the face followed: another number is another face, or one that was gone."""
    ir: Grey | None = field(default=None, repr=False)
    """The infrared half of a binocular pair, of its own size."""
    t_ir: float = 0.0

    @property
    def face(self) -> Box | None:
        return self.faces[0] if self.faces else None


class Watch(Protocol):
    """A check that looks on while the person acts and is asked for its word at the end of the challenge."""

    def see(self, sight: Sight) -> None: ...

    def result(self) -> CheckResult: ...

    def wipe(self) -> None:
        """Overwrites every picture it keeps."""
