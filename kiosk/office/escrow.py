"""The office's keys in a file for the safe: sealed with a passphrase, so that the office survives the loss of its machine.

The file is JSON: what stands in clear (version, day, key ids, parameters) is bound to the sealed part, which is AES-256-GCM
under a key that scrypt (RFC 7914) makes of the passphrase.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from pydantic import Field, ValidationError

from kiosk.office import keys
from kiosk.sync.wire.base import Wire
from kiosk.sync.wire.keys import key_id, private_hex, sealing_private, signing_private
from kiosk.sync.wire.models import KeyHex

VERSION = 1
PASSPHRASE_MIN = 12
_KIND, _KDF, _CIPHER = "office-escrow", "scrypt", "aes-256-gcm"
_N, _R, _P = 2**17, 8, 1
"""128 MiB and some 0.4 s for each guess."""
_N_MAX = 2**20
_FILE_MAX = 100_000


class EscrowError(Exception):
    """code: `not_an_escrow`, `newer`, `wrong_passphrase` (or damaged), `weak_passphrase`, `other_signing_key`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class _Clear(Wire):
    kiosk: str = Field(pattern="^office-escrow$")
    version: int = Field(ge=1)
    made: str
    sealing: tuple[str, ...]
    """Ids, the present key first."""
    signing: tuple[str, ...]
    kdf: str
    n: int = Field(ge=2**14, le=_N_MAX)
    """A power of two."""
    r: int = Field(ge=1, le=8)
    p: int = Field(ge=1, le=4)
    salt: str = Field(pattern="^[0-9a-f]{32}$")
    cipher: str
    nonce: str = Field(pattern="^[0-9a-f]{24}$")


class _File(Wire):
    clear: _Clear
    sealed: str


class _Secrets(Wire):
    sealing: tuple[KeyHex, ...] = Field(min_length=1, repr=False)
    signing: tuple[KeyHex, ...] = Field(min_length=1, repr=False)


@dataclass(frozen=True)
class Escrowed:
    """What an opened file holds; the present keys first."""

    made: str
    sealing: tuple[X25519PrivateKey, ...] = field(repr=False)
    signing: tuple[Ed25519PrivateKey, ...] = field(repr=False)

    def opener(self, kid: str) -> X25519PrivateKey | None:
        return next((key for key in self.sealing if key_id(key.public_key()) == kid), None)


def export(data: Path, file: Path, passphrase: str, now: dt.datetime) -> str:
    """Writes the office's keys; returns the fingerprint to note on the envelope. Raises EscrowError, FileExistsError."""
    if len(passphrase) < PASSPHRASE_MIN:
        raise EscrowError("weak_passphrase")
    office = keys.load(data)
    sealing = (office.sealing, *(key for kid, key in office.earlier.items() if kid != office.sealing_id))
    signing = (office.signing,) if office.next_signing is None else (office.signing, office.next_signing)
    clear = _Clear(
        kiosk=_KIND, version=VERSION, kdf=_KDF, n=_N, r=_R, p=_P, cipher=_CIPHER,
        made=now.astimezone(dt.UTC).isoformat(timespec="seconds"),
        sealing=tuple(key_id(key.public_key()) for key in sealing),
        signing=tuple(key_id(key.public_key()) for key in signing),
        salt=secrets.token_hex(16), nonce=secrets.token_hex(12),
    )
    told = _Secrets(sealing=tuple(map(private_hex, sealing)), signing=tuple(map(private_hex, signing)))
    sealed = AESGCM(_key(clear, passphrase)).encrypt(bytes.fromhex(clear.nonce), told.to_json(), clear.to_json())
    written = _File(clear=clear, sealed=base64.b64encode(sealed).decode()).to_json() + b"\n"
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(written)
        out.flush()
        os.fsync(out.fileno())
    return _fingerprint(written)


def fingerprint(file: Path) -> str:
    """Of the whole file, to compare by eye: SHA-256, the first 80 bits in groups. Raises OSError."""
    return _fingerprint(file.read_bytes())


def read(file: Path, passphrase: str) -> Escrowed:
    """Raises EscrowError, OSError."""
    raw = file.read_bytes()
    try:
        written = _File.model_validate_json(raw[:_FILE_MAX])
        sealed = base64.b64decode(written.sealed, validate=True)
    except (ValidationError, ValueError):
        raise EscrowError("not_an_escrow") from None
    clear = written.clear
    if clear.version > VERSION or (clear.kdf, clear.cipher) != (_KDF, _CIPHER):
        raise EscrowError("newer")
    if clear.n & (clear.n - 1):
        raise EscrowError("not_an_escrow")
    try:
        opened = AESGCM(_key(clear, passphrase)).decrypt(bytes.fromhex(clear.nonce), sealed, clear.to_json())
    except InvalidTag:
        raise EscrowError("wrong_passphrase") from None
    told = _Secrets.model_validate_json(opened)
    return Escrowed(
        clear.made, tuple(sealing_private(key) for key in told.sealing), tuple(signing_private(key) for key in told.signing),
    )


def restore(data: Path, escrowed: Escrowed) -> list[str]:
    """Puts back what is missing, also into an empty folder; names of the files made. Never replaces a key.

    A sealing key that is not the present one is kept for opening. Raises EscrowError `other_signing_key`, with the sealing
    keys restored, where another office signs here: terminals believe only the one they know.
    """
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    made = [keys.SEALING] if keys.create(data / keys.SEALING, private_hex(escrowed.sealing[0])) else []
    present = keys.sealing_id(data)
    for key in escrowed.sealing:
        if key_id(key.public_key()) != present and keys.keep_sealing(data, private_hex(key)):
            made.append(f"sealing-{key_id(key.public_key())}.key")
    for name, signer in zip((keys.SIGNING, keys.NEXT), escrowed.signing, strict=False):
        if keys.create(data / name, private_hex(signer)):
            made.append(name)
    if keys.signing_id(data) not in {key_id(key.public_key()) for key in escrowed.signing}:
        raise EscrowError("other_signing_key")
    return made


def _key(clear: _Clear, passphrase: str) -> bytes:
    made = Scrypt(salt=bytes.fromhex(clear.salt), length=32, n=clear.n, r=clear.r, p=clear.p)
    return made.derive(passphrase.encode("utf-8", "surrogatepass"))


def _fingerprint(written: bytes) -> str:
    text = hashlib.sha256(written).hexdigest()[:20]
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))
