"""The sealed envelope of one case: readable header, body only the office can open.

Bytes: u32 big-endian header length, header as JSON, ciphertext of the suite the header names (`suites`). The header bytes
are the `info` of the sealing, so a changed header cannot be opened. Where the header names pieces no ciphertext follows it:
it travels beside the envelope, see `parts`.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from pydantic import Field, ValidationError

from kiosk.sync.wire.base import Wire
from kiosk.sync.wire.models import ALGORITHM, EnvelopeHeader
from kiosk.sync.wire.parts import cut, part_digest, part_info
from kiosk.sync.wire.suites import SUITES, CannotOpen

_LENGTH = struct.Struct(">I")
_HEADER_MIN, _HEADER_MAX = 64, 8192
_OVERHEAD = 32 + 16


class EnvelopeError(Exception):
    """These bytes are no envelope, or not one for this key. The message never repeats the bytes."""


def seal(header: EnvelopeHeader, body: bytes, office_public_key: X25519PublicKey) -> bytes:
    """The exact bytes to store, sign and send; sealing again gives other bytes.

    Raises EnvelopeError when the header does not fit into 64 to 8192 bytes.
    """
    head = _head(header)
    return _LENGTH.pack(len(head)) + head + seal_bytes(body, office_public_key, head, header.alg)


def seal_in_pieces(
    header: EnvelopeHeader, body: bytes, office_public_key: X25519PublicKey, size: int,
) -> tuple[bytes, tuple[bytes, ...]]:
    """Envelope without ciphertext, and the ciphertext in pieces of at most `size` bytes, named in the header in order.

    Raises EnvelopeError for more pieces than a header can name.
    """
    pieces = cut(seal_bytes(body, office_public_key, part_info(header.id), header.alg), size)
    try:
        named = EnvelopeHeader.model_validate(header.model_dump() | {"parts": tuple(part_digest(piece) for piece in pieces)})
    except ValidationError:
        raise EnvelopeError(f"an envelope cannot name {len(pieces)} pieces") from None
    head = _head(named)
    return _LENGTH.pack(len(head)) + head, pieces


def sealed_size(body: bytes) -> int:
    """Bytes of the ciphertext of this body."""
    return len(body) + _OVERHEAD


def open_envelope(data: bytes, private_key: X25519PrivateKey, pieces: Sequence[bytes] = ()) -> tuple[EnvelopeHeader, bytes]:
    """Header and body. pieces: exactly those the header names, in its order.

    Raises EnvelopeError, and nothing else, on any bytes and any pieces.
    """
    header = parse_header(data)
    if tuple(part_digest(piece) for piece in pieces) != header.parts:
        raise EnvelopeError("a piece is missing, wrong, or in the wrong place")
    if not header.parts:
        return header, open_body(data, private_key)
    if _split(data)[1]:
        raise EnvelopeError("an envelope has a ciphertext or pieces, not both")
    return header, open_bytes(b"".join(pieces), private_key, part_info(header.id), header.alg)


def open_body(data: bytes, private_key: X25519PrivateKey) -> bytes:
    """The body that follows the header, whatever else than its `alg` the header says. Raises EnvelopeError."""
    head, sealed = _split(data)
    try:
        alg = _Named.model_validate_json(head).alg
    except ValidationError:
        raise EnvelopeError("the envelope header names no algorithm") from None
    return open_bytes(sealed, private_key, head, alg)


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


def seal_bytes(body: bytes, public_key: X25519PublicKey, info: bytes, alg: str = ALGORITHM) -> bytes:
    """Sealing alone: 32 bytes encapsulated key, ciphertext, 16 bytes tag. Raises EnvelopeError for an unknown algorithm."""
    if alg not in SUITES:
        raise EnvelopeError("sealing knows no such algorithm")
    return SUITES[alg].seal(body, public_key, info)


def open_bytes(sealed: bytes, private_key: X25519PrivateKey, info: bytes, alg: str = ALGORITHM) -> bytes:
    """Inverse of `seal_bytes`. Raises EnvelopeError for another key, another info or damaged bytes."""
    if alg not in SUITES:
        raise EnvelopeError("cannot be opened: of an algorithm not known here")
    try:
        return SUITES[alg].open(sealed, private_key, info)
    except CannotOpen:
        raise EnvelopeError("cannot be opened: damaged, or sealed for another key") from None


class _Named(Wire):
    alg: str = Field(ALGORITHM, max_length=80)


def _head(header: EnvelopeHeader) -> bytes:
    head = header.to_json()
    if not _HEADER_MIN <= len(head) <= _HEADER_MAX:
        raise EnvelopeError(f"an envelope header has {_HEADER_MIN} to {_HEADER_MAX} bytes, this one {len(head)}")
    return head


def _split(data: bytes) -> tuple[bytes, bytes]:
    if len(data) < _LENGTH.size:
        raise EnvelopeError("shorter than an envelope")
    (length,) = _LENGTH.unpack_from(data)
    end = _LENGTH.size + length
    if not _HEADER_MIN <= length <= _HEADER_MAX or len(data) < end:
        raise EnvelopeError("the header length is wrong")
    return data[_LENGTH.size : end], data[end:]
