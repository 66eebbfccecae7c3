"""Everything that can happen to a conversation: fingers, devices, the house, time."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from kiosk.domain.case import CaseReceipt
from kiosk.domain.coaching import Coach, FlashPlan
from kiosk.domain.decision import FaceEvidence
from kiosk.domain.document import IdCard
from kiosk.domain.enrolment import EnrolmentEvidence, NamedLookalike
from kiosk.domain.join import JoinTrouble, Shut
from kiosk.domain.roster import PersonRecord
from kiosk.domain.slip import PrintOutcome
from kiosk.domain.trouble import CardTrouble, FaceTrouble, HandInTrouble
from kiosk.flow.view import Button


@dataclass(frozen=True, slots=True)
class Pressed:
    button: Button


@dataclass(frozen=True, slots=True)
class StaffWanted:
    """The bar above the start screen was held for a while."""


@dataclass(frozen=True, slots=True)
class Typed:
    """A key of the keypad."""

    digit: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Erased:
    """The keypad's key that takes the last digit back."""


@dataclass(frozen=True, slots=True)
class StaffKnown:
    asked_at: dt.datetime
    """As given with the question; tells whose answer this is."""
    staff: str
    """Id, never a name."""


@dataclass(frozen=True, slots=True)
class StaffUnknown:
    asked_at: dt.datetime
    locked_for_s: float = 0.0
    """No PIN is looked at before that; 0: the next one may come at once."""


@dataclass(frozen=True, slots=True)
class CodeScanned:
    """What the scanner read while it was asked to."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Joined:
    asked_at: dt.datetime
    """As given with the question."""
    terminal_id: str
    site: str


@dataclass(frozen=True, slots=True)
class JoinFailed:
    asked_at: dt.datetime
    trouble: JoinTrouble


@dataclass(frozen=True, slots=True)
class EnrolmentChanged:
    """Whether this machine may work for the office; told at the start and on each change."""

    shut: Shut | None
    attention: str = ""
    """Text id of what staff should know although work goes on."""


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
class TurnSeen:
    """How much of the turn asked for is done, 0 to 1."""

    share: float


@dataclass(frozen=True, slots=True)
class FlashWanted:
    plan: FlashPlan


@dataclass(frozen=True, slots=True)
class FaceTried:
    evidence: FaceEvidence


@dataclass(frozen=True, slots=True)
class EnrolmentTaken:
    evidence: EnrolmentEvidence = field(repr=False)
    lookalikes: tuple[NamedLookalike, ...] = ()
    """Nearest first."""


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
    Pressed | StaffWanted | Typed | Erased | CardSeen | CardRead | CardFailed | CardLifted | CardWaits | ReaderChanged
    | PrinterChanged | PersonFound | LookupFailed | Coached | TurnSeen | FlashWanted | FaceTried | EnrolmentTaken | FaceFailed
    | HandedIn | HandInFailed | DeliveryKnown | SlipEnded | StaffKnown | StaffUnknown | TimeUp | CodeScanned | Joined | JoinFailed
    | EnrolmentChanged
)
