"""How a terminal is let in: a long code, one line of text with everything it must trust, or a short one of digits alone.

Neither token ever travels. The terminal names it by its SHA-256 and proves that it knows it by an HMAC over its request;
the office proves the same over its answer. Who stands between them and knows no token can neither enrol nor plant keys.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

from pydantic import Field, ValidationError

from kiosk.sync.wire.base import Wire
from kiosk.sync.wire.models import DigestHex, KeyHex

_PREFIX = "KIOSK1."
_CHECK_BYTES = 4


_SALT = b"kiosk-short-code-v1"
_WORK = {"n": 2**14, "r": 8, "p": 1}
"""scrypt (RFC 7914): 16 MiB and some 50 ms for each guess at a short code."""
_REQUEST, _ANSWER = b"kiosk-enrol-request-v1", b"kiosk-enrol-answer-v1"


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


class ProvenEnrolRequest(Wire):
    """Travels with `http.ENROL_PROOF`: `request_proof` over these bytes."""

    token_sha256: DigestHex
    """Which token; says nothing about it."""
    name: str = Field(max_length=80)
    """What the terminal calls itself, for the clerk."""
    signing_key: KeyHex
    sealing_key: KeyHex


def token_of(short_code: str) -> str:
    """The token behind a short code: 40 hex digits, as in a long code. Slow by design."""
    return hashlib.scrypt(short_code.encode(), salt=_SALT, dklen=20, **_WORK).hex()


def token_digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def proof_key(token: str) -> bytes:
    """What proofs are made with; cannot be derived from `token_digest`. 32 bytes."""
    return hmac.digest(token.encode(), b"kiosk-enrol-proof-v1", "sha256")


def request_proof(key: bytes, request: bytes) -> str:
    """The terminal knows the token. request: its bytes as sent."""
    return hmac.digest(key, _REQUEST + b"\x00" + request, "sha256").hex()


def answer_proof(key: bytes, answer: bytes) -> str:
    """The office knows the token: whoever answered is the one who issued the code. answer: its bytes as sent."""
    return hmac.digest(key, _ANSWER + b"\x00" + answer, "sha256").hex()


def proves(made: str, shown: str) -> bool:
    """Whether the proof shown is the one made, told in constant time."""
    return hmac.compare_digest(made.encode(), shown.encode("utf-8", "replace"))


def _check(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()[:_CHECK_BYTES]
