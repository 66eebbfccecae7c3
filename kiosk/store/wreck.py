"""Reading what can still be read out of a damaged database: row by row, by every way that leads to a row.

SQLCipher 4.19 tells of a bad page too late where a long value runs over it: the statement succeeds with zeros in the
value, and only the next page read through this connection fails. So each row gets a connection of its own, and counts
only if another page can be read afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlcipher3 import dbapi2

from kiosk.store.database import open_read_only
from kiosk.store.key import DatabaseKey

_OTHERS = ("alembic_version", "setting", "device", "print_job")
"""Small tables; each has pages of its own. Those that can be read prove that a connection still reads."""
_PROBE = "SELECT count(*) FROM {} NOT INDEXED"
_HOLES_MAX = 1_000_000
"""Row numbers tried one by one, at most."""

Row = dict[str, Any]


@dataclass(slots=True)
class Found:
    """rows: every row of a table that could be read whole. lost: row numbers an index names that could not."""

    rows: list[Row] = field(default_factory=list)
    lost: set[int] = field(default_factory=set)


class Wreck:
    """A damaged file, opened to read only. Each error costs the connection: SQLCipher gives nothing more through it."""

    def __init__(self, path: Path, key: DatabaseKey) -> None:
        """Raises dbapi2.DatabaseError when not even the schema can be read."""
        self._path = path
        self._key = key
        self._connection = open_read_only(path, key)
        self._probes = [table for table in _OTHERS if self._try(_PROBE.format(table))]

    def close(self) -> None:
        self._connection.close()

    def read(self, table: str, indexes: Sequence[str]) -> Found:
        """All columns of a table of this project's schema. indexes: names of its indexes, each a second way to the rows."""
        known = self._numbers(table, indexes)
        found = Found()
        for number in sorted(known | self._holes(known)):
            row = self._row(table, number)
            if row is not None:
                found.rows.append(row)
            elif number in known:
                found.lost.add(number)
        return found

    def value(self, statement: str) -> Any:
        """The first column of the first row; None where there is none or it cannot be read."""
        rows = self._try(statement)
        return rows[0][0] if rows else None

    def scan(self, statement: str) -> list[tuple[Any, ...]]:
        """As far as it goes."""
        rows: list[tuple[Any, ...]] = []
        try:
            for row in self._connection.execute(statement):
                rows.append(row)
        except dbapi2.DatabaseError:
            self._again()
        return rows

    def _numbers(self, table: str, indexes: Sequence[str]) -> set[int]:
        """Row numbers named by the table, forwards and backwards up to the damage, and by each index."""
        numbers: set[int] = set()
        for source in ("NOT INDEXED", *(f'INDEXED BY "{name}"' for name in indexes)):
            for order in ("", " ORDER BY rowid DESC") if source == "NOT INDEXED" else ("",):
                numbers.update(number for (number,) in self.scan(f"SELECT rowid FROM {table} {source}{order}"))
        return numbers

    def _holes(self, known: set[int]) -> set[int]:
        """Numbers nothing names: rows behind a damaged page whose index is damaged too."""
        return set(range(1, min(max(known, default=0), _HOLES_MAX) + 1)) - known

    def _row(self, table: str, number: int) -> Row | None:
        self._again()
        rows = self._try(f"SELECT * FROM {table} NOT INDEXED WHERE rowid = {number:d}", named=True)
        return rows[0] if rows and self._unharmed(table) else None

    def _unharmed(self, table: str) -> bool:
        """Whether a page not read before can still be read through this connection."""
        probe = next((other for other in self._probes if other != table), None)
        if probe is None:
            return True
        try:
            self._connection.execute(_PROBE.format(probe)).fetchall()
        except dbapi2.DatabaseError:
            return False
        return True

    def _try(self, statement: str, named: bool = False) -> list[Any]:
        try:
            cursor = self._connection.execute(statement)
            rows = cursor.fetchall()
            names = [column[0] for column in cursor.description]
        except dbapi2.DatabaseError:
            self._again()
            return []
        return [dict(zip(names, row, strict=True)) for row in rows] if named else rows

    def _again(self) -> None:
        self._connection.close()
        self._connection = open_read_only(self._path, self._key)
