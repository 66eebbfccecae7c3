"""A damaged database: found, kept, never silently begun anew, and its cases carried over as far as they can be read."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlcipher3 import dbapi2

from kiosk.config import KioskConfig, Mode, StoreConfig
from kiosk.domain.case import CaseDraft, CaseReceipt
from kiosk.store import audit, damage
from kiosk.store.cases import CaseStore, Draft, Sealed, SubmitFailed, Terminal, Ticket
from kiosk.store.damage import begin_anew, damaged_file, kept_files, suspect_file
from kiosk.store.database import open_read_only
from kiosk.store.key import DatabaseKey
from kiosk.store.models import CaseRow, OutboxRow
from kiosk.store.opening import open_store
from kiosk.store.outbox import Outbox
from kiosk.store.pages import PAGE, key_fits
from kiosk.store.salvage import Salvaged, salvage
from kiosk.store.unusable import StoreUnusable
from kiosk.store.wholeness import find_damage
from kiosk.store.wreck import Wreck
from kiosk.sync.identity import load_identity

MakeDraft = Callable[..., CaseDraft]
Numbers = Callable[[bytes], tuple[int, int] | None]


class PlainSealer:
    """Bytes that name the ticket."""

    def __init__(self, epoch: int = 1) -> None:
        self._epoch = epoch

    def terminal(self) -> Terminal:
        return Terminal("HG01", self._epoch)

    def seal(self, draft: Draft, ticket: Ticket) -> Sealed:
        return Sealed(f"sealed {ticket.case_id} {ticket.seq}".encode() + bytes(4000), "00")


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "elsewhere.key"
    path.write_text("0f" * 32)
    return path


@pytest.fixture
def config(tmp_path: Path, key_file: Path) -> KioskConfig:
    (tmp_path / "data").mkdir()
    return KioskConfig(mode=Mode.DEMO, store=StoreConfig(path=tmp_path / "data" / "terminal.db", key_file=key_file, ballast_mb=0))


def number(n: int) -> str:
    stem = f"9999011950{1 + n // 28:02d}{1 + n % 28:02d}{100 + n}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return stem + "10X98765432"[sum(int(a) * b for a, b in zip(stem, weights, strict=True)) % 11]


def numbers(sealed: bytes) -> tuple[int, int] | None:
    """As PlainSealer writes them."""
    words = sealed.split(b"\0")[0].split()
    return (1, int(words[2])) if len(words) == 3 else None


def fill(config: KioskConfig, draft: MakeDraft, now: dt.datetime, cases: int, acked: int = 0) -> dict[str, bytes]:
    """Digest by id of what was handed in; the database is closed afterwards."""
    engine = open_store(config)
    store, sealer = CaseStore(engine, 0), PlainSealer()
    ids = []
    for n in range(cases):
        receipt = store.submit(draft(number(n)), sealer, now)
        assert isinstance(receipt, CaseReceipt)
        ids.append(receipt.case_id)
    for case_id in ids[:acked]:
        Outbox(engine, 1, 2).acked(case_id, "safe", b"{}", "00", now)
    with engine.connect() as connection:
        found = {name: digest for name, digest in connection.execute(text("SELECT id, digest FROM cases"))}
    engine.dispose()
    return found


def spoil(path: Path, page: int, at: int = 300) -> None:
    with path.open("r+b") as file:
        file.seek((page - 1) * PAGE + at)
        byte = file.read(1)[0]
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte ^ 0x40]))


def contents(folder: Path) -> dict[str, str]:
    files = [path for path in folder.iterdir() if path.name.endswith((".db", "-wal"))]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def refused(config: KioskConfig) -> str:
    with pytest.raises(StoreUnusable) as failure:
        open_store(config)
    return failure.value.reason


def roots(config: KioskConfig, key: DatabaseKey) -> dict[str, int]:
    connection = open_read_only(config.store.path, key)
    found = dict(connection.execute("SELECT name, rootpage FROM sqlite_master").fetchall())
    connection.close()
    return found


def test_damage_met_at_work_stops_the_next_start_and_keeps_the_file(
    config: KioskConfig, key: DatabaseKey, draft: MakeDraft, now: dt.datetime,
) -> None:
    database = config.store.path
    fill(config, draft, now, 12)
    spoil(database, roots(config, key)["cases"])
    raw = database.read_bytes()
    engine = open_store(config)
    with pytest.raises(DBAPIError), engine.connect() as connection:
        connection.execute(text("SELECT count(*) FROM cases NOT INDEXED"))
    engine.dispose()
    assert suspect_file(database).exists()
    assert refused(config) == "damaged"
    (kept,) = kept_files(database)
    assert kept.read_bytes() == raw
    assert not database.exists()
    for _ in range(2):  # nothing begins by itself, however often it is started
        assert refused(config) == "damaged"
        assert not database.exists()
    assert begin_anew(database, now) == kept
    assert not damaged_file(database).exists() and not suspect_file(database).exists()
    engine = open_store(config)
    with Session(engine) as session:
        assert audit.head(session).n == 0
    engine.dispose()


def test_a_submission_that_meets_damage_takes_no_further_case(
    config: KioskConfig, key: DatabaseKey, draft: MakeDraft, now: dt.datetime, caplog: pytest.LogCaptureFixture,
) -> None:
    fill(config, draft, now, 3)
    spoil(config.store.path, roots(config, key)["cases"])
    engine = open_store(config)
    store = CaseStore(engine, 0)
    failed = store.submit(draft(number(9)), PlainSealer(), now)
    assert isinstance(failed, SubmitFailed) and failed.reason.startswith("SQLITE_CORRUPT")
    assert store.restart_needed
    assert number(9) not in caplog.text
    engine.dispose()
    assert refused(config) == "damaged"


def test_a_false_alarm_leaves_everything_as_it_is(config: KioskConfig, draft: MakeDraft, now: dt.datetime) -> None:
    before = fill(config, draft, now, 2)
    damage.suspect(config.store.path)
    engine = open_store(config)
    with engine.connect() as connection:
        assert {name: digest for name, digest in connection.execute(text("SELECT id, digest FROM cases"))} == before
    engine.dispose()
    assert not suspect_file(config.store.path).exists()
    assert kept_files(config.store.path) == ()


@pytest.mark.parametrize("hurt", [False, True])
def test_a_wrong_key_moves_nothing(config: KioskConfig, key_file: Path, draft: MakeDraft, now: dt.datetime, hurt: bool) -> None:
    """LC-24: whole or damaged, with or without a log, suspected or not."""
    database = config.store.path
    fill(config, draft, now, 3)
    if hurt:
        spoil(database, 1)
    damage.suspect(database)
    database.with_name("terminal.db-wal").write_bytes(os.urandom(5000))
    before = contents(database.parent)
    key_file.write_text("ab" * 32)
    assert refused(config) == "wrong_key"
    key_file.unlink()
    assert refused(config) == "no_key"
    assert contents(database.parent) == before
    assert kept_files(database) == () and not damaged_file(database).exists()


def test_a_key_is_proven_by_any_page(config: KioskConfig, key: DatabaseKey, draft: MakeDraft, now: dt.datetime) -> None:
    fill(config, draft, now, 2)
    database = config.store.path
    raw = database.read_bytes()
    for page in range(1, len(raw) // PAGE):
        spoil(database, page)
    assert key_fits(database, key)
    assert not key_fits(database, DatabaseKey("ab" * 32))
    spoil(database, len(raw) // PAGE)
    assert not key_fits(database, key)
    database.write_bytes(bytes([raw[0] ^ 1]) + raw[1:])  # without the salt no page proves anything
    assert not key_fits(database, key)


@pytest.mark.parametrize("left", [None, b""])
def test_a_log_without_its_database_is_not_thrown_away(config: KioskConfig, left: bytes | None) -> None:
    """SQLite itself deletes the log beside an empty file."""
    database = config.store.path
    log = database.with_name("terminal.db-wal")
    log.write_bytes(b"unsent cases")
    if left is not None:
        database.write_bytes(left)
    assert refused(config) == "damaged"
    assert [path.read_bytes() for path in database.parent.glob("*.damaged-*-wal")] == [b"unsent cases"]


def test_a_file_still_in_use_is_moved_later_and_nobody_opens_it(config: KioskConfig, draft: MakeDraft, now: dt.datetime) -> None:
    fill(config, draft, now, 3)
    database = config.store.path
    other = open_store(config)
    with other.connect() as connection:
        connection.execute(text("SELECT count(*) FROM cases"))
    damage.set_aside(database, now)
    assert database.exists()
    assert refused(config) == "damaged"
    with pytest.raises(StoreUnusable, match="busy"):
        begin_anew(database, now)
    other.dispose()
    assert refused(config) == "damaged"
    assert not database.exists()
    with pytest.raises(DBAPIError), other.connect():  # it makes no new file either
        pass
    assert not database.exists()
    other.dispose()


def test_an_interrupted_move_is_ended(config: KioskConfig, draft: MakeDraft, now: dt.datetime) -> None:
    fill(config, draft, now, 2)
    database = config.store.path
    log = database.with_name("terminal.db-wal")
    log.write_bytes(b"the log")
    name = "terminal.db.damaged-20261123T010000Z"
    damaged_file(database).write_text(name)
    database.rename(database.with_name(name))
    assert refused(config) == "damaged"
    assert database.with_name(name + "-wal").read_bytes() == b"the log"
    assert not log.exists()


def test_nothing_to_begin_anew(config: KioskConfig, draft: MakeDraft, now: dt.datetime) -> None:
    fill(config, draft, now, 1)
    before = contents(config.store.path.parent)
    with pytest.raises(StoreUnusable, match="not_damaged"):
        begin_anew(config.store.path, now)
    assert contents(config.store.path.parent) == before


def rescue(config: KioskConfig, key: DatabaseKey, now: dt.datetime, numbers: Numbers = numbers) -> tuple[Engine, Path, Salvaged]:
    database = config.store.path
    damage.set_aside(database, now)
    kept = begin_anew(database, now)
    before = contents(kept.parent)
    engine = open_store(config)
    done = salvage(engine, kept, key, numbers, now)
    assert {name: digest for name, digest in contents(kept.parent).items() if name in before} == before
    return engine, kept, done


def test_everything_comes_over_from_a_whole_file_unsent_first(
    config: KioskConfig, key: DatabaseKey, draft: MakeDraft, now: dt.datetime,
) -> None:
    before = fill(config, draft, now, 6, acked=4)
    engine, kept, done = rescue(config, key, now)
    assert (done.unsent, done.others, done.spoiled, done.unreadable) == (2, 4, 0, 0)
    assert done.complete
    with Session(engine) as session:
        assert {case.id: case.digest for case in session.query(CaseRow)} == before
        assert all(hashlib.sha256(case.sealed).digest() == case.digest for case in session.query(CaseRow))
        assert sorted(row.seq for row in session.query(OutboxRow)) == [1, 2, 3, 4, 5, 6]
        assert audit.examine(session).breaks == ()
        first = [one for (one,) in session.query(CaseRow.id).order_by(CaseRow.audit_n).limit(2)]
        assert {row.state for row in session.query(OutboxRow).filter(OutboxRow.case_id.in_(first))} == {"pending"}
    due = Outbox(engine, 1, 2).claim(now + dt.timedelta(days=1))
    assert due is not None and due.sealed.startswith(b"sealed")
    again = salvage(engine, kept, key, numbers, now)
    assert (again.unsent, again.others, again.there_already) == (0, 0, 6)
    engine.dispose()


def test_the_same_wish_is_still_the_same_case_and_no_number_is_used_twice(
    config: KioskConfig, key: DatabaseKey, draft: MakeDraft, now: dt.datetime,
) -> None:
    before = fill(config, draft, now, 3)
    engine, _, _ = rescue(config, key, now)
    store = CaseStore(engine, 0)
    same = store.submit(draft(number(1)), PlainSealer(epoch=2), now)
    assert isinstance(same, CaseReceipt) and same.case_id in before
    fresh = store.submit(draft(number(8)), PlainSealer(epoch=2), now)
    assert isinstance(fresh, CaseReceipt) and fresh.case_number.endswith("-000004")
    engine.dispose()


def test_a_new_file_takes_no_case_before_it_is_enrolled(
    config: KioskConfig, draft: MakeDraft, now: dt.datetime,
) -> None:
    fill(config, draft, now, 1)
    damage.set_aside(config.store.path, now)
    begin_anew(config.store.path, now)
    engine = open_store(config)
    assert load_identity(engine) is None
    engine.dispose()


@pytest.mark.parametrize("seed", range(6))
def test_random_damage_loses_only_what_it_hit_and_says_so(
    config: KioskConfig, key: DatabaseKey, draft: MakeDraft, now: dt.datetime, seed: int,
) -> None:
    chance = random.Random(seed)
    before = fill(config, draft, now, 40, acked=10)
    pages = config.store.path.stat().st_size // PAGE
    inner = set(roots(config, key).values())  # without the root of a table none of its rows is found
    for page in chance.sample([page for page in range(2, pages + 1) if page not in inner], 3):
        spoil(config.store.path, page, chance.randrange(PAGE))
    assert find_damage(config.store.path, key)
    engine, _, done = rescue(config, key, now)
    with Session(engine) as session:
        found = {case.id: case.digest for case in session.query(CaseRow)}
        assert found.items() <= before.items()
        assert audit.examine(session).breaks == ()
    assert done.unsent + done.others == len(found)
    assert len(found) >= 37
    assert done.unreadable + done.spoiled == 40 - len(found)
    engine.dispose()


def test_a_lost_outbox_is_made_anew_from_the_sealed_bytes(
    config: KioskConfig, key: DatabaseKey, draft: MakeDraft, now: dt.datetime,
) -> None:
    fill(config, draft, now, 5, acked=2)
    connection = dbapi2.connect(str(config.store.path))
    connection.execute(f"PRAGMA key = \"x'{key.hex}'\"")
    connection.execute("DELETE FROM outbox WHERE seq <= 3")
    connection.commit()
    connection.close()
    engine, _, done = rescue(config, key, now)
    assert (done.unsent, done.others, done.spoiled) == (5, 0, 0)
    with Session(engine) as session:
        queued = sorted((row.epoch, row.seq, row.state) for row in session.query(OutboxRow))
        assert queued == [(1, n, "pending") for n in range(1, 6)]
    engine.dispose()


def test_spoiled_bytes_and_unknown_numbers_stay_behind(
    config: KioskConfig, key: DatabaseKey, draft: MakeDraft, now: dt.datetime,
) -> None:
    fill(config, draft, now, 4)
    connection = dbapi2.connect(str(config.store.path))
    connection.execute(f"PRAGMA key = \"x'{key.hex}'\"")
    connection.execute("UPDATE cases SET sealed = x'00' WHERE rowid = 2")
    connection.execute("DELETE FROM outbox WHERE seq = 3")
    connection.commit()
    connection.close()
    engine, _, done = rescue(config, key, now, lambda sealed: None)
    assert (done.unsent, done.spoiled, done.complete) == (2, 2, False)
    engine.dispose()


def test_nothing_readable_is_said(config: KioskConfig, draft: MakeDraft, now: dt.datetime, key: DatabaseKey) -> None:
    engine = open_store(config)
    old = config.store.path.with_name("terminal.db.damaged-x")
    old.write_bytes(os.urandom(3 * PAGE))
    with pytest.raises(StoreUnusable, match="unreadable"):
        salvage(engine, old, key, numbers, now)
    engine.dispose()


def test_no_row_comes_back_with_zeros_in_it(config: KioskConfig, key: DatabaseKey, draft: MakeDraft, now: dt.datetime) -> None:
    """SQLCipher reads a long value over a bad page without a word; no digest stands beside a receipt."""
    fill(config, draft, now, 1)
    engine = open_store(config)
    with engine.begin() as connection:
        connection.execute(text("UPDATE outbox SET answer = randomblob(14000)"))
    engine.dispose()
    raw = config.store.path.read_bytes()
    inner = set(roots(config, key).values())
    whole = Wreck(config.store.path, key)
    (before,) = whole.read("outbox", []).rows
    whole.close()
    gone = 0
    for page in set(range(2, len(raw) // PAGE + 1)) - inner:
        spoil(config.store.path, page)
        with contextlib.suppress(dbapi2.DatabaseError):  # a page of the schema
            wreck = Wreck(config.store.path, key)
            rows = wreck.read("outbox", []).rows
            wreck.close()
            assert rows in ([], [before])
            gone += not rows
        config.store.path.write_bytes(raw)
    assert gone >= 3
