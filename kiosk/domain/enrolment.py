"""生物特征采集: what attended enrolment takes of a face, and what staff are told about it before they hand it in."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from enum import StrEnum

from kiosk.domain.case import Item
from kiosk.domain.consent import Consent
from kiosk.domain.decision import ClipFrame
from kiosk.domain.document import IdCard
from kiosk.domain.liveness import LivenessReport
from kiosk.domain.roster import FaceTemplate


class View(StrEnum):
    """The three different captures, in the order in which they are taken. Left and right are the person's own."""

    FRONT = "front"
    LEFT = "left"
    RIGHT = "right"


@dataclass(frozen=True, slots=True)
class Capture:
    view: View
    template: FaceTemplate = field(repr=False)
    photo: bytes = field(repr=False)
    """JPEG."""


@dataclass(frozen=True, slots=True)
class Lookalike:
    """Somebody else of the local base who is nearer than strangers are. A warning for staff, never a verdict."""

    owner: int
    """Index of the person in the base the face room was given."""
    distance: float


@dataclass(frozen=True, slots=True)
class NamedLookalike:
    """A lookalike as staff are shown one: masked. The number itself is for the sealed hand-in."""

    masked_name: str
    masked_number: str
    distance: float
    number: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class EnrolmentEvidence:
    """What the face room brings of one attended enrolment."""

    captures: tuple[Capture, ...] = field(repr=False)
    apart: float
    """The largest distance between two of the captures."""
    apart_max: float
    """The configured limit of it."""
    report: LivenessReport
    engine: str
    lookalikes: tuple[Lookalike, ...] = ()
    """Nearest first."""
    clip: tuple[ClipFrame, ...] = ()

    @property
    def consistent(self) -> bool:
        """All captures are of one and the same person."""
        return len(self.captures) == len(View) and self.apart <= self.apart_max


@dataclass(frozen=True, slots=True)
class EnrolmentDraft:
    """One finished enrolment as it is handed in. Templates count only after an officer has accepted them."""

    card: IdCard = field(repr=False)
    consent: Consent
    evidence: EnrolmentEvidence = field(repr=False)
    staff: str
    """Id of who stood there, never a name."""
    captured_at: dt.datetime
    in_roster: bool
    category: str
    lookalike_numbers: tuple[str, ...] = field(default=(), repr=False)
    """Citizen numbers of the lookalikes, so that an officer can compare; sealed like all of it."""
    repeat: int = 0

    @property
    def item(self) -> Item:
        return Item.ENROLMENT
