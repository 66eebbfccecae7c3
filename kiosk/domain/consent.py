"""Consent to the use of a face: separate questions, each answered for itself (PIPL art. 29)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum


class ConsentScope(StrEnum):
    MATCH = "match"
    """Compare the live face on this terminal."""
    SEND_PHOTO = "send_photo"
    """Send the photograph to 镇社保所 for review."""
    ENROL = "enrol"
    """Keep the features of the face for later certifications (生物特征采集)."""


@dataclass(frozen=True, slots=True)
class Consent:
    scopes: frozenset[ConsentScope]
    text_version: str
    """Version of the notice the person read."""
    given_at: dt.datetime

    def allows(self, scope: ConsentScope) -> bool:
        return scope in self.scopes
