"""Invented people, one per visit, and what they hand in. Their number and name are what must not be readable anywhere."""

from __future__ import annotations

import datetime as dt
import hashlib

from drafts import evidence

from kiosk.domain.case import CaseDraft, Item
from kiosk.domain.consent import Consent, ConsentScope
from kiosk.domain.decision import Outcome
from kiosk.domain.document import CardKind, IdCard

NAME = "章木辛测试"
REGION = "999977"
PHOTO = b"\xff\xd8 the face that nobody may find again \xff\xd9"
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_SIZES = (40_000, 2_000, 3_000, 1_000, 5_000)
_BOTH = frozenset({ConsentScope.MATCH, ConsentScope.SEND_PHOTO})


def number(visit: int) -> str:
    """Of the person of this visit; at most 900,000 visits."""
    born = dt.date(1940, 1, 1) + dt.timedelta(days=visit // 900)
    stem = f"{REGION}{born:%Y%m%d}{100 + visit % 900}"
    total = sum(int(digit) * weight for digit, weight in zip(stem, _WEIGHTS, strict=True))
    return stem + "10X98765432"[total % 11]


def draft(visit: int, now: dt.datetime) -> CaseDraft:
    """The same visit again is the same wish. Every fifth one is so large that it travels in pieces."""
    filling = hashlib.shake_128(str(visit).encode()).digest(_SIZES[visit % len(_SIZES)])
    return CaseDraft(
        item=Item.CERTIFICATION, card=IdCard(CardKind.RESIDENT, number(visit), NAME, birth=dt.date(1950, 1, 1)),
        outcome=Outcome.MANUAL_REVIEW, consent=Consent(_BOTH, "2026-11", now),
        attempts=(evidence((PHOTO + filling,)),), captured_at=now, in_roster=False, category="unknown", due=None,
    )
