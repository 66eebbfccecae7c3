"""Puts the patched SQLite in place and configures Django.

SQLite up to 3.51.2 can lose committed writes in WAL mode (sqlite.org/wal.html, section "walresetbug"), and the
interpreter's own is often older. No other program with an older SQLite may open the office's live file.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pysqlite3

from kiosk.office import DATA_VARIABLE

SETTINGS = "kiosk.office.settings"


def is_patched(version: tuple[int, ...]) -> bool:
    """Whether this SQLite version is free of the WAL-reset bug; 3.50.7 and 3.44.6 are backports."""
    return version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45)


def configure(data: Path | None = None) -> None:
    """Sets Django up once per process. data: the data directory; default the environment's, else ./var/office.

    Raises RuntimeError when Django already runs with another data directory.
    """
    if data is not None:
        os.environ[DATA_VARIABLE] = str(data)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", SETTINGS)
    import django
    from django.conf import settings

    django.setup()
    if data is not None and settings.OFFICE.data.resolve() != data.resolve():
        raise RuntimeError("this process already works with another office data directory")


def use_patched_sqlite() -> None:
    """Makes `import sqlite3` mean pysqlite3. Raises RuntimeError when that one is not patched either."""
    if not is_patched(pysqlite3.sqlite_version_info):
        raise RuntimeError(f"SQLite {pysqlite3.sqlite_version} can lose data; install the pysqlite3 that pyproject.toml names")
    sys.modules["sqlite3"] = pysqlite3
    sys.modules["sqlite3.dbapi2"] = pysqlite3.dbapi2
