"""The screen's colours in the face: a random sequence is shown, and skin throws it back in its order.

Stops recordings and injected video, which cannot know the sequence, and screens, which throw back next to nothing.
Does not stop paper, which throws back as skin does. Needs a room in which the screen is seen on a face at all: in
sunlight it says UNCLEAR. The formula was measured on rendered faces under modelled light, not yet on people.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from kiosk.config.face import FlashConfig
from kiosk.domain.coaching import FlashPlan
from kiosk.domain.liveness import Check, CheckOutcome, CheckResult
from kiosk.face.coverings import small_face
from kiosk.face.engine import Image, Points
from kiosk.face.sight import Sight

_COLOURS = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (255, 0, 255), (0, 255, 255))
_DELAYS_S = (0.0, 0.08, 0.16, 0.24, 0.32, 0.40)
"""Of screen, camera and the way between; the best fitting one counts."""
_SOFT = (0.2, 0.6, 0.2)
"""A colour changes over three frames: exposure time and the screen's own."""
_GAIN = 2.2
"""Makes the amplitude about the share by which the face brightens, where white balance takes 60 % of it back."""
_STRIP = 60 / 640
"""Of the frame's width on either side: what the light does that is not the screen's."""
_STRIP_STRIDE = 4
_FRAMES_PER_COLOUR = 3
_TOO_BRIGHT = 230.0
"""Mean of a channel of the skin: above, much of it is white already and cannot follow."""
_OTHERS = 2.0
"""Colours that play so much more than a face has to follow are not noise: they are others than ours."""

_OUTLINE = [*range(1, 16), *range(26, 16, -1)]
_HOLES = (range(36, 42), range(42, 48), range(48, 60))
"""Eyes and mouth."""

Series = npt.NDArray[np.float64]
"""(n, 3): a value per frame and channel, RGB."""
Times = npt.NDArray[np.float64]
"""(n,) seconds."""


@dataclass(frozen=True, slots=True)
class Response:
    correlation: float
    """Of shown and seen colours, 1 at best."""
    amplitude: float
    """The share by which the face follows."""
    stir: float
    """The amplitude its colours would have if all they did were following."""


class FlashCheck:
    """For one challenge: its sequence is drawn once and never again."""

    def __init__(self, config: FlashConfig, rng: random.Random) -> None:
        self._config = config
        self._plan = FlashPlan(_draw(config.colours, rng), config.step_s)
        self._begun_at: float | None = None
        self._seen: list[tuple[float, Series, Series]] = []

    @property
    def seconds(self) -> float:
        """From `begin` until the last colour can have been seen."""
        return self._config.colours * self._config.step_s + _DELAYS_S[-1]

    def plan(self) -> FlashPlan:
        return self._plan

    def begin(self, t: float) -> None:
        """The screen starts with the first colour at this time, or up to 0.4 s later."""
        self._begun_at = t
        self._seen.clear()

    def see(self, sight: Sight) -> None:
        if self._begun_at is None or sight.points is None or not 0 <= sight.t - self._begun_at <= self.seconds:
            return
        self._seen.append((sight.t - self._begun_at, skin_colour(sight.rgb, sight.points), strip_colour(sight.rgb)))

    def result(self) -> CheckResult:
        """value: the correlation; for `no_response` the amplitude, for `too_bright` the brightest channel's mean."""
        config = self._config
        if self._begun_at is None:
            return CheckResult(Check.FLASH, CheckOutcome.NOT_DONE)
        if len(self._seen) < _FRAMES_PER_COLOUR * config.colours:
            return CheckResult(Check.FLASH, CheckOutcome.UNCLEAR, reason="too_few")
        times, skin, strips = (np.array(values) for values in zip(*self._seen, strict=True))
        brightest = float(np.median(skin, axis=0).max())
        if brightest > _TOO_BRIGHT:
            return CheckResult(Check.FLASH, CheckOutcome.UNCLEAR, brightest, _TOO_BRIGHT, "too_bright")
        seen = response(times, skin, strips, self._plan)
        follows = seen.correlation > config.correlation_min
        if follows and seen.amplitude >= config.amplitude_min:
            return CheckResult(Check.FLASH, CheckOutcome.PASSED, seen.correlation, config.correlation_min)
        if follows or seen.stir < _OTHERS * config.amplitude_min:
            return CheckResult(Check.FLASH, CheckOutcome.UNCLEAR, seen.amplitude, config.amplitude_min, "no_response")
        return CheckResult(Check.FLASH, CheckOutcome.FAILED, seen.correlation, config.correlation_min, "wrong_colours")

    def wipe(self) -> None:
        self._seen.clear()


