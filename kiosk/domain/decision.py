"""What a face comparison means, and what follows from it.

Bands: mean L2 distance of five live frames to all enrolled templates. Thresholds come from configuration;
they belong to one engine and one model, see docs/face.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum


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


@dataclass(frozen=True, slots=True)
class FaceBands:
    pass_max: float
    review_max: float
    templates_min: int = 2
    """Fewer enrolled templates than this never pass by themselves: at best REVIEW."""

    def __post_init__(self) -> None:
        if not 0 < self.pass_max <= self.review_max:
            raise ValueError("face bands need 0 < pass_max <= review_max")

    def band(self, distance: float, templates: int) -> Band:
        """distance: mean L2 distance, NaN when none could be computed; templates: how many it was taken over."""
        if math.isnan(distance) or templates < 1 or distance > self.review_max:
            return Band.RETRY
        if distance <= self.pass_max and templates >= self.templates_min:
            return Band.PASS
        return Band.REVIEW


class Liveness(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    NOT_DONE = "not_done"


@dataclass(frozen=True, slots=True)
class FaceEvidence:
    """What the face room found in one try. Photographs are JPEG bytes, for memory and the sealed envelope only."""

    distance: float
    frames: int
    templates: int
    liveness: Liveness
    engine: str
    """Engine, alignment and model hash; distances of different engines cannot be compared."""
    photos: tuple[bytes, ...] = ()

    def __repr__(self) -> str:
        return f"FaceEvidence(frames={self.frames}, templates={self.templates}, liveness={self.liveness.value})"


def decide(evidence: FaceEvidence, bands: FaceBands) -> Outcome:
    """One try, read card given. Never passes without proven liveness; nobody is refused, only not matched."""
    if evidence.templates == 0 and evidence.liveness is Liveness.PASSED:
        return Outcome.MANUAL_REVIEW  # a real person, but nothing enrolled to compare with: an officer looks
    band = bands.band(evidence.distance, evidence.templates)
    if band is Band.RETRY or evidence.liveness is Liveness.FAILED:
        return Outcome.NOT_MATCHED
    if band is Band.PASS and evidence.liveness is Liveness.PASSED:
        return Outcome.PASSED
    return Outcome.MANUAL_REVIEW
