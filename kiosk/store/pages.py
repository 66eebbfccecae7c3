"""Whether a key belongs to a file that does not open: any one page that authenticates under it proves the key.

SQLCipher 4, raw key, defaults: pages of 4096 bytes whose last 80 are IV (16) and HMAC-SHA512 (64) over ciphertext, IV and
page number (little endian); the HMAC key is PBKDF2-HMAC-SHA512 of the key with the salt (first 16 bytes of the file) xor
0x3a, two rounds (zetetic.net/sqlcipher/design).
"""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

from kiosk.store.key import DatabaseKey

PAGE = 4096
_SALT = 16
_HMAC = 64


def key_fits(path: Path, key: DatabaseKey) -> bool:
    """False: the key is wrong, or nothing of the file is readable; nobody can tell which. Raises OSError.

    Not while this process has the file open: closing it here would drop SQLite's locks.
    """
    with path.open("rb") as file:
        salt = file.read(_SALT)
        made = hashlib.pbkdf2_hmac("sha512", bytes.fromhex(key.hex), bytes(byte ^ 0x3A for byte in salt), 2, 32)
        file.seek(0)
        number = 0
        while len(page := file.read(PAGE)) == PAGE:
            number += 1
            body = page[_SALT if number == 1 else 0 : -_HMAC] + number.to_bytes(4, "little")
            if hmac.compare_digest(hmac.digest(made, body, "sha512"), page[-_HMAC:]):
                return True
    return False
