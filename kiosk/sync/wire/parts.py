"""Pieces of a case too large for one request: content-addressed, so that a cut upload repeats at most one of them.

The ciphertext of such a case is HPKE like any other, its `info` the context below and the id of the case (the header
cannot be it: it names the pieces). The header lists the SHA-256 of each piece and is what is signed.
"""

from __future__ import annotations

import hashlib

from pydantic import Field

from kiosk.sync.wire.base import Wire
from kiosk.sync.wire.http import PART_BYTES_MAX
from kiosk.sync.wire.models import CaseId, DigestHex

_INFO = b"kiosk-parts-v1"


def part_info(case_id: str) -> bytes:
    return _INFO + b"\x00" + case_id.encode()


def cut(ciphertext: bytes, size: int = PART_BYTES_MAX) -> tuple[bytes, ...]:
    """Pieces of at most `size` bytes, in order."""
    return tuple(ciphertext[at : at + size] for at in range(0, len(ciphertext), size))


def part_digest(piece: bytes) -> str:
    return hashlib.sha256(piece).hexdigest()


class PartReceipt(Wire):
    """The office's word that it holds exactly this piece. Valid only with its signature."""

    case: CaseId
    sha256: DigestHex
    kid: str = Field(max_length=64)
