"""Two eyes: the colour picture and an infrared one from a little aside, taken in the same instant.

Infrared: a screen is dark at 850 nm. Relief: seen from two places, the points of a print move like one plane, those of
a face do not; the fit needs no calibration, because size, turn and offset of the second camera are affine too. A print
bent round a face is no plane: relief stops flat ones only, and together with infrared whatever shines by itself.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

from kiosk.config.face import LivenessConfig
from kiosk.domain.liveness import Check, CheckOutcome, CheckResult
from kiosk.face import geometry
from kiosk.face.align import Grey
from kiosk.face.engine import Box, FaceEngine, Image, Points
from kiosk.face.sight import Sight

Residuals = npt.NDArray[np.float64]
"""(17, 2): how far each point lies off its place on a plane, across and down, in eye distances."""

_EVERY_S = 0.25
"""Finding the face again and its points in both pictures costs about 25 ms."""
_REGION_FACE_PX = 100
_ASIDE, _ALOFT = 0.7, 0.25
"""How far from its place in the colour picture the face may lie, in its widths. Two lenses 60 mm apart see a face 0.4 of
its width aside, whatever its distance."""
_SIZE_MAX = 1.4
_LOOKS_MIN = 3
_BAD_MAX = 0.25
"""Share of looks: the detector now and then misses a face."""

_PAIRS_MIN = 5
_DOWN_MAX = 0.04
"""Eye distances. The lenses lie side by side: what moves up or down between them was not well seen."""
_STEADY = [*range(27, 36), 36, 39, 42, 45, 48, 51, 54, 57]
"""Nose, corners of the eyes, mouth. Lids and jaw shake too much, and brows jump to the rim of glasses and back."""
_NUDGES = tuple(np.array(nudge) for nudge in ((0.0, 0.0), (0.04, 0.0), (-0.04, 0.0), (0.0, 0.04), (0.0, -0.04)))
"""Box widths: the points shake with the box they are looked for in, their mean over some boxes half as much."""
_NOISE_WEIGHT = 2.0
"""The square of a mean over so few points is off by a third: taken off once only, one flat print in seven passed where
points shook by 1.5 pixels."""
_CONTEXT = 0.5
"""Face widths round the box that the points may lie in."""
_GREY, _CONTRAST = 128.0, 50.0


@dataclass(frozen=True, slots=True)
class Look:
    """One pair."""

    grey: float
    """Mean grey in infrared: of the face, or of the place where it should be."""
    trouble: str
    """Empty: found where it should be."""
    residuals: Residuals | None = field(default=None, repr=False)


class Binocular:
    """Looks at a few pairs a second for both checks."""

    def __init__(self, engine: FaceEngine, config: LivenessConfig, skew_s: float) -> None:
        """`skew_s`: colour and infrared further apart in time are no pair."""
        self._engine = engine
        self._dark_below = config.infrared_min
        self._skew_s = skew_s
        self._next_at = -math.inf
        self.paired = False
        """At least one pair has come."""
        self.looks: list[Look] = []

    def see(self, sight: Sight) -> None:
        if sight.ir is None or abs(sight.t_ir - sight.t) > self._skew_s:
            return
        self.paired = True
        if sight.face is not None and sight.points is not None and sight.quality.coach is None and sight.t >= self._next_at:
            self._next_at = sight.t + _EVERY_S
            self.looks.append(self._look(sight.grey, sight.face, sight.points, sight.ir))

    def _look(self, colour: Grey, face: Box, points: Points, ir: Grey) -> Look:
        place = _same_place(face, colour, ir)
        found = self._find(ir, place)
        grey = _mean(ir, found or place)
        trouble = self._trouble(place, found, grey)
        return Look(grey, trouble, None if trouble or found is None else self._compare(colour, face, points, ir, found))

    def _find(self, ir: Grey, place: Box) -> Box | None:
        """The largest face round the place where it should be."""
        region, left, top = _around(ir, place, 1.0)
        if region.size == 0:
            return None
        scale = _REGION_FACE_PX / place.width
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        scaled = cv2.resize(region, None, fx=scale, fy=scale, interpolation=how)
        picture = _as_rgb(np.asarray(scaled, dtype=np.uint8))
        boxes = self._engine.detect(picture)
        picture.fill(0)
        if not boxes:
            return None
        box = max(boxes, key=lambda one: one.width)
        x, y = box.centre
        return _box((x / scale + left, y / scale + top), box.width / scale)

    def _trouble(self, place: Box, found: Box | None, grey: float) -> str:
        if grey < self._dark_below:
            return "dark"
        if found is None:
            return "no_face_ir"
        (x0, y0), (x1, y1) = place.centre, found.centre
        larger = max(found.width / place.width, place.width / found.width)
        there = abs(x1 - x0) <= _ASIDE * place.width and abs(y1 - y0) <= _ALOFT * place.width and larger <= _SIZE_MAX
        return "" if there else "not_aligned"

    def _compare(self, colour: Grey, face: Box, points: Points, ir: Grey, found: Box) -> Residuals:
        """Looks for the points in boxes that lie alike in pictures that look alike: the same mistakes fall out."""
        rough = self._points(ir, found, (np.zeros(2),))
        larger = geometry.eye_distance(rough) / geometry.eye_distance(points)
        x, y = rough[_STEADY].mean(axis=0) + larger * (np.array(face.centre) - points[_STEADY].mean(axis=0))
        alike = _box((float(x), float(y)), larger * face.width)
        return residuals(self._points(colour, face, _NUDGES), self._points(ir, alike, _NUDGES))

    def _points(self, grey: Grey, face: Box, nudges: Sequence[npt.NDArray[np.float64]]) -> Points:
        """Their mean over boxes moved by the nudges."""
        part, left, top = _around(grey, face, _CONTEXT)
        picture = _as_rgb(_levelled(part))
        corner = np.array([left, top])
        found = []
        for nudge in nudges:
            x, y = face.centre + nudge * face.width - corner
            found.append(self._engine.landmarks(picture, _box((float(x), float(y)), face.width)) + corner)
        picture.fill(0)
        return np.asarray(np.mean(found, axis=0), dtype=np.float64)


class InfraredWatch:
    """Whether the face is there in infrared too. value: median of its mean grey."""

    def __init__(self, binocular: Binocular, config: LivenessConfig) -> None:
        self._binocular = binocular
        self._limit = config.infrared_min

    def see(self, sight: Sight) -> None:
        self._binocular.see(sight)

    def result(self) -> CheckResult:
        """reason: `dark`, `no_face_ir`, `not_aligned`: the most frequent one; `too_few` looks."""
        looks = self._binocular.looks
        if len(looks) < _LOOKS_MIN:
            return _too_few(Check.INFRARED, self._binocular.paired, self._limit)
        grey = float(np.median([one.grey for one in looks]))
        troubles = Counter(one.trouble for one in looks if one.trouble)
        if troubles.total() > _BAD_MAX * len(looks):
            return CheckResult(Check.INFRARED, CheckOutcome.FAILED, grey, self._limit, troubles.most_common(1)[0][0])
        return CheckResult(Check.INFRARED, CheckOutcome.PASSED, grey, self._limit)

    def wipe(self) -> None:
        self._binocular.looks.clear()


class ReliefWatch:
    """Whether the face is no plane. value: its relief in eye distances."""

    def __init__(self, binocular: Binocular, config: LivenessConfig) -> None:
        self._binocular = binocular
        self._limit = config.pair_relief_min

    def see(self, sight: Sight) -> None:
        self._binocular.see(sight)

    def result(self) -> CheckResult:
        """reason: `flat`; `too_few` pairs with points good enough to measure."""
        seen = [one.residuals for one in self._binocular.looks if one.residuals is not None and _well_seen(one.residuals)]
        if len(seen) < _PAIRS_MIN:
            return _too_few(Check.RELIEF, self._binocular.paired, self._limit)
        height = relief(np.array(seen))
        if height < self._limit:
            return CheckResult(Check.RELIEF, CheckOutcome.FAILED, height, self._limit, "flat")
        return CheckResult(Check.RELIEF, CheckOutcome.PASSED, height, self._limit)

    def wipe(self) -> None:
        self._binocular.looks.clear()


def binocular_watches(engine: FaceEngine, config: LivenessConfig, skew_s: float) -> tuple[InfraredWatch, ReliefWatch]:
    """Both checks of one challenge; they share their looks at the pairs. `skew_s`: `camera.pair_skew_s`."""
    binocular = Binocular(engine, config, skew_s)
    return InfraredWatch(binocular, config), ReliefWatch(binocular, config)


def residuals(one: Points, other: Points) -> Residuals:
    """What is left of the points of one picture after an affine fit to those of the other, by least squares.

    In eye distances of the other picture, so that its resolution does not matter. Several pairs make up for an outlier;
    a robust fit measured the same.
    """
    x, y = ((one - one[geometry.NASION]) / geometry.eye_distance(one))[_STEADY].T
    plane = np.stack([np.ones_like(x), x, y], axis=1)
    fit, *_ = np.linalg.lstsq(plane, other[_STEADY], rcond=None)
    return np.asarray((other[_STEADY] - plane @ fit) / geometry.eye_distance(other), dtype=np.float64)


def relief(pairs: npt.NDArray[np.float64]) -> float:
    """Root mean square over the points of their mean residual across, less twice what their scatter from pair to pair
    can explain: never more than there is.

    pairs: (n, 17, 2), n at least 2. An exact face has baseline / distance * 0.23.
    """
    across = pairs[..., 0]
    signal = float(np.mean(across.mean(axis=0) ** 2))
    noise = float(np.mean(across.var(axis=0, ddof=1))) / len(pairs)
    return math.sqrt(max(0.0, signal - _NOISE_WEIGHT * noise))


def _well_seen(one: Residuals) -> bool:
    return float(np.sqrt(np.mean(one[:, 1] ** 2))) <= _DOWN_MAX


def _too_few(check: Check, paired: bool, limit: float) -> CheckResult:
    """Without any pair there is no second eye here, or none that works."""
    if not paired:
        return CheckResult(check, CheckOutcome.NOT_DONE)
    return CheckResult(check, CheckOutcome.UNCLEAR, limit=limit, reason="too_few")


def _same_place(face: Box, colour: Grey, ir: Grey) -> Box:
    """Where a face very far away would lie in the infrared picture: both show the same width of the world."""
    scale = ir.shape[1] / colour.shape[1]
    x, y = face.centre
    return _box((x * scale, (y - colour.shape[0] / 2) * scale + ir.shape[0] / 2), face.width * scale)


def _box(centre: tuple[float, float], width: float) -> Box:
    (x, y), half = centre, width / 2
    return Box(round(x - half), round(y - half), round(x + half), round(y + half))


def _around(grey: Grey, box: Box, pad: float) -> tuple[Grey, int, int]:
    """The part of the picture round a box, with so many box widths on each side, and its left and top."""
    margin = round(pad * box.width)
    left, top = max(0, box.left - margin), max(0, box.top - margin)
    return grey[top : max(0, box.bottom + margin), left : max(0, box.right + margin)], left, top


def _levelled(grey: Grey) -> Grey:
    """Mean and contrast made equal. The points of a pale picture, as prints are in infrared, lie elsewhere than those of
    a strong one: left as it is, a flat print had a relief of 0.012, like this of 0.003."""
    gain = _CONTRAST / max(1.0, float(grey.std()))
    return np.asarray(np.clip(gain * (grey - float(grey.mean())) + _GREY, 0, 255), dtype=np.uint8)


def _as_rgb(grey: Grey) -> Image:
    return np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB), dtype=np.uint8)


def _mean(ir: Grey, box: Box) -> float:
    """0 outside the picture."""
    part = ir[max(0, box.top) : max(0, box.bottom), max(0, box.left) : max(0, box.right)]
    return float(part.mean()) if part.size else 0.0
