"""Where the key of the encrypted database comes from: a file, a systemd credential, or in demo mode one made here."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from kiosk.config import KioskConfig, Mode
from kiosk.store.unusable import StoreUnusable

CREDENTIAL = "kiosk-db-key"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DatabaseKey:
    """A raw SQLCipher key: 32 bytes as 64 hex digits."""

    hex: str = field(repr=False)

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[0-9a-fA-F]{64}", self.hex):
            raise ValueError("a database key has 64 hex digits")


def load_key(config: KioskConfig) -> DatabaseKey:
    """The configured key file, else the credential, else, in demo mode only, a development key.

    Raises StoreUnusable; nothing is ever made up in production.
    """
    if config.store.key_file is not None:
        return _read(config.store.key_file)
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if folder:
        return _read(Path(folder) / CREDENTIAL)
    if config.mode is Mode.DEMO:
        return development_key(config.store.path)
    raise StoreUnusable(
        "no_key", f"give the unit the credential {CREDENTIAL} (LoadCredentialEncrypted=), or set store.key_file",
    )


def development_key(database: Path) -> DatabaseKey:
    """A key that lies openly beside the database. For demonstrations: it protects nothing."""
    path = database.with_name(database.name + ".development-key")
    try:
        if not path.exists():
            _make(path)
    except OSError as error:
        raise StoreUnusable("read_only", f"no key can be written beside {database} ({error.strerror}); check owner") from None
    _log.warning("DEMO: the database key lies unprotected beside the database; never hand in real cases here")
    return _read(path)


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.touch(0o600)
    fresh.write_text(secrets.token_hex(32), encoding="ascii")
    with contextlib.suppress(FileExistsError):  # another process was first: its key counts
        os.link(fresh, path)
    fresh.unlink()


def _read(path: Path) -> DatabaseKey:
    try:
        return DatabaseKey(path.read_text(encoding="ascii").strip())
    except OSError as error:
        raise StoreUnusable("no_key", f"key file {path} cannot be read ({error.strerror}); check path and owner") from None
    except ValueError:
        raise StoreUnusable("bad_key", f"key file {path} must hold exactly 64 hex digits; restore it from escrow") from None
