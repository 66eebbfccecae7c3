"""The PIN by which staff sign in at a terminal, and the salted hash of it that a configuration may hold.

Hash: scrypt (RFC 7914) as `scrypt$<log2 n>$<r>$<p>$<salt>$<key>`, the last two in base64. A PIN of a few digits can be
found from its hash by trying them all, however slow the hash is: the file that holds it must stay unreadable to others.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field

PIN_MIN, PIN_MAX = 4, 8
"""Digits."""
_LOG2_N, _R, _P = 15, 8, 1
"""32 MiB and about 0.1 s on the terminal's processor."""
_SALT_BYTES, _KEY_BYTES = 16, 32
_MEMORY_MAX = 128 * 1024 * 1024
_RUNS = "01234567890 09876543210"


@dataclass(frozen=True, slots=True)
class PinHash:
    log2_n: int
    r: int
    p: int
    salt: bytes = field(repr=False)
    key: bytes = field(repr=False)

    @classmethod
    def of(cls, pin: str) -> PinHash:
        """With a new salt."""
        salt = secrets.token_bytes(_SALT_BYTES)
        return cls(_LOG2_N, _R, _P, salt, _derive(pin, salt, _LOG2_N, _R, _P))

    @classmethod
    def parse(cls, text: str) -> PinHash:
        """Raises ValueError, without the text, for anything `str` would not have written."""
        try:
            name, log2_n, r, p, salt, key = text.split("$")
            parsed = cls(int(log2_n), int(r), int(p), base64.b64decode(salt, validate=True), base64.b64decode(key, validate=True))
        except (ValueError, binascii.Error):
            raise ValueError("not a PIN hash; `kiosk staff pin` makes one") from None
        memory = 128 * parsed.r << max(0, min(parsed.log2_n, 40))
        well_made = name == "scrypt" and parsed.log2_n > 0 and parsed.r > 0 and parsed.p > 0 and memory <= _MEMORY_MAX
        if not well_made or len(parsed.salt) < _SALT_BYTES or len(parsed.key) != _KEY_BYTES or str(parsed) != text:
            raise ValueError("not a PIN hash; `kiosk staff pin` makes one")
        return parsed

    def fits(self, pin: str) -> bool:
        """Slow by design: not for the thread of a screen."""
        return hmac.compare_digest(self.key, _derive(pin, self.salt, self.log2_n, self.r, self.p))

    def __str__(self) -> str:
        salt, key = (base64.b64encode(each).decode("ascii") for each in (self.salt, self.key))
        return f"scrypt${self.log2_n}${self.r}${self.p}${salt}${key}"


def is_pin(text: str) -> bool:
    return PIN_MIN <= len(text) <= PIN_MAX and text.isascii() and text.isdigit()


def is_guessed_first(pin: str) -> bool:
    """One digit only, or digits in a row up or down."""
    return len(set(pin)) == 1 or pin in _RUNS


def _derive(pin: str, salt: bytes, log2_n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(
        pin.encode("ascii"), salt=salt, n=1 << log2_n, r=r, p=p, maxmem=_MEMORY_MAX + 1024 * 1024, dklen=_KEY_BYTES,
    )
