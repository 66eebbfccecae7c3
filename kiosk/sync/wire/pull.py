"""A pull answer on its way: sealed to one terminal, signed by the office."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from pydantic import ValidationError

from kiosk.sync.wire.envelope import EnvelopeError, digest, open_bytes, seal_bytes
from kiosk.sync.wire.models import RosterPull
from kiosk.sync.wire.outcomes import OutcomesPull
from kiosk.sync.wire.signing import Context, sign, verify

Pull = RosterPull | OutcomesPull
P = TypeVar("P", RosterPull, OutcomesPull)
_KINDS: dict[type[Pull], str] = {RosterPull: "", OutcomesPull: "\x00outcomes"}


def seal_pull(
    pull: Pull, terminal_id: str, terminal_key: X25519PublicKey, office_key: Ed25519PrivateKey,
) -> tuple[bytes, str]:
    """Body and signature header of the answer."""
    data = seal_bytes(pull.to_json(), terminal_key, _info(terminal_id, type(pull)))
    return data, sign(Context.PULL, digest(data), office_key)


def open_pull(
    data: bytes, signature: str, terminal_id: str, terminal_key: X25519PrivateKey, office_keys: Iterable[Ed25519PublicKey],
) -> RosterPull:
    """Raises EnvelopeError when it is not signed by one of the keys, not for this terminal, or of an unknown form."""
    return _open(data, signature, terminal_id, terminal_key, office_keys, RosterPull)


def open_outcomes(
    data: bytes, signature: str, terminal_id: str, terminal_key: X25519PrivateKey, office_keys: Iterable[Ed25519PublicKey],
) -> OutcomesPull:
    """Raises as `open_pull`."""
    return _open(data, signature, terminal_id, terminal_key, office_keys, OutcomesPull)


def sign_unchanged(nonce: str, office_key: Ed25519PrivateKey) -> str:
    """Signature header of a 304: even "nothing new" counts as contact only when the office said it."""
    return sign(Context.PULL, _unchanged(nonce), office_key)


def verify_unchanged(nonce: str, signature: str, office_keys: Iterable[Ed25519PublicKey]) -> bool:
    return any(verify(Context.PULL, _unchanged(nonce), signature, key) for key in office_keys)


def _unchanged(nonce: str) -> bytes:
    return f"unchanged\n{nonce}".encode()


def _open(
    data: bytes, signature: str, terminal_id: str, terminal_key: X25519PrivateKey, office_keys: Iterable[Ed25519PublicKey],
    kind: type[P],
) -> P:
    if not any(verify(Context.PULL, digest(data), signature, key) for key in office_keys):
        raise EnvelopeError("the answer is not signed by the office")
    try:
        return kind.model_validate_json(open_bytes(data, terminal_key, _info(terminal_id, kind)))
    except ValidationError as error:
        raise EnvelopeError(f"the answer has {error.error_count()} faults") from None


def _info(terminal_id: str, kind: type[Pull]) -> bytes:
    """Of one kind of answer: no other can be shown as it."""
    return f"{Context.PULL.value}\x00{terminal_id}{_KINDS[kind]}".encode()
