"""What a scanner tells. A token is a secret: hidden from repr, never logged, dropped with the conversation."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from kiosk.domain.lookup_code import Lookup


@dataclass(frozen=True, slots=True)
class ScannedToken:
    """电子社保卡: opaque, good for about a minute, understood by the platform alone."""

    secret: str = field(repr=False)
    """16 to 512 printable ASCII characters, passed on as they are."""


@dataclass(frozen=True, slots=True)
class ScannedLookup:
    """A code of our own slips, or a 受理编号."""

    lookup: Lookup


class Refusal(StrEnum):
    TOO_LONG = "too_long"
    NOT_QR = "not_qr"
    """A bar code, such as that of a parcel."""
    GLUED = "glued"
    """Two codes in one: shown too fast one after the other."""
    UNKNOWN = "unknown"
    """Neither ours nor like an 电子社保卡."""


@dataclass(frozen=True, slots=True)
class ScanRefused:
    refusal: Refusal


ScanEvent = ScannedToken | ScannedLookup | ScanRefused
