"""The drill: proves with a file from the safe, and nothing else, that everything could be opened again."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk.office import escrow, keys, parts
from kiosk.office.models import Envelope
from kiosk.sync.wire.envelope import EnvelopeError, open_bytes, open_envelope, parse_header, seal_bytes
from kiosk.sync.wire.keys import key_id, public_hex, sealing_public, signing_public
from kiosk.sync.wire.signing import Context, sign, verify
from kiosk.sync.wire.suites import SUITES

_NEWEST = 20
_INFO = b"kiosk-escrow-drill-v1"


@dataclass(frozen=True)
class Drill:
    """test_message: None where this office has no key of its own to compare with."""

    test_message: bool | None
    """What is sealed to the present key is opened by the file, in every suite."""
    signature: bool | None
    """The file's key signs what the present one would."""
    opened: int
    """Of the newest stored envelopes, and of the newest of each sealing key."""
    failed: int
    waiting: int
    """Envelopes not tried, because a piece of them is still missing."""

    @property
    def good(self) -> bool:
        return self.test_message is True and self.signature is True and self.failed == 0


def run(data: Path, escrowed: escrow.Escrowed) -> Drill:
    try:
        office = keys.load(data).announced
    except FileNotFoundError:
        office = None
    opened = failed = waiting = 0
    for envelope in _chosen():
        tried = _opens(envelope, escrowed)
        opened, failed, waiting = opened + (tried is True), failed + (tried is False), waiting + (tried is None)
    return Drill(
        None if office is None else _test_message(office.sealing, escrowed),
        None if office is None else _signs(office.signing[0], escrowed.signing), opened, failed, waiting,
    )


def _chosen() -> list[Envelope]:
    """The newest ones, and the newest one of each key that is not among them."""
    stored = Envelope.objects.filter(erased=None).order_by("-received")
    chosen = list(stored[:_NEWEST])
    seen = {_kid(one) for one in chosen}
    for raw in stored[_NEWEST:].iterator(chunk_size=20):
        if (kid := _kid(raw)) not in seen:
            seen.add(kid)
            chosen.append(raw)
    return chosen


def _opens(envelope: Envelope, escrowed: escrow.Escrowed) -> bool | None:
    """None: a piece is missing."""
    raw = bytes(envelope.raw)
    try:
        header = parse_header(raw)
        key, pieces = escrowed.opener(header.kid), parts.pieces_of(header)
        if pieces is None:
            return None
        if key is None:
            return False
        open_envelope(raw, key, pieces)
    except EnvelopeError:
        return False
    return True


def _kid(envelope: Envelope) -> str:
    try:
        return parse_header(bytes(envelope.raw)).kid
    except EnvelopeError:
        return ""


def _test_message(public: str, escrowed: escrow.Escrowed) -> bool:
    recipient, message = sealing_public(public), secrets.token_bytes(64)
    key = escrowed.opener(key_id(recipient))
    if key is None:
        return False
    try:
        return all(open_bytes(seal_bytes(message, recipient, _INFO, alg), key, _INFO, alg) == message for alg in SUITES)
    except EnvelopeError:
        return False


def _signs(public: str, signers: tuple[Ed25519PrivateKey, ...]) -> bool:
    message = hashlib.sha256(_INFO).digest()
    for key in signers:
        if public_hex(key.public_key()) == public:
            return verify(Context.BUNDLE, message, sign(Context.BUNDLE, message, key), signing_public(public))
    return False
