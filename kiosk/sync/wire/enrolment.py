"""The enrolment code a clerk hands to a terminal: one line of text with everything it must trust."""

from __future__ import annotations

import base64
import binascii
import hashlib

from pydantic import Field, ValidationError

from kiosk.sync.wire.base import Wire
from kiosk.sync.wire.models import KeyHex

_PREFIX = "KIOSK1."
_CHECK_BYTES = 4


class EnrolmentCodeError(ValueError):
    """The text is no enrolment code. The message never repeats the text: it holds a secret."""


class EnrolmentCode(Wire):
    url: str = Field(pattern=r"^https?://[^\s/?#@]+$", max_length=200)
    """Scheme, host and port of the office, without a path."""
    token: str = Field(pattern=r"^[0-9a-f]{40}$", repr=False)
    signing_key: KeyHex
    """Ed25519 key of the office: its answer must be signed by it."""
    sealing_key: KeyHex

    def encode(self) -> str:
        data = self.to_json()
        return _PREFIX + base64.urlsafe_b64encode(_check(data) + data).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str) -> EnrolmentCode:
        """Line breaks and spaces of a pasted code do not matter. Raises EnrolmentCodeError."""
        compact = "".join(text.split())
        if not compact.startswith(_PREFIX):
            raise EnrolmentCodeError(f"an enrolment code begins with {_PREFIX}")
        encoded = compact.removeprefix(_PREFIX)
        try:
            raw = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise EnrolmentCodeError("the enrolment code has characters that do not belong there, or was cut short") from None
        data = raw[_CHECK_BYTES:]
        if raw[:_CHECK_BYTES] != _check(data):
            raise EnrolmentCodeError("the enrolment code was cut short or mistyped; copy the whole line again")
        try:
            return cls.model_validate_json(data)
        except ValidationError:
            raise EnrolmentCodeError("the enrolment code is of a kind this version does not know") from None


def _check(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()[:_CHECK_BYTES]
