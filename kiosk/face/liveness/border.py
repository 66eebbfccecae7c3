"""Straight borders round the face: the rim of a print, a telephone, a tablet.

A risk, not a proof: hands or a large print hide the rim, and people stand before doors. What stands still while the
face moves is the room's and does not count. Nothing but lines' places is kept.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
import numpy.typing as npt

from kiosk.config.face import LivenessConfig
from kiosk.domain.liveness import Check, CheckOutcome, CheckResult
from kiosk.face import geometry
from kiosk.face.align import Grey
from kiosk.face.engine import Box
from kiosk.face.sight import Sight

_EVERY_S = 0.33
"""A look costs some milliseconds."""
_LOOKS_MIN = 5

_FACE_PX = 100
"""Face width at which lines are looked for; all lengths below are pixels of that scale, measured on photographs."""
_ASIDE, _ABOVE, _BELOW = 160, 160, 200
_GAP_ASIDE, _GAP = 2, 5
_MARGIN = 10
_CANNY = 40, 110
_VOTES, _LENGTH, _BREAK = 50, 90, 8
_UPRIGHT_DEG, _LEVEL_DEG = 20.0, 20.0
"""How far a side may lean."""

_FACE_MOVED = 0.012
"""Standard deviation in face widths: below, it cannot be told what goes with the face. A turn of the head is 0.02."""
_SAME_LINE = 0.03
"""Face widths from the median: farther, another line was the nearest one for once."""
_STANDS_STILL = 0.5
"""A line is the room's if it moves in the picture less than half as much as beside the face."""


Line = npt.NDArray[np.float64]
"""(4,): x, y of one end, x, y of the other."""


class Side(StrEnum):
    LEFT = "left"
    """In the picture."""
    RIGHT = "right"
    TOP = "top"
    BOTTOM = "bottom"


_UPRIGHT = frozenset({Side.LEFT, Side.RIGHT})


@dataclass(frozen=True, slots=True)
class _Look:
    face: tuple[float, float]
    """Middle of the eyes, pixels of the frame."""
    width: float
    lines: dict[Side, float]


class BorderWatch:
    def __init__(self, config: LivenessConfig) -> None:
        self._limit = config.border_sides
        self._next_at = -math.inf
        self._looks: list[_Look] = []

    def see(self, sight: Sight) -> None:
        if sight.face is None or sight.points is None or sight.t < self._next_at:
            return
        self._next_at = sight.t + _EVERY_S
        x, y = np.mean(geometry.eye_centres(sight.points), axis=0)
        self._looks.append(_Look((float(x), float(y)), sight.face.width, find_sides(sight.grey, sight.face)))

    def result(self) -> CheckResult:
        """value: how many sides are seen in more than half of the looks."""
        if len(self._looks) < _LOOKS_MIN:
            outcome = CheckOutcome.UNCLEAR if self._looks else CheckOutcome.NOT_DONE
            return CheckResult(Check.BORDER, outcome, limit=self._limit, reason="too_few" if self._looks else "")
        borders = frozenset(side for side in Side if not self._stands_still(side))
        sides = float(np.median([len(borders & look.lines.keys()) for look in self._looks]))
        if sides >= self._limit:
            return CheckResult(Check.BORDER, CheckOutcome.FAILED, sides, self._limit, "straight_border")
        return CheckResult(Check.BORDER, CheckOutcome.PASSED, sides, self._limit)

    def wipe(self) -> None:
        self._looks.clear()

    def _stands_still(self, side: Side) -> bool:
        axis = 0 if side in _UPRIGHT else 1
        seen = [look for look in self._looks if side in look.lines]
        if len(seen) < _LOOKS_MIN:
            return False
        faces = np.array([look.face[axis] for look in seen])
        lines = np.array([look.lines[side] for look in seen])
        width = float(np.mean([look.width for look in seen]))
        same = np.abs(lines - np.median(lines)) <= _SAME_LINE * width
        faces, lines = faces[same], lines[same]
        if len(lines) < _LOOKS_MIN or faces.std() < _FACE_MOVED * width:
            return False
        return bool(lines.std() < _STANDS_STILL * (lines - faces).std())


def find_sides(grey: Grey, face: Box) -> dict[Side, float]:
    """Where the line nearest to the face runs on each side that has one: x or y at the face's middle, pixels of the frame."""
    scale = _FACE_PX / face.width
    left, top = (max(0, round(edge)) for edge in (face.left - (_ASIDE + _MARGIN) / scale, face.top - (_ABOVE + _MARGIN) / scale))
    right, bottom = round(face.right + (_ASIDE + _MARGIN) / scale), round(face.bottom + (_BELOW + _MARGIN) / scale)
    small = cv2.resize(grey[top:bottom, left:right], None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    edges = cv2.Canny(cv2.GaussianBlur(small, (0, 0), 1.0), *_CANNY)
    found = cv2.HoughLinesP(edges, 1, math.radians(0.5), _VOTES, minLineLength=_LENGTH, maxLineGap=_BREAK)
    if found is None:
        return {}
    here = Box(*(round((edge - start) * scale) for edge, start in (
        (face.left, left), (face.top, top), (face.right, left), (face.bottom, top),
    )))
    nearest: dict[Side, tuple[float, float]] = {}
    for line in found.reshape(-1, 4).astype(np.float64):  # (n, 1, 4) or (n, 4), as OpenCV's version will have it
        for side, away, at in _as_side(line, here):
            if side not in nearest or away < nearest[side][0]:
                nearest[side] = (away, at)
    return {side: at / scale + (left if side in _UPRIGHT else top) for side, (_, at) in nearest.items()}


def _as_side(line: Line, face: Box) -> Iterator[tuple[Side, float, float]]:
    """The side a line may be, how far it is from the face, and where it runs."""
    x0, y0, x1, y1 = line
    lean = math.degrees(math.atan2(y1 - y0, x1 - x0)) % 180
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    if abs(lean - 90) <= _UPRIGHT_DEG and max(y0, y1) > face.top and min(y0, y1) < face.bottom:
        at = x + (face.centre[1] - y) * (x1 - x0) / (y1 - y0)
        for side, away in ((Side.LEFT, face.left - x), (Side.RIGHT, x - face.right)):
            if _GAP_ASIDE <= away <= _ASIDE:
                yield side, away, at
    elif min(lean, 180 - lean) < _LEVEL_DEG and max(x0, x1) > face.left and min(x0, x1) < face.right:
        at = y + (face.centre[0] - x) * (y1 - y0) / (x1 - x0)
        for side, away, limit in ((Side.TOP, face.top - y, _ABOVE), (Side.BOTTOM, y - face.bottom, _BELOW)):
            if _GAP <= away <= limit:
                yield side, away, at
