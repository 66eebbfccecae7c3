"""Renewal: a terminal that has been enrolled, however long ago, changes its keys by itself.

The request is signed by the key of the enrolment it names and travels with `http.SIGNATURE`; the same new keys again get
the same answer, so a lost answer costs nothing. It proves nothing but what the old key proves, hence it needs no clock.
"""

from __future__ import annotations

from pydantic import Field

from kiosk.sync.wire.base import Wire
from kiosk.sync.wire.models import COUNT_MAX, KeyHex, Moment, TerminalId


class RenewRequest(Wire):
    kiosk: TerminalId
    epoch: int = Field(ge=1, le=COUNT_MAX)
    """The enrolment whose key signs this."""
    sent_at: Moment
    """Terminal clock, for people who look for the cause of something; it decides nothing."""
    signing_key: KeyHex
    """The new public keys."""
    sealing_key: KeyHex
