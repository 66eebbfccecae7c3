"""Ed25519 signatures (RFC 8032) with a context, so that no signature can be shown as one of another kind."""

from __future__ import annotations

import hashlib
from enum import StrEnum

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey


class Context(StrEnum):
    """What is signed. The signature covers: context, a zero byte, message."""

    TXN = "kiosk-txn-v1"
    """A terminal's case; message: SHA-256 of the whole envelope."""
    RECEIPT = "kiosk-receipt-v1"
    """The office has the case; message: the receipt's bytes as sent."""
    REFUSAL = "kiosk-refusal-v1"
    """The office will never take the case; message: the refusal's bytes as sent."""
    REQUEST = "kiosk-request-v1"
    """A terminal's GET; message: see `request_message`."""
    PULL = "kiosk-pull-v1"
    """The office's answer to a pull; message: SHA-256 of the sealed answer."""
    ENROL = "kiosk-enrol-v1"
    """The office's answer to an enrolment; message: the answer's bytes as sent."""
    HEARTBEAT = "kiosk-heartbeat-v1"
    """A terminal's heartbeat; message: see `heartbeat_message`."""
    HEARTBEAT_ANSWER = "kiosk-heartbeat-answer-v1"
    """The office's answer to a heartbeat; message: the answer's bytes as sent."""
    PART = "kiosk-part-v1"
    """A terminal's piece of a case; message: SHA-256 of the piece, 32 bytes."""
    PART_RECEIPT = "kiosk-part-receipt-v1"
    """The office has the piece; message: the receipt's bytes as sent."""
    RECONCILE = "kiosk-reconcile-v1"
    """A terminal's account of its days; message: as of a heartbeat, with its own path."""
    RECONCILE_ANSWER = "kiosk-reconcile-answer-v1"
    """The office's answer to it; message: the answer's bytes as sent."""
    RENEW = "kiosk-renew-v1"
    """A terminal asks for new keys, signed by the old one; message: the request's bytes as sent."""
    VOUCH = "kiosk-vouch-v1"
    """A newer enrolment stands up for a case sealed under an earlier one; message: SHA-256 of the whole envelope."""
    TIME = "kiosk-time-v1"
    """What time it is at the office; message: the answer's bytes as sent."""
    CONTENT = "kiosk-content-v1"
    """The content manifest; message: its bytes as sent."""
    BUNDLE = "kiosk-bundle-v1"
    """What the office hands back on a memory stick; message: SHA-256 of the bundle."""


def sign(context: Context, message: bytes, key: Ed25519PrivateKey) -> str:
    """Returns 128 hex digits, the form of the signature headers."""
    return key.sign(_covered(context, message)).hex()


def verify(context: Context, message: bytes, signature: str, key: Ed25519PublicKey) -> bool:
    """False for anything that is not a signature of this message in this context, whatever the text."""
    try:
        key.verify(bytes.fromhex(signature), _covered(context, message))
    except (ValueError, InvalidSignature):
        return False
    return True


def request_message(method: str, target: str, time: str, nonce: str) -> bytes:
    """target: path and query as sent; time: decimal Unix seconds; nonce: hex. One line each."""
    return "\n".join((method, target, time, nonce)).encode()


def heartbeat_message(target: str, nonce: str, body: bytes, method: str = "PUT") -> bytes:
    """target: path as sent; nonce: hex; then SHA-256 of the body, hex. One line each; the time stands in the body."""
    return "\n".join((method, target, nonce, hashlib.sha256(body).hexdigest())).encode()


def _covered(context: Context, message: bytes) -> bytes:
    return context.value.encode() + b"\x00" + message
