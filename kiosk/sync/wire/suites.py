"""The algorithms a body can be sealed with, by the name that stands in the header (`alg`).

`HPKE`: RFC 9180 base mode with X25519, HKDF-SHA256, AES-256-GCM.

`SM`: the same shape with SM3 (GB/T 32905) and SM4-GCM (GB/T 32907, RFC 8998) in place of SHA-256 and AES. RFC 9180 knows
no SM3, so the construction is ours, as its DHKEM: a fresh X25519 key pair per body; HKDF (RFC 5869) with HMAC-SM3 over the
shared secret, salt = the suite's name, info = ephemeral public key, recipient's public key, `info`; of its 28 bytes 16 are
the SM4 key and 12 the nonce. No key is ever used twice, hence neither is a nonce.

Both give: 32 bytes ephemeral public key, ciphertext, 16 bytes tag; `info` is bound, so a changed header cannot be opened.
Both are signed with Ed25519, and ids on the wire stay SHA-256 digests. An SM2 suite (SM2 signature and key transport) is
reserved: no maintained library brings it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from cryptography.hazmat.primitives.ciphers.modes import GCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

HPKE = "hpke-x25519-hkdfsha256-aes256gcm+ed25519"
SM = "x25519-hkdfsm3-sm4gcm+ed25519"

_HPKE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_KEY, _NONCE, _TAG, _POINT = 16, 12, 16, 32


class CannotOpen(Exception):
    """Damaged, or sealed for another key or with another `info`. The message never repeats the bytes."""


@dataclass(frozen=True, slots=True)
class SealingSuite:
    name: str
    seal: Callable[[bytes, X25519PublicKey, bytes], bytes]
    """Body, recipient's key, info."""
    open: Callable[[bytes, X25519PrivateKey, bytes], bytes]
    """Inverse; raises CannotOpen, and nothing else, on any bytes."""


def _hpke_open(sealed: bytes, private_key: X25519PrivateKey, info: bytes) -> bytes:
    try:
        return _HPKE.decrypt(sealed, private_key, info)
    except InvalidTag:  # also for cut bytes and points of low order
        raise CannotOpen from None


def _sm_seal(body: bytes, public_key: X25519PublicKey, info: bytes) -> bytes:
    ephemeral = X25519PrivateKey.generate()
    point = ephemeral.public_key().public_bytes_raw()
    key, nonce = _derive(ephemeral.exchange(public_key), point, public_key, info)
    cipher = Cipher(SM4(key), GCM(nonce)).encryptor()
    return point + cipher.update(body) + cipher.finalize() + cipher.tag


def _sm_open(sealed: bytes, private_key: X25519PrivateKey, info: bytes) -> bytes:
    if len(sealed) < _POINT + _TAG:
        raise CannotOpen
    point, text, tag = sealed[:_POINT], sealed[_POINT:-_TAG], sealed[-_TAG:]
    try:
        shared = private_key.exchange(X25519PublicKey.from_public_bytes(point))
        key, nonce = _derive(shared, point, private_key.public_key(), info)
        cipher = Cipher(SM4(key), GCM(nonce, tag)).decryptor()
        return cipher.update(text) + cipher.finalize()
    except (InvalidTag, ValueError):  # ValueError: a point of low order
        raise CannotOpen from None


def _derive(shared: bytes, point: bytes, recipient: X25519PublicKey, info: bytes) -> tuple[bytes, bytes]:
    context = point + recipient.public_bytes_raw() + info
    made = HKDF(algorithm=hashes.SM3(), length=_KEY + _NONCE, salt=SM.encode(), info=context).derive(shared)
    return made[:_KEY], made[_KEY:]


SUITES: Mapping[str, SealingSuite] = {
    HPKE: SealingSuite(HPKE, _HPKE.encrypt, _hpke_open),
    SM: SealingSuite(SM, _sm_seal, _sm_open),
}
