"""Whether a copy of the office's database is whole: opened on its own, read only, its envelopes hashed again.

Knows neither Django nor the live database, so that any copy can be checked on any machine.
"""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pysqlite3

from kiosk.sync.wire.envelope import EnvelopeError, parse_header

Ask = Callable[..., Iterator[tuple[Any, ...]]]
"""ask(sql, *values): the rows; `?` stands for a value."""
SAMPLE = 200
"""So many envelopes of earlier backups are hashed again each time."""


@dataclass(frozen=True)
class Checked:
    """trouble: empty when every check held, else `unreadable`, `damaged`, `foreign_keys`, `digest_differs`,
    `envelopes_missing`, `pieces_missing`; or why there is no copy at all."""

    trouble: str
    envelopes: int = 0
    whole: tuple[str, ...] = ()
    """Ids of those that stand in the copy with all their pieces."""


def check(path: Path, known: Collection[str] = frozenset(), sample: int = SAMPLE) -> Checked:
    """known: ids an earlier verified backup holds; they must be here, and only a sample of them is hashed again."""
    try:
        _forget_pages(path)
        with closing(pysqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro&immutable=1", uri=True)) as copy:
            def ask(sql: str, *values: Any) -> Iterator[tuple[Any, ...]]:
                return iter(copy.execute(sql, values))

            if [row[0] for row in ask("PRAGMA integrity_check")] != ["ok"]:
                return Checked("damaged")
            if next(ask("PRAGMA foreign_key_check"), None) is not None:
                return Checked("foreign_keys")
            return check_rows(ask, known, sample)
    except OSError:
        return Checked("unreadable")
    except pysqlite3.DatabaseError:
        return Checked("damaged")


def check_rows(ask: Ask, known: Collection[str] = frozenset(), sample: int = SAMPLE) -> Checked:
    """What is the same for every database; see `check`."""
    rows = list(ask("SELECT id, erased FROM office_envelope"))
    if not {row[0] for row in rows}.issuperset(known):
        return Checked("envelopes_missing", len(rows))
    old = [case_id for case_id, erased in rows if case_id in known and erased is None]
    chosen = set(random.sample(old, min(sample, len(old))))
    whole = []
    for case_id, erased in rows:
        wrong = ""
        if erased is None and (case_id not in known or case_id in chosen):
            wrong = _wrong(ask, case_id)
        if wrong and (wrong != "pieces_missing" or case_id in known):
            return Checked(wrong, len(rows))
        if not wrong:
            whole.append(case_id)
    return Checked("", len(rows), tuple(whole))


def _wrong(ask: Ask, case_id: str) -> str:
    """What is wrong with an envelope or one of its pieces; empty when all is there and as it came."""
    digest, named, raw = next(ask("SELECT digest, pieces, raw FROM office_envelope WHERE id = ?", case_id))
    data = _bytes(raw)
    if hashlib.sha256(data).hexdigest() != digest:
        return "digest_differs"
    if not named:
        return ""
    try:
        wanted = parse_header(data).parts
    except EnvelopeError:
        return "digest_differs"
    stored: dict[str, Any] = dict(ask("SELECT sha256, raw FROM office_envelopepart WHERE case_id = ?", case_id))
    if any(hashlib.sha256(_bytes(stored[one])).hexdigest() != one for one in wanted if one in stored):
        return "digest_differs"
    return "" if stored.keys() >= set(wanted) else "pieces_missing"


def _bytes(value: Any) -> bytes:
    """SQLite lets text stand where bytes should: then it is not what came."""
    return bytes(value) if isinstance(value, bytes | memoryview) else b""


def _forget_pages(path: Path) -> None:
    """What was written a moment ago would else be read back from memory, whatever the disk made of it."""
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