def response(times: Times, skin: Series, strips: Series, plan: FlashPlan) -> Response:
    """How skin followed the plan. times: since its beginning; skin, strips: mean grey levels per channel."""
    seen = _detrended(times, np.log(np.maximum(skin, 1)) - np.log(np.maximum(strips, 1)))
    best = Response(0.0, 0.0, 0.0)
    for delay in _DELAYS_S:
        shown = _detrended(times, _shown(times - delay, plan))
        common, own, wanted = float((seen * shown).sum()), float((seen**2).sum()), float((shown**2).sum())
        if own > 0 and wanted > 0 and common / math.sqrt(own * wanted) > best.correlation:
            best = Response(common / math.sqrt(own * wanted), _GAIN * common / wanted, _GAIN * math.sqrt(own / wanted))
    return best


def skin_colour(rgb: Image, points: Points) -> Series:
    """(3,): mean of the face without eyes and mouth."""
    small, at = small_face(rgb, points)
    corners = np.round(at).astype(np.int32)
    inside = np.zeros(small.shape[:2], dtype=np.uint8)
    cv2.fillConvexPoly(inside, cv2.convexHull(corners[_OUTLINE]), 255)
    for hole in _HOLES:
        cv2.fillConvexPoly(inside, cv2.convexHull(corners[list(hole)]), 0)
    return np.array(cv2.mean(small, inside)[:3])


def strip_colour(rgb: Image) -> Series:
    """(3,): mean of the outer strips of the frame."""
    wide = max(1, round(_STRIP * rgb.shape[1]))
    rows = rgb[::_STRIP_STRIDE]
    return np.asarray((rows[:, :wide].mean(axis=(0, 1)) + rows[:, -wide:].mean(axis=(0, 1))) / 2, dtype=np.float64)


def _draw(count: int, rng: random.Random) -> tuple[tuple[int, int, int], ...]:
    drawn = [rng.choice(_COLOURS)]
    while len(drawn) < count:
        drawn.append(rng.choice([colour for colour in _COLOURS if colour != drawn[-1]]))
    return tuple(drawn)


def _shown(times: Times, plan: FlashPlan) -> Series:
    """The colour at each time, 0 or 1 a channel, softened over frames. Before and after the plan the screen is grey."""
    step = np.floor(times / plan.step_s).astype(int) + 1
    table = np.vstack([np.zeros(3), np.array(plan.colours) / 255, np.zeros(3)])
    sharp = table[np.clip(step, 0, len(plan.colours) + 1)]
    framed = np.vstack([sharp[:1], sharp, sharp[-1:]])
    return np.asarray(_SOFT[0] * framed[:-2] + _SOFT[1] * framed[1:-1] + _SOFT[2] * framed[2:], dtype=np.float64)


def _detrended(times: Times, values: Series) -> Series:
    """Without what all channels do together, and without slow drift: only the play of colours is left."""
    chroma = values - values.mean(axis=1, keepdims=True)
    middle, half = (times[0] + times[-1]) / 2, (times[-1] - times[0]) / 2
    unit = (times - middle) / half if half > 0 else times - middle
    design = np.vander(unit, 3)
    fit, *_ = np.linalg.lstsq(design, chroma, rcond=None)
    return np.asarray(chroma - design @ fit, dtype=np.float64)
