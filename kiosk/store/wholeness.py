"""Whether a database file is whole, through connections of its own: one bad page poisons everything read after it."""

from __future__ import annotations

import hashlib
from pathlib import Path

from sqlcipher3 import dbapi2

from kiosk.store.database import open_read_only
from kiosk.store.key import DatabaseKey

_CHECKS = ("cipher_integrity_check", "integrity_check(20)", "foreign_key_check")
_SAY = 20


def find_damage(path: Path, key: DatabaseKey) -> tuple[str, ...]:
    """What is wrong, in SQLite's words without contents; empty: pages authentic, structure and references whole, and
    every sealed body and piece is the one its digest names."""
    found: list[str] = []
    for check in (*_CHECKS, ""):
        try:
            connection = open_read_only(path, key)
        except dbapi2.DatabaseError as error:
            return (*found, error.sqlite_errorname)
        try:
            found += _pragma(connection, check) if check else _bodies(connection)
        except dbapi2.DatabaseError as error:
            found.append(f"{check or 'bodies'}: {error.sqlite_errorname}")
        finally:
            connection.close()
    return tuple(found[:_SAY])


def _pragma(connection: dbapi2.Connection, check: str) -> list[str]:
    rows = connection.execute(f"PRAGMA {check}").fetchall()
    return [f"{check}: {row[0]}".splitlines()[0] for row in rows if row != ("ok",)]


def _bodies(connection: dbapi2.Connection) -> list[str]:
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    found = []
    if "cases" in tables:
        for name, sealed, digest in connection.execute("SELECT id, sealed, digest FROM cases WHERE length(sealed) > 0"):
            if hashlib.sha256(sealed).digest() != digest:
                found.append(f"case {name} is not the one its digest names")
    if "part" in tables:
        for name, body in connection.execute("SELECT sha256, body FROM part WHERE length(body) > 0"):
            if hashlib.sha256(body).hexdigest() != name:
                found.append(f"piece {name[:16]} is not the one its digest names")
    return found
