"""What a face comparison means, and what follows from it.

Bands: mean distance of the live frames to all enrolled templates. Thresholds come from configuration; they belong to
one engine, one model and one way of combining, named by `threshold_set`; see docs/face.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum

from kiosk.domain.liveness import Liveness, LivenessReport


class Band(StrEnum):
    PASS = "pass"
    REVIEW = "review"
    RETRY = "retry"


class Outcome(StrEnum):
    """What the terminal may say at the end of one conversation. Only the office confirms a certification."""

    PASSED = "passed"
    """Compared well on this terminal; the office still has to confirm."""
    MANUAL_REVIEW = "manual_review"
    NOT_MATCHED = "not_matched"
    """Not handed in: the person may try again, ask for review or for staff."""


class IdentifiedBy(StrEnum):
    """How it is known whose templates these are."""

    CARD = "card"
    """A document was read."""
    STAFF = "staff"
    """Staff stand there and have seen the document."""
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class FaceBands:
    pass_max: float
    review_max: float
    templates_min: int = 2
    """Fewer enrolled templates than this never pass by themselves: at best REVIEW."""
    review_max_chip: float | None = None
    """Where nothing but the photograph of a card's chip can be compared: REVIEW up to here, never PASS. None: review_max."""

    def __post_init__(self) -> None:
        if not self.pass_max <= self.review_max:  # a normalised score may well be negative
            raise ValueError("face bands need pass_max <= review_max")

    def band(self, distance: float, templates: int, chip_only: bool = False) -> Band:
        """distance: mean distance, NaN when none could be computed; templates: how many it was taken over."""
        review_max = self.review_max_chip if chip_only and self.review_max_chip is not None else self.review_max
        if math.isnan(distance) or templates < 1 or distance > review_max:
            return Band.RETRY
        if distance <= self.pass_max and templates >= self.templates_min and not chip_only:
            return Band.PASS
        return Band.REVIEW


@dataclass(frozen=True, slots=True)
class ClipFrame:
    """One small picture of the evidence clip."""

    t_ms: int
    """Since the first request."""
    jpeg: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class FaceEvidence:
    """What the face room found in one try. Pictures are JPEG bytes, for memory and the sealed envelope only."""

    distance: float
    """What the bands are held against: the mean distance, or the normalised score where a cohort is configured."""
    frames: int
    templates: int
    """Compared with."""
    report: LivenessReport
    engine: str
    """Engine, alignment and model hash; distances of different engines cannot be compared."""
    photos: tuple[bytes, ...] = ()
    clip: tuple[ClipFrame, ...] = ()
    threshold_set: str = ""
    raw_distance: float | None = None
    """The mean distance itself, where `distance` is a normalised score."""
    chip_only: bool = False
    """All templates are photographs of a card's chip."""
    foreign: int = 0
    """Templates refused because another engine, model or alignment made them: the person has to be enrolled again."""

    @property
    def liveness(self) -> Liveness:
        return self.report.verdict

    @property
    def unscored(self) -> bool:
        """There is a mean distance, but no normalised score: too few people are enrolled here to tell it."""
        return math.isnan(self.distance) and self.raw_distance is not None and not math.isnan(self.raw_distance)

    def __repr__(self) -> str:
        return f"FaceEvidence(frames={self.frames}, templates={self.templates}, liveness={self.liveness.value})"


def decide(evidence: FaceEvidence, bands: FaceBands, identified_by: IdentifiedBy) -> Outcome:
    """One try. Never passes without proven liveness, nor without a card or staff; nobody is refused, only not matched."""
    if evidence.liveness is not Liveness.PASSED:
        return Outcome.NOT_MATCHED
    if evidence.templates == 0:
        return Outcome.MANUAL_REVIEW  # a real person, but nothing enrolled to compare with: an officer looks
    if evidence.unscored:
        return Outcome.MANUAL_REVIEW  # compared, but the bands are of a score that could not be told
    band = bands.band(evidence.distance, evidence.templates, evidence.chip_only)
    if band is Band.RETRY:
        return Outcome.NOT_MATCHED
    known = identified_by is not IdentifiedBy.NOBODY
    if band is Band.PASS and evidence.report.suffices and known:
        return Outcome.PASSED
    return Outcome.MANUAL_REVIEW
