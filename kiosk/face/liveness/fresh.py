"""Whether the pictures come from a camera that looks at something now: none twice, no loop, no standstill, no clock running back.

A sensor's noise makes every picture of a living person another one, to the last bit even after JPEG. Stops recordings
that are played round and round and feeds that hang; a long recording shown once is fresh, and other checks' business.
"""

from __future__ import annotations

import hashlib
from collections import deque

import cv2
import numpy as np
import numpy.typing as npt

from kiosk.config.face import LivenessConfig
from kiosk.domain.liveness import Check, CheckOutcome, CheckResult
from kiosk.face.align import Grey
from kiosk.face.engine import Box
from kiosk.face.picture import halved
from kiosk.face.sight import Sight

_STRIDE = 4
"""Every fourth pixel of every fourth row is thousands of pixels of noise: enough that no two pictures share them."""
_ENOUGH = 5
"""Fewer pictures with a face say nothing."""

_THUMB, _HALFWAY = (16, 12), (64, 48)
_FINE = 4
"""So many times as wide as halfway a picture is halved first, which is faster."""
_THUMB_MEAN = 128.0
"""Thumbnails are made equally bright: light that flickers is no motion."""
_PAD = 0.75
"""Face widths round the first box: what is looked at, so that a fan or a television does not count."""
_KEPT_S = 45.0
"""Thumbnails looked through for a loop."""
_STEP_S = 0.04
"""They are compared on an even grid of times; cameras and workers skip frames as they like."""

_LOOP_S = 1.2
"""So long the same pictures have to follow each other in the same order."""
_LOOP_STIR = 1.0
"""Root mean square, grey levels: a thumbnail moves at least so much in that time. A person at rest is always alike."""
_LOOP_DIFFERENCE, _LOOP_SHARE = 0.5, 0.15
"""A loop differs from itself by noise and coding alone: in grey levels, and as a share of its own motion. Rendered:
loops with new noise and new JPEG 0.1 to 0.3 and at most 0.06; living people, also trembling ones or with the same
turn again and again, at least 0.8 and at least 0.07."""

Thumb = npt.NDArray[np.float64]
"""(pixels,)."""
Thumbs = npt.NDArray[np.float64]
"""(n, pixels)."""
Times = npt.NDArray[np.float64]
"""(n,) seconds, rising."""


class FreshWatch:
    """Looks at pictures with a face only: before, and while a camera starts, black pictures may well be equal."""

    def __init__(self, config: LivenessConfig) -> None:
        self._frozen_s = config.frozen_s
        self._known: dict[bytes, float] = {}
        self._last = b""
        self._changed_at = 0.0
        self._still_s = 0.0
        self._t = -float("inf")
        self._seen = 0
        self._failed: CheckResult | None = None
        self._frame: tuple[int, ...] = ()
        self._part = (slice(None), slice(None))
        self._thumbs: deque[tuple[float, Thumb]] = deque()

    def see(self, sight: Sight) -> None:
        if sight.t <= self._t:
            self._fail("time", sight.t - self._t, 0.0)
        self._t = sight.t
        if sight.face is None:
            return
        self._seen += 1
        self._compare(sight)
        if sight.grey.shape != self._frame:
            self._frame, self._part = sight.grey.shape, _around(sight.face)
        self._thumbs.append((sight.t, thumbnail(sight.grey[self._part])))
        while sight.t - self._thumbs[0][0] > _KEPT_S:
            self._thumbs.popleft()[1].fill(0)

    def result(self) -> CheckResult:
        """value: seconds; of the lag where pictures came again, of the standstill otherwise."""
        if self._failed is not None:
            return self._failed
        if self._seen == 0:
            return CheckResult(Check.FRESH, CheckOutcome.NOT_DONE)
        if self._seen < _ENOUGH:
            return CheckResult(Check.FRESH, CheckOutcome.UNCLEAR, reason="too_few")
        lag = find_loop(np.array([t for t, _ in self._thumbs]), np.array([thumb for _, thumb in self._thumbs]))
        if lag is not None:
            return CheckResult(Check.FRESH, CheckOutcome.FAILED, lag, reason="loop")
        return CheckResult(Check.FRESH, CheckOutcome.PASSED, self._still_s, self._frozen_s)

    def wipe(self) -> None:
        for _, thumb in self._thumbs:
            thumb.fill(0)
        self._thumbs.clear()
        self._known.clear()

    def _compare(self, sight: Sight) -> None:
        digest = hashlib.blake2b(sight.grey[::_STRIDE, ::_STRIDE].tobytes(), digest_size=16).digest()
        if digest == self._last:
            self._still_s = max(self._still_s, sight.t - self._changed_at)
            if self._still_s >= self._frozen_s:
                self._fail("frozen", self._still_s, self._frozen_s)
            return
        if digest in self._known:
            self._fail("repeated", sight.t - self._known[digest], 0.0)
        self._known[digest] = sight.t
        self._last, self._changed_at = digest, sight.t

    def _fail(self, reason: str, value: float, limit: float) -> None:
        if self._failed is None:
            self._failed = CheckResult(Check.FRESH, CheckOutcome.FAILED, value, limit, reason)


def thumbnail(grey: Grey) -> Thumb:
    while grey.shape[1] >= _FINE * _HALFWAY[0]:
        grey = halved(grey)
    halfway = cv2.resize(grey, _HALFWAY, interpolation=cv2.INTER_AREA).astype(np.float32)  # means finer than grey levels
    flat = np.asarray(cv2.resize(halfway, _THUMB, interpolation=cv2.INTER_AREA), dtype=np.float64).ravel()
    return np.asarray(flat * _THUMB_MEAN / max(1.0, flat.mean()), dtype=np.float64)


def find_loop(times: Times, thumbs: Thumbs) -> float | None:
    """The lag in seconds after which the same pictures came again in the same order, if they did."""
    even = np.arange(times[0], times[-1], _STEP_S)
    window = round(_LOOP_S / _STEP_S)
    if len(even) < 2 * window:
        return None
    at = np.array([np.interp(even, times, pixel) for pixel in thumbs.T]).T
    at -= at.mean(axis=0)
    square = (at * at).mean(axis=1)
    apart = np.maximum(square[:, None] + square - 2 * (at @ at.T) / at.shape[1], 0)
    stir = np.sqrt(np.maximum(_running_mean(square, window) - (_running_mean(at, window) ** 2).mean(axis=1), 0))
    near = apart <= 2 * _LOOP_DIFFERENCE**2
    for lag in range(window, len(even) - window):
        if 2 * np.count_nonzero(np.diagonal(near, lag)) < window:
            continue  # no window of this lag can have a mean small enough; looking into each costs thirty times as much
        difference = np.sqrt(_running_mean(np.diagonal(apart, lag), window))
        moved = stir[lag:]
        if np.any((moved >= _LOOP_STIR) & (difference <= _LOOP_DIFFERENCE) & (difference <= _LOOP_SHARE * moved)):
            return lag * _STEP_S
    return None


def _running_mean(values: Thumbs, window: int) -> Thumbs:
    """(n - window + 1, …): of each `window` values in a row."""
    sums = np.cumsum(np.concatenate([np.zeros_like(values[:1]), values]), axis=0)
    return np.asarray((sums[window:] - sums[:-window]) / window, dtype=np.float64)


def _around(face: Box) -> tuple[slice, slice]:
    pad = round(_PAD * face.width)
    return slice(max(0, face.top - pad), face.bottom + pad), slice(max(0, face.left - pad), face.right + pad)
