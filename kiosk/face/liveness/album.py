"""The few full frames of a challenge that are compared later, taken while the face looked ahead."""

from __future__ import annotations

from dataclasses import dataclass, field

from kiosk.face.engine import Box, Image
from kiosk.face.sight import Sight


@dataclass(frozen=True, slots=True)
class Kept:
    """A frame of its own memory; overwritten by `Album.wipe`."""

    t: float
    rgb: Image = field(repr=False)
    face: Box
    sharpness: float
    part: int
    """0: before the first request; k: after the k-th."""


class Album:
    """So many frames in all, shared out evenly over the parts of the challenge, at least one in each."""

    def __init__(self, frames: int, parts: int, spread_s: float) -> None:
        """`spread_s`: frames of one part are so far apart that as many in a row would span this time."""
        self._quota = [max(1, frames // parts + (part < frames % parts)) for part in range(parts)]
        self._apart = spread_s / max(1, frames - 1)
        self.kept: list[Kept] = []

    def wants(self, part: int, t: float) -> bool:
        last = self.kept[-1] if self.kept else None
        return not self.full(part) and (last is None or t - last.t >= self._apart)

    def full(self, part: int) -> bool:
        return sum(one.part == part for one in self.kept) >= self._quota[part]

    def keep(self, sight: Sight, part: int) -> None:
        if sight.face is not None:
            self.kept.append(Kept(sight.t, sight.rgb.copy(), sight.face, sight.quality.sharpness, part))

    def wipe(self) -> None:
        for one in self.kept:
            one.rgb.fill(0)
        self.kept.clear()
