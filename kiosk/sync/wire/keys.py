"""Keys as they travel and are stored: 32 raw bytes in 64 lower-case hex digits."""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

PrivateKey = Ed25519PrivateKey | X25519PrivateKey
PublicKey = Ed25519PublicKey | X25519PublicKey


def private_hex(key: PrivateKey) -> str:
    """The secret itself: for encrypted storage only."""
    return key.private_bytes_raw().hex()


def public_hex(key: PublicKey) -> str:
    return key.public_bytes_raw().hex()


def key_id(key: PublicKey) -> str:
    """`kid`: the first 16 hex digits of SHA-256 over the public key."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:16]


def signing_private(text: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(text))


def signing_public(text: str) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(bytes.fromhex(text))


def sealing_private(text: str) -> X25519PrivateKey:
    return X25519PrivateKey.from_private_bytes(bytes.fromhex(text))


def sealing_public(text: str) -> X25519PublicKey:
    return X25519PublicKey.from_public_bytes(bytes.fromhex(text))
