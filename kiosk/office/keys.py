"""The office's own secrets: hex files of mode 0600 in the data directory.

`sealing.key` is what terminals seal to now; `sealing-<kid>.key` are earlier ones, which still open what was sealed before.
`signing.key` signs; `signing-next.key`, where there is one, is announced to the terminals and signs nothing yet.
"""

from __future__ import annotations

import fcntl
import functools
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from kiosk.durable import sync_path
from kiosk.sync.wire import models as wire
from kiosk.sync.wire.keys import key_id, private_hex, public_hex, sealing_private, signing_private

SECRET, SIGNING, SEALING, NEXT = "secret.key", "signing.key", "sealing.key", "signing-next.key"
_EARLIER = re.compile(r"sealing-[0-9a-f]{16}\.key")
_LOCK = "keys.lock"


@dataclass(frozen=True)
class OfficeKeys:
    signing: Ed25519PrivateKey = field(repr=False)
    """Signs receipts, refusals, pulls and enrolment answers."""
    sealing: X25519PrivateKey = field(repr=False)
    """Opens what terminals seal. Lost: no stored envelope can ever be opened again."""
    earlier: Mapping[str, X25519PrivateKey] = field(default_factory=dict, repr=False)
    """By id: for what was sealed before a rotation, however late it comes."""
    next_signing: Ed25519PrivateKey | None = field(default=None, repr=False)
    """Announced, so that every terminal knows it before it signs."""

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

    @functools.cached_property
    def announced(self) -> wire.OfficeKeys:
        """What terminals are told to trust and to seal to."""
        further = () if self.next_signing is None else (public_hex(self.next_signing.public_key()),)
        return wire.OfficeKeys(sealing=self.sealing_public, signing=(self.signing_public, *further))

    def opener(self, kid: str) -> X25519PrivateKey | None:
        """The key that opens what names this id; None: it is not here."""
        return self.sealing if kid == self.sealing_id else self.earlier.get(kid)


def create_missing(data: Path) -> bool:
    """Makes the keys that do not exist yet; never replaces one. Returns whether any was made."""
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    made = [
        create(data / SECRET, secrets.token_hex(32)),
        create(data / SIGNING, private_hex(Ed25519PrivateKey.generate())),
        create(data / SEALING, private_hex(X25519PrivateKey.generate())),
    ]
    return any(made)


def load(data: Path) -> OfficeKeys:
    """The same object until a key file changes, so that a rotation takes effect in every process at once.

    Raises FileNotFoundError before `create_missing`.
    """
    return _load(data, _state(data))


def django_secret(data: Path) -> str:
    """Empty before `create_missing`: Django then refuses to serve."""
    path = data / SECRET
    return _read(path) if path.exists() else ""


def sealing_id(data: Path) -> str:
    return key_id(sealing_private(_read(data / SEALING)).public_key())


def signing_id(data: Path) -> str:
    return key_id(signing_private(_read(data / SIGNING)).public_key())


def rotate_sealing(data: Path) -> tuple[str, str]:
    """A new key to seal to; the present one stays as an earlier one. Ids before and after.

    Cut off between its two steps it has changed nothing: the present key then lies there twice.
    """
    with _only_one(data):
        before = sealing_id(data)
        keep_sealing(data, _read(data / SEALING))
        fresh = X25519PrivateKey.generate()
        _replace(data / SEALING, private_hex(fresh))
    return before, key_id(fresh.public_key())


def keep_sealing(data: Path, private: str) -> bool:
    """Beside the present key, for opening only. Whether it was new here."""
    return create(data / f"sealing-{key_id(sealing_private(private).public_key())}.key", private)


def announce_signing(data: Path) -> str:
    """Makes the next signing key, or finds the one announced already. Its id."""
    create(data / NEXT, private_hex(Ed25519PrivateKey.generate()))
    return key_id(signing_private(_read(data / NEXT)).public_key())


def switch_signing(data: Path) -> tuple[str, str]:
    """The announced key signs from now on; the one before is gone. Ids before and after.

    Raises FileNotFoundError when none was announced.
    """
    with _only_one(data):
        before = signing_id(data)
        after = key_id(signing_private(_read(data / NEXT)).public_key())
        os.replace(data / NEXT, data / SIGNING)
        sync_path(data)
    return before, after


def create(path: Path, text: str) -> bool:
    """Whether it was made; what is there is never overwritten."""
    if path.exists():
        return False
    # Written beside and linked into place: a power cut leaves a whole key or none, and nothing is overwritten.
    part = _written_beside(path, text)
    try:
        os.link(part, path)
    except FileExistsError:
        return False
    finally:
        part.unlink()
    sync_path(path.parent)
    return True


def _replace(path: Path, text: str) -> None:
    os.replace(_written_beside(path, text), path)
    sync_path(path.parent)


def _written_beside(path: Path, text: str) -> Path:
    part = path.with_suffix(f".{secrets.token_hex(4)}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    return part


@functools.lru_cache(maxsize=2)
def _load(data: Path, _: object) -> OfficeKeys:
    earlier = {}
    for path in sorted(data.iterdir()):
        if _EARLIER.fullmatch(path.name):
            key = sealing_private(_read(path))
            earlier[key_id(key.public_key())] = key
    announced = data / NEXT
    return OfficeKeys(
        signing_private(_read(data / SIGNING)), sealing_private(_read(data / SEALING)), earlier,
        signing_private(_read(announced)) if announced.exists() else None,
    )


def _state(data: Path) -> tuple[tuple[str, int, int], ...]:
    """What changes with every key file made or replaced."""
    found = ((path.name, path.stat()) for path in sorted(data.glob("s*.key")))
    return tuple((name, status.st_ino, status.st_mtime_ns) for name, status in found)


def _read(path: Path) -> str:
    return path.read_text(encoding="ascii").strip()


@contextmanager
def _only_one(data: Path) -> Iterator[None]:
    with (data / _LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
