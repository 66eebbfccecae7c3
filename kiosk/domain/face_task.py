"""What a conversation may ask the face room for."""

from __future__ import annotations

from dataclasses import dataclass, field

from kiosk.domain.liveness import Profile
from kiosk.domain.roster import FaceTemplate


@dataclass(frozen=True, slots=True)
class Verify:
    """Compare who stands there with these templates. Ends in FaceEvidence."""

    templates: tuple[FaceTemplate, ...] = field(repr=False)
    profile: Profile = Profile.PAPER
    number: str = field(default="", repr=False)
    """Whose templates they are: left out where the person is held against the local base."""


@dataclass(frozen=True, slots=True)
class Enrol:
    """Take three different captures of who stands there. Ends in EnrolmentEvidence."""

    number: str = field(default="", repr=False)


FaceTask = Verify | Enrol
