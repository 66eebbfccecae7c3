"""What a step of a conversation wants done. Data only; the conductor carries them out on the ports."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from kiosk.domain.case import CaseDraft
from kiosk.domain.document import IdCard
from kiosk.domain.enrolment import EnrolmentDraft
from kiosk.domain.face_task import FaceTask
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
    task: FaceTask


@dataclass(frozen=True, slots=True)
class EndFace:
    pass


@dataclass(frozen=True, slots=True)
class HandIn:
    draft: CaseDraft | EnrolmentDraft = field(repr=False)


@dataclass(frozen=True, slots=True)
class WatchDelivery:
    case_id: str
    seconds: float


@dataclass(frozen=True, slots=True)
class PrintSlip:
    slip: Slip = field(repr=False)


@dataclass(frozen=True, slots=True)
class CheckPin:
    pin: str = field(repr=False)
    asked_at: dt.datetime


@dataclass(frozen=True, slots=True)
class SeekCode:
    """Let the scanner, where one is fitted, read an enrolment code."""


@dataclass(frozen=True, slots=True)
class ReleaseCode:
    pass


@dataclass(frozen=True, slots=True)
class Join:
    code: str = field(repr=False)
    """Short as typed, or long as scanned."""
    asked_at: dt.datetime


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
    SeekCard | ReleaseCard | FindPerson | BeginFace | EndFace | HandIn | WatchDelivery | PrintSlip | CheckPin | Say | SayAgain
    | Hush | StartTimer | CancelTimer | SeekCode | ReleaseCode | Join
)
