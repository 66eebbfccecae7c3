"""Sights without pictures of people: the exact model face does what a test says, a frame at a time.

The grey picture is noise that stays where it is, so that the eyes correlate with themselves; shut eyes are other noise.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache

import cv2
import numpy as np
from model_face import head, mouth_open, template

from kiosk.devices.emulated.portrait import Pose
from kiosk.domain.coaching import Coach
from kiosk.domain.liveness import Check, CheckOutcome, CheckResult
from kiosk.face.align import Grey
from kiosk.face.engine import Box, Points
from kiosk.face.quality import Quality
from kiosk.face.sight import Sight

STEP = 0.08
"""12.5 frames a second."""
FACE = Box(230, 150, 410, 330)


class Doing(StrEnum):
    AHEAD = "ahead"
    EYES_SHUT = "eyes_shut"
    MOUTH_OPEN = "mouth_open"
    LEFT = "left"
    RIGHT = "right"
    A_LITTLE_LEFT = "a_little_left"
    """As a face that is not ahead, but has not turned either."""
    LIKE_A_SHEET = "like_a_sheet"
    """The yaw ratio of a head turned left, without its nose."""
    GONE = "gone"
    WITH_ANOTHER = "with_another"
    MASKED = "masked"
    BLURRED = "blurred"
    """No picture to compare, but good enough to act in."""


SPOILT = {Doing.GONE: Coach.NO_FACE, Doing.WITH_ANOTHER: Coach.MULTI, Doing.MASKED: Coach.MASK}
_YAW = {Doing.LEFT: 20.0, Doing.RIGHT: -20.0, Doing.A_LITTLE_LEFT: 8.0}


def sight(
    t: float, doing: Doing = Doing.AHEAD, track: int = 1, coach: Coach | None = None, size: tuple[int, int] = (48, 64)
) -> Sight:
    """`coach`: what the gate says, instead of what it would say; `size`: of the colour picture, which few look into."""
    if coach is None:
        turned = Coach.TURNED if abs(_YAW.get(doing, 0.0)) > 10 else None
        coach = SPOILT.get(doing) or (Coach.BLUR if doing is Doing.BLURRED else turned)
    rgb = np.full((*size, 3), 1 + round(t * 1000) % 255, np.uint8)
    if doing is Doing.GONE:
        return Sight(t, rgb, grey(False), (), None, Quality(coach), track)
    faces = (FACE, FACE) if doing is Doing.WITH_ANOTHER else (FACE,)
    return Sight(t, rgb, grey(doing is Doing.EYES_SHUT), faces, points(doing).copy(), Quality(coach), track)


@cache
def points(doing: Doing) -> Points:
    if doing is Doing.LIKE_A_SHEET:
        flat = head(Pose())
        flat[30, 0] += 0.175 * 85
        return flat
    face = mouth_open() if doing is Doing.MOUTH_OPEN else template()
    return head(Pose(yaw=_YAW.get(doing, 0.0)), face)


def grey(eyes_shut: bool) -> Grey:
    return grey_with(left_shut=eyes_shut, right_shut=eyes_shut)


@cache
def grey_with(left_shut: bool, right_shut: bool) -> Grey:
    """Left and right as in the picture."""
    rng = np.random.default_rng(1)
    noise, other = (cv2.GaussianBlur(255 * rng.random((480, 640)), (0, 0), 3) for _ in range(2))
    for shut, columns in ((left_shut, slice(240, 310)), (right_shut, slice(330, 400))):
        if shut:
            noise[185:222, columns] = other[185:222, columns]
    wide = cv2.normalize(noise, np.empty_like(noise), 0, 255, cv2.NORM_MINMAX)
    return np.asarray(wide, dtype=np.uint8)


class Onlooker:
    """A watch that says what it is told to, and counts what it saw."""

    def __init__(self, check: Check = Check.FRESH, outcome: CheckOutcome = CheckOutcome.PASSED) -> None:
        self.word = CheckResult(check, outcome)
        self.seen: list[float] = []
        self.wiped = False

    def see(self, sight: Sight) -> None:
        self.seen.append(sight.t)

    def result(self) -> CheckResult:
        return self.word

    def wipe(self) -> None:
        self.wiped = True
