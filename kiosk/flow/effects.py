"""What a step of a conversation wants done. Data only; the conductor carries them out on the ports."""

from __future__ import annotations

from dataclasses import dataclass, field

from kiosk.domain.case import CaseDraft
from kiosk.domain.document import IdCard
from kiosk.domain.roster import FaceTemplate
from kiosk.domain.slip import Slip


@dataclass(frozen=True, slots=True)
class SeekCard:
    pass


@dataclass(frozen=True, slots=True)
class ReleaseCard:
    pass


@dataclass(frozen=True, slots=True)
class FindPerson:
    card: IdCard = field(repr=False)


@dataclass(frozen=True, slots=True)
class BeginFace:
    templates: tuple[FaceTemplate, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class EndFace:
    pass


@dataclass(frozen=True, slots=True)
class HandIn:
    draft: CaseDraft = field(repr=False)


@dataclass(frozen=True, slots=True)
class WatchDelivery:
    case_id: str
    seconds: float


@dataclass(frozen=True, slots=True)
class PrintSlip:
    slip: Slip = field(repr=False)


@dataclass(frozen=True, slots=True)
class Say:
    text_id: str


@dataclass(frozen=True, slots=True)
class SayAgain:
    pass


@dataclass(frozen=True, slots=True)
class Hush:
    pass


@dataclass(frozen=True, slots=True)
class StartTimer:
    name: str
    seconds: float


@dataclass(frozen=True, slots=True)
class CancelTimer:
    name: str


Effect = (
    SeekCard | ReleaseCard | FindPerson | BeginFace | EndFace | HandIn | WatchDelivery | PrintSlip | Say | SayAgain | Hush
    | StartTimer | CancelTimer
)
