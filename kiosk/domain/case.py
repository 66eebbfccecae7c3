"""办件: one case as a terminal hands it in, and what may be said about it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from enum import StrEnum

from kiosk.domain.consent import Consent
from kiosk.domain.decision import FaceEvidence, Outcome
from kiosk.domain.document import IdCard
from kiosk.domain.period import DueDate


class Item(StrEnum):
    """Service items by their number in the town's plan (附件4)."""

    ENROLMENT = "11"
    """领取养老（工伤）保险待遇资格生物特征采集"""
    CERTIFICATION = "12"
    """领取养老（工伤）待遇资格认证"""


@dataclass(frozen=True, slots=True)
class CaseDraft:
    """Everything one finished conversation hands in. Lives in memory until the store has committed it sealed."""

    item: Item
    card: IdCard = field(repr=False)
    outcome: Outcome
    consent: Consent
    attempts: tuple[FaceEvidence, ...] = field(repr=False)
    """Every face try, oldest first. Photographs only where the consent allows sending them."""
    captured_at: dt.datetime
    in_roster: bool
    category: str
    due: DueDate | None
    """Until when this certification would hold."""
    repeat: int = 0
    """0 for the first case of this person and period; only the flow raises it, for a wanted repetition."""


@dataclass(frozen=True, slots=True)
class CaseReceipt:
    """The terminal's own proof that a case is committed: the slip may be printed."""

    case_id: str
    """uuid7 text; the idempotency key of the delivery."""
    case_number: str
    """受理编号, grouped by dashes: terminal, local day, running number."""
    query_token: str
    """Opaque token in the slip's QR code, for later look-ups; carries no personal data."""


class Standing(StrEnum):
    """The most that is known of a case, hence the most that screen and slip may claim."""

    RECEIVED = "received"
    """已受理，待审核"""
    SUBMITTED = "submitted"
    """比对通过，已提交镇社保所确认: compared well and the office has signed for it"""
    CONFIRMED = "confirmed"
    """认证成功: the office has confirmed"""


def standing(outcome: Outcome, delivered: bool, confirmed: bool = False) -> Standing:
    """delivered: a receipt signed by the office is at hand. Without it nothing but RECEIVED can be said."""
    if not delivered or outcome is not Outcome.PASSED:
        return Standing.RECEIVED
    return Standing.CONFIRMED if confirmed else Standing.SUBMITTED
