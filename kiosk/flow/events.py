"""Everything that can happen to a conversation: fingers, devices, the house, time."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from kiosk.domain.case import CaseReceipt
from kiosk.domain.coaching import Coach
from kiosk.domain.decision import FaceEvidence
from kiosk.domain.document import IdCard
from kiosk.domain.roster import PersonRecord
from kiosk.domain.slip import PrintOutcome
from kiosk.domain.trouble import CardTrouble, FaceTrouble, HandInTrouble
from kiosk.flow.view import Button


@dataclass(frozen=True, slots=True)
class Pressed:
    button: Button


@dataclass(frozen=True, slots=True)
class CardSeen:
    """A card lies on the plate and is being read."""


@dataclass(frozen=True, slots=True)
class CardRead:
    card: IdCard = field(repr=False)


@dataclass(frozen=True, slots=True)
class CardFailed:
    trouble: CardTrouble


@dataclass(frozen=True, slots=True)
class CardLifted:
    """The plate is free again."""


@dataclass(frozen=True, slots=True)
class CardWaits:
    """A card given back still hangs in the reader's slot."""


@dataclass(frozen=True, slots=True)
class ReaderChanged:
    usable: bool
    reason: str = ""
    """Reason code of its DeviceStatus."""


@dataclass(frozen=True, slots=True)
class PrinterChanged:
    """The receipt printer can print again, or no longer; how it stands is asked for with every event."""


@dataclass(frozen=True, slots=True)
class PersonFound:
    card: IdCard = field(repr=False)
    """The card that was asked about: an answer about an earlier one is nobody's business."""
    record: PersonRecord = field(repr=False)


@dataclass(frozen=True, slots=True)
class LookupFailed:
    """The store gave no answer: unknown is not the same as not in the roster."""

    card: IdCard = field(repr=False)


@dataclass(frozen=True, slots=True)
class Coached:
    coach: Coach


@dataclass(frozen=True, slots=True)
class FaceTried:
    evidence: FaceEvidence


@dataclass(frozen=True, slots=True)
class FaceFailed:
    trouble: FaceTrouble
    reason: str = ""
    """Reason code of the camera's DeviceStatus, when it was lost."""


@dataclass(frozen=True, slots=True)
class HandedIn:
    captured_at: dt.datetime
    """Of the draft handed in; tells whose answer this is."""
    receipt: CaseReceipt


@dataclass(frozen=True, slots=True)
class HandInFailed:
    captured_at: dt.datetime
    trouble: HandInTrouble


@dataclass(frozen=True, slots=True)
class DeliveryKnown:
    case_id: str
    delivered: bool


@dataclass(frozen=True, slots=True)
class SlipEnded:
    case_number: str
    outcome: PrintOutcome
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TimeUp:
    timer: str


Event = (
    Pressed | CardSeen | CardRead | CardFailed | CardLifted | CardWaits | ReaderChanged | PrinterChanged | PersonFound
    | LookupFailed | Coached | FaceTried | FaceFailed | HandedIn | HandInFailed | DeliveryKnown | SlipEnded | TimeUp
)
