"""Making a terminal's disk unreadable for good: first the key, then every file that was written with it.

On flash and journalling disks overwriting may miss old copies of a block; what is left there is ciphertext without a key.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kiosk.config import KioskConfig, Mode
from kiosk.durable import sync_path

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Wiped:
    files: int
    key_destroyed: bool
    """False: the key is a credential of the system; only its owner can destroy it."""


def marker(config: KioskConfig) -> Path:
    """Stands from the first step to the last: who finds it, ends what was begun. Holds the terminal's id."""
    return config.store.path.with_name(config.store.path.name + ".erasing")


def crypto_erase(config: KioskConfig, terminal_id: str) -> Wiped:
    """The caller has made sure that nothing is lost by it and that no process works here. Safe to repeat after a cut.

    Raises OSError; the key is gone then, or was the file that could not be destroyed.
    """
    begun = marker(config)
    begun.write_text(terminal_id, encoding="ascii")
    sync_path(begun.parent)
    for path in _key_files(config):
        if path.is_file() or path.is_symlink():
            _destroy(path)
    files = [path for path in _data_files(config) if path != begun]
    for path in files:
        _destroy(path)
    _destroy(begun)
    return Wiped(len(files), key_destroyed=config.store.key_file is not None or config.mode is Mode.DEMO)


def _key_files(config: KioskConfig) -> Iterator[Path]:
    if config.store.key_file is not None:
        yield config.store.key_file.resolve()
        yield config.store.key_file  # where that was a link
    yield from config.store.path.parent.glob(config.store.path.name + ".development-key*")


def _data_files(config: KioskConfig) -> Iterator[Path]:
    """Database, log, index, lock, ballast, damaged files kept aside: all begin with the database's name. Links are not
    followed; folders stay."""
    database = config.store.path
    yield from (path for path in sorted(database.parent.glob(database.name + "*")) if path.is_file())
    if config.store.backup_dir is not None:  # which may hold other things too
        yield from (path for path in sorted(config.store.backup_dir.glob(database.name + "*")) if path.is_file())
    content = config.sync.content_dir or database.with_name("content")
    yield from (path for path in sorted(content.rglob("*")) if path.is_file() or path.is_symlink())


def _destroy(path: Path) -> None:
    """Overwritten with random bytes, cut to nothing and unlinked, each on disk before the next."""
    if not path.is_symlink():
        left = path.stat().st_size
        with path.open("r+b", buffering=0) as file:
            while left > 0:
                left -= file.write(os.urandom(min(left, _CHUNK)))
            os.fsync(file.fileno())
            file.truncate(0)
            os.fsync(file.fileno())
    path.unlink()
    sync_path(path.parent)
