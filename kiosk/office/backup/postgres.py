"""A backup of a PostgreSQL office counts only when it was restored into a database of its own and checked there."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings

from kiosk.office.backup.check import Checked, check_rows

_TOOLS = ("pg_dump", "pg_restore", "createdb", "dropdb")
_PATIENCE_S = 3600.0


def write(part: Path) -> str:
    """Dumps the live database; what hindered it, empty when nothing did."""
    if any(shutil.which(tool) is None for tool in _TOOLS):
        return "no_tools"
    name = settings.DATABASES["default"]["NAME"]
    return "" if _run("pg_dump", "--format=custom", "--no-owner", f"--file={part}", f"--dbname={name}") else "not_written"


def check_dump(part: Path, known: Collection[str] = frozenset()) -> Checked:
    """Restored into a scratch database, which is dropped again whatever happens."""
    scratch = f"kiosk_check_{secrets.token_hex(6)}"
    if not _run("createdb", "--template=template0", scratch):
        return Checked("no_scratch_database")
    try:
        if not _run("pg_restore", "--exit-on-error", "--no-owner", f"--dbname={scratch}", str(part)):
            return Checked("damaged")
        one = settings.DATABASES["default"]
        with psycopg.connect(
            dbname=scratch, host=one["HOST"] or None, port=one["PORT"] or None, user=one["USER"] or None,
            password=one["PASSWORD"] or None, autocommit=True,
        ) as restored:
            def ask(sql: str, *values: Any) -> Iterator[tuple[Any, ...]]:
                return iter(restored.execute(sql.replace("?", "%s").encode(), values).fetchall())

            return check_rows(ask, known)
    except psycopg.Error:
        return Checked("damaged")
    finally:
        _run("dropdb", "--if-exists", scratch)


def _run(tool: str, *arguments: str) -> bool:
    """Where the server is goes by the environment: arguments are seen by everybody on the machine."""
    one = settings.DATABASES["default"]
    names = {"PGHOST": one["HOST"], "PGPORT": one["PORT"], "PGUSER": one["USER"], "PGPASSWORD": one["PASSWORD"]}
    environment = os.environ | {name: value for name, value in names.items() if value}
    try:
        done = subprocess.run([tool, *arguments], env=environment, capture_output=True, timeout=_PATIENCE_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
