"""The blink: how well the eye patches still look like the person's own open eyes.

Correlation with the own baseline sees a blink on faces whose lid landmarks do not follow it, and is not fooled by
a photograph that is waved. It is never proof alone: eyes cut out of a print blink. Constants measured on rendered
clips at 12.5 frames per second; expressed as times here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from kiosk.face import geometry
from kiosk.face.align import Grey, cut_face
from kiosk.face.engine import Points

OPEN = 0.96
CLOSED = 0.92
NOSE = 0.90

_CLOSED_MAX_S = 0.60
"""From the first to the last closed frame: 8 frames at 12.5 per second. Longer is not a blink."""
_BEFORE_S = 0.32
_AFTER_S = 0.40
_YAW_MAX = 0.15
_SLACK_S = 0.01
"""Frames are not taken to the millisecond."""
_KEPT_S = _BEFORE_S + _CLOSED_MAX_S + _AFTER_S + 1.0
"""Older samples can be part of no blink any more."""

_EYE_PX, _EYES_AT, _PATCH = 90.0, (120.0, 60.0), (240, 170)
_LEFT_EYE, _RIGHT_EYE, _NOSE_BOX = (50, 42, 46, 38), (144, 42, 46, 38), (85, 80, 70, 60)
_SEARCH_PX = 5


@dataclass(frozen=True, slots=True)
class Likeness:
    """Normalised correlation of one frame with the baseline, 1 is equal."""

    t: float
    eyes: float
    """The better of the two: a blink closes both."""
    nose: float
    turned: bool
    """The head is turned away from where it was in the baseline."""


def patch(grey: Grey, points: Points) -> Grey:
    """The face at the size and place in which patches are compared."""
    return np.asarray(cv2.GaussianBlur(cut_face(grey, points, _EYE_PX, _EYES_AT, _PATCH), (0, 0), 1.2), dtype=np.uint8)


def likeness(baseline: Grey, yaw: float, t: float, grey: Grey, points: Points) -> Likeness:
    """`baseline`: the median patch of the still face; `yaw`: its yaw ratio."""
    now = patch(grey, points)
    eyes = max(_correlation(baseline, now, box) for box in (_LEFT_EYE, _RIGHT_EYE))
    turned = abs(geometry.yaw_ratio(points) - yaw) > _YAW_MAX
    return Likeness(t, eyes, _correlation(baseline, now, _NOSE_BOX), turned)


def find_blink(samples: Sequence[Likeness]) -> float | None:
    """A short run of closed eyes in an otherwise still face, with open eyes just before and just after it.

    How unlike open eyes they were: the smallest `eyes` of the run. None: no blink.
    """
    first = 0
    while first < len(samples):
        if samples[first].eyes >= CLOSED:
            first += 1
            continue
        last = first
        while last + 1 < len(samples) and samples[last + 1].eyes < CLOSED:
            last += 1
        if _is_blink(samples, first, last):
            return min(one.eyes for one in samples[first : last + 1])
        first = last + 1
    return None


def _is_blink(samples: Sequence[Likeness], first: int, last: int) -> bool:
    run = samples[first : last + 1]
    begin, end = run[0].t, run[-1].t
    if end - begin > _CLOSED_MAX_S + _SLACK_S or any(one.nose < NOSE or one.turned for one in run):
        return False
    before = [one.eyes for one in samples[:first] if begin - one.t <= _BEFORE_S + _SLACK_S]
    after = [one.eyes for one in samples[last + 1 :] if one.t - end <= _AFTER_S + _SLACK_S]
    return max(before, default=0.0) > OPEN and max(after, default=0.0) > OPEN


class BlinkCheck:
    """Watches from the request on for one blink of both eyes."""

    def __init__(self, baseline: Grey, yaw: float) -> None:
        self._baseline = baseline
        self._yaw = yaw
        self._samples: list[Likeness] = []
        self.value: float | None = None
        """Correlation of the closed eyes with the open ones."""
        self.limit = CLOSED

    @property
    def seen(self) -> bool:
        return self.value is not None

    def watch(self, t: float, grey: Grey, points: Points) -> Likeness:
        """`seen` becomes true with the frame that completes a blink."""
        sample = likeness(self._baseline, self._yaw, t, grey, points)
        self._samples = [one for one in self._samples if t - one.t <= _KEPT_S]
        self._samples.append(sample)
        if self.value is None:
            self.value = find_blink(self._samples)
        return sample


def _correlation(template: Grey, now: Grey, box: tuple[int, int, int, int]) -> float:
    x, y, w, h = box
    wanted = template[y : y + h, x : x + w]
    around = now[y - _SEARCH_PX : y + h + _SEARCH_PX, x - _SEARCH_PX : x + w + _SEARCH_PX]
    return float(cv2.matchTemplate(around, wanted, cv2.TM_CCOEFF_NORMED).max())
