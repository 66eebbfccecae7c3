"""The office's own secrets: hex files of mode 0600 in the data directory."""

from __future__ import annotations

import functools
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from kiosk.sync.wire.keys import key_id, private_hex, public_hex, sealing_private, signing_private

_SECRET, _SIGNING, _SEALING = "secret.key", "signing.key", "sealing.key"


@dataclass(frozen=True)
class OfficeKeys:
    signing: Ed25519PrivateKey = field(repr=False)
    """Signs receipts, refusals, pulls and enrolment answers."""
    sealing: X25519PrivateKey = field(repr=False)
    """Opens what terminals seal. Lost: no stored envelope can ever be opened again."""

    @functools.cached_property
    def signing_id(self) -> str:
        return key_id(self.signing.public_key())

    @functools.cached_property
    def sealing_id(self) -> str:
        return key_id(self.sealing.public_key())

    @property
    def signing_public(self) -> str:
        return public_hex(self.signing.public_key())

    @property
    def sealing_public(self) -> str:
        return public_hex(self.sealing.public_key())


def create_missing(data: Path) -> bool:
    """Makes the keys that do not exist yet; never replaces one. Returns whether any was made."""
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    made = [
        _create(data / _SECRET, secrets.token_hex(32)),
        _create(data / _SIGNING, private_hex(Ed25519PrivateKey.generate())),
        _create(data / _SEALING, private_hex(X25519PrivateKey.generate())),
    ]
    return any(made)


@functools.cache
def load(data: Path) -> OfficeKeys:
    """Raises FileNotFoundError before `create_missing`."""
    return OfficeKeys(signing_private(_read(data / _SIGNING)), sealing_private(_read(data / _SEALING)))


def django_secret(data: Path) -> str:
    """Empty before `create_missing`: Django then refuses to serve."""
    path = data / _SECRET
    return _read(path) if path.exists() else ""


def _read(path: Path) -> str:
    return path.read_text(encoding="ascii").strip()


def _create(path: Path, text: str) -> bool:
    if path.exists():
        return False
    # Written beside and linked into place: a power cut leaves a whole key or none, and nothing is overwritten.
    part = path.with_suffix(f".{secrets.token_hex(4)}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(part, path)
    finally:
        part.unlink()
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
    return True
