"""What time it is at the office: for a clock too wrong to check a certificate, or one nobody has checked since the start."""

from __future__ import annotations

from pydantic import Field

from kiosk.sync.wire.base import Wire
from kiosk.sync.wire.models import Moment


class TimeAnswer(Wire):
    """Valid only with its signature, and only for the nonce that was sent."""

    nonce: str = Field(max_length=64)
    now: Moment
    kid: str = Field(max_length=64)
    """Key id of the signing key."""
