"""Day by day: what a terminal believes to be delivered, and what the office and its verified backup really hold.

The digest of a day covers the ids of all cases of that header day which the office has acknowledged, also held and
purged ones: SHA-256 over their 16 bytes each, sorted. Both sides group by the header's day, never by a clock.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from collections.abc import Iterable
from enum import StrEnum

from pydantic import Field

from kiosk.sync.wire.base import Wire
from kiosk.sync.wire.models import COUNT_MAX, CaseId, DigestHex, TerminalId

DAYS_MAX = 400
IDS_MAX = 1_000


def day_digest(ids: Iterable[str]) -> str:
    """64 hex digits, whatever the order of the ids."""
    return hashlib.sha256(b"".join(sorted(uuid.UUID(one).bytes for one in ids))).hexdigest()


class DayBody(Wire):
    day: dt.date
    digest: DigestHex
    ids: tuple[CaseId, ...] | None = Field(None, max_length=IDS_MAX)
    """Told where an earlier answer said that the day differs; of a long day a part."""
    purged: tuple[CaseId, ...] = Field((), max_length=IDS_MAX)
    """Those of them whose bytes are erased here: the terminal cannot send them again."""


class ReconcileBody(Wire):
    kiosk: TerminalId
    epoch: int = Field(ge=1, le=COUNT_MAX)
    days: tuple[DayBody, ...] = Field(max_length=DAYS_MAX)


class DayState(StrEnum):
    SAME = "same"
    DIFFERS = "differs"


class DayAnswer(Wire):
    day: dt.date
    live: DayState
    safe: DayState
    """Of the newest verified backup, never of the live database."""
    missing: tuple[CaseId, ...] = ()
    """Of the ids told: not, or not completely, in the office."""
    saved: tuple[CaseId, ...] = ()
    """Of the ids told: in the verified backup."""


class ReconcileAnswer(Wire):
    nonce: str = Field(max_length=64)
    backup: str = Field(max_length=64)
    """Id of the verified backup spoken of; empty: there is none."""
    days: tuple[DayAnswer, ...]
