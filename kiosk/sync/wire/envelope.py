"""The sealed envelope of one case: readable header, body only the office can open.

Bytes: u32 big-endian header length, header as JSON, HPKE ciphertext (RFC 9180: X25519, HKDF-SHA256,
AES-256-GCM). The header bytes are the `info` of the sealing, so a changed header cannot be opened.
"""

from __future__ import annotations

import hashlib
import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from pydantic import ValidationError

from kiosk.sync.wire.models import EnvelopeHeader

_LENGTH = struct.Struct(">I")
_HEADER_MIN, _HEADER_MAX = 64, 8192
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


class EnvelopeError(Exception):
    """These bytes are no envelope, or not one for this key. The message never repeats the bytes."""


def seal(header: EnvelopeHeader, body: bytes, office_public_key: X25519PublicKey) -> bytes:
    """The exact bytes to store, sign and send; sealing again gives other bytes.

    Raises EnvelopeError when the header does not fit into 64 to 8192 bytes.
    """
    head = header.to_json()
    if not _HEADER_MIN <= len(head) <= _HEADER_MAX:
        raise EnvelopeError(f"an envelope header has {_HEADER_MIN} to {_HEADER_MAX} bytes, this one {len(head)}")
    return _LENGTH.pack(len(head)) + head + seal_bytes(body, office_public_key, head)


def open_envelope(data: bytes, private_key: X25519PrivateKey) -> tuple[EnvelopeHeader, bytes]:
    """Header and body. Raises EnvelopeError, and nothing else, on any bytes."""
    return parse_header(data), open_body(data, private_key)


def open_body(data: bytes, private_key: X25519PrivateKey) -> bytes:
    """The body alone, whatever the header says. Raises EnvelopeError."""
    head, sealed = _split(data)
    return open_bytes(sealed, private_key, head)


def parse_header(data: bytes) -> EnvelopeHeader:
    """The header without any key; nothing proves it before the signature is checked. Raises EnvelopeError."""
    head, _ = _split(data)
    try:
        return EnvelopeHeader.model_validate_json(head)
    except ValidationError as error:
        raise EnvelopeError(f"the envelope header has {error.error_count()} faults") from None


def digest(data: bytes) -> bytes:
    """SHA-256 of the whole envelope, 32 bytes: what is signed and what receipts name."""
    return hashlib.sha256(data).digest()


def seal_bytes(body: bytes, public_key: X25519PublicKey, info: bytes) -> bytes:
    """HPKE alone: 32 bytes encapsulated key, ciphertext, 16 bytes tag."""
    return _SUITE.encrypt(body, public_key, info)


def open_bytes(sealed: bytes, private_key: X25519PrivateKey, info: bytes) -> bytes:
    """Inverse of `seal_bytes`. Raises EnvelopeError for another key, another info or damaged bytes."""
    try:
        return _SUITE.decrypt(sealed, private_key, info)
    except InvalidTag:  # also for cut bytes and points of low order
        raise EnvelopeError("cannot be opened: damaged, or sealed for another key") from None


def _split(data: bytes) -> tuple[bytes, bytes]:
    if len(data) < _LENGTH.size:
        raise EnvelopeError("shorter than an envelope")
    (length,) = _LENGTH.unpack_from(data)
    end = _LENGTH.size + length
    if not _HEADER_MIN <= length <= _HEADER_MAX or len(data) < end:
        raise EnvelopeError("the header length is wrong")
    return data[_LENGTH.size : end], data[end:]
