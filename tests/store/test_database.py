"""Opening the database: settings read back, version gate, and every unusable file left as it was."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError
from sqlcipher3 import dbapi2

from kiosk.store.damage import kept_files
from kiosk.store.database import open_database, prepare, sqlite_is_safe
from kiosk.store.key import DatabaseKey
from kiosk.store.migrate import migrate
from kiosk.store.unusable import StoreUnusable


def digests(folder: Path) -> dict[str, str]:
    """Database and log; the shared-memory index is no data."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir() if not path.name.endswith("-shm")
    }


def refused(path: Path, key: DatabaseKey) -> str:
    with pytest.raises(StoreUnusable) as failure:
        open_database(path, key)
    assert failure.value.what_to_do
    assert key.hex not in str(failure.value)
    return failure.value.reason


@pytest.mark.parametrize(("version", "safe"), [
    ("3.40.1", False), ("3.44.5", False), ("3.44.6", True), ("3.45.0", False), ("3.46.1", False), ("3.50.4", False),
    ("3.50.7", True), ("3.51.0", False), ("3.51.2", False), ("3.51.3", True), ("3.53.4", True), ("4.0.0", True),
])
def test_version_gate(version: str, safe: bool) -> None:
    assert sqlite_is_safe(tuple(int(part) for part in version.split("."))) is safe


def test_an_unsafe_sqlite_is_refused(database: Path, key: DatabaseKey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dbapi2, "sqlite_version_info", (3, 40, 1))
    assert refused(database, key) == "old_sqlite"
    assert not database.exists()


def test_settings_of_every_connection(engine: Engine) -> None:
    wanted = {
        "journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10000, "trusted_schema": 0,
        "cell_size_check": 1, "secure_delete": 1, "temp_store": 2, "wal_autocheckpoint": 1000, "journal_size_limit": 67108864,
    }
    connections = [engine.connect() for _ in range(4)]
    for connection in connections:
        found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in wanted}
        connection.rollback()
        connection.close()
        assert found == wanted


def test_writing_transactions_take_the_lock_at_once(engine: Engine) -> None:
    with engine.connect() as first, engine.connect() as second:
        second.exec_driver_sql("SELECT 1")  # engine begins IMMEDIATE
        second.rollback()
        first.begin()
        second.connection.cursor().execute("PRAGMA busy_timeout = 1")
        with pytest.raises(OperationalError, match="locked"):
            second.begin()


def test_readers_do_not_wait_for_a_writer(engine: Engine) -> None:
    with engine.connect() as writer, engine.execution_options(read_only=True).connect() as reader:
        writer.execute(text("INSERT INTO counter VALUES ('x', 1)"))
        assert reader.scalar(text("SELECT count(*) FROM counter")) == 0


def test_the_file_shows_nothing(engine: Engine, database: Path) -> None:
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO setting VALUES ('findme', 'AUFFAELLIG')"))
    raw = b"".join(path.read_bytes() for path in database.parent.iterdir())
    assert b"SQLite format 3" not in raw
    assert b"findme" not in raw
    assert b"AUFFAELLIG" not in raw


@pytest.mark.parametrize("while_in_use", [True, False])
def test_wrong_key_leaves_the_file_untouched(database: Path, key: DatabaseKey, while_in_use: bool) -> None:
    engine = open_database(database, key)
    migrate(engine)
    if not while_in_use:
        engine.dispose()
    before = digests(database.parent)
    assert (database.name + "-wal" in before) is while_in_use
    assert refused(database, DatabaseKey("ab" * 32)) == "wrong_key"
    assert digests(database.parent) == before
    engine.dispose()
    migrate(open_database(database, key))


def test_wrong_key_beside_a_log_left_by_a_power_cut(database: Path, key: DatabaseKey, tmp_path: Path) -> None:
    engine = open_database(database, key)
    migrate(engine)
    cut = tmp_path / "cut"
    cut.mkdir()
    for suffix in ("", "-wal"):
        (cut / f"terminal.db{suffix}").write_bytes(Path(f"{database}{suffix}").read_bytes())
    engine.dispose()
    before = digests(cut)
    assert len(before["terminal.db-wal"]) and refused(cut / "terminal.db", DatabaseKey("ab" * 32)) == "wrong_key"
    assert digests(cut) == before


def test_a_file_that_is_no_database(database: Path, key: DatabaseKey) -> None:
    database.write_bytes(os.urandom(8192))
    before = digests(database.parent)
    assert refused(database, key) == "wrong_key"
    assert digests(database.parent) == before


def test_a_damaged_first_page_is_told_from_a_wrong_key_and_kept(database: Path, key: DatabaseKey) -> None:
    engine = open_database(database, key)
    migrate(engine)
    engine.dispose()
    raw = bytearray(database.read_bytes())
    raw[2000] ^= 1
    database.write_bytes(raw)
    before = digests(database.parent)
    assert refused(database, DatabaseKey("ab" * 32)) == "wrong_key"
    assert digests(database.parent) == before
    assert refused(database, key) == "damaged"
    assert not database.exists()
    (kept,) = kept_files(database)
    assert kept.read_bytes() == raw


def test_a_missing_folder(tmp_path: Path, key: DatabaseKey) -> None:
    assert refused(tmp_path / "nowhere" / "terminal.db", key) == "no_folder"


def test_a_folder_in_place_of_the_file(database: Path, key: DatabaseKey) -> None:
    database.mkdir()
    assert refused(database, key) == "not_a_file"


@pytest.mark.parametrize("locked", ["file", "folder"])
def test_a_read_only_place(tmp_path_factory: pytest.TempPathFactory, key: DatabaseKey, locked: str) -> None:
    folder = tmp_path_factory.mktemp("place")
    database = folder / "terminal.db"
    open_database(database, key).dispose()
    before = digests(folder)
    for path in (database, folder):
        path.chmod(0o777)
    (database if locked == "file" else folder).chmod(0o555)
    pid = os.fork()
    if pid == 0:  # permissions do not bind root, so somebody else looks
        code = 1
        try:
            os.chdir(folder)
            if os.getuid() == 0:
                os.setuid(65534)
            open_database(Path("terminal.db"), key)
        except StoreUnusable as error:
            code = 0 if error.reason == "read_only" else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    folder.chmod(0o755)
    assert digests(folder) == before


def test_a_file_system_without_wal(database: Path, key: DatabaseKey) -> None:
    connection = dbapi2.connect(f"file:{database}?vfs=unix-dotfile", uri=True)
    with pytest.raises(StoreUnusable, match="journal_mode"):
        prepare(connection, key)
    connection.close()


def test_a_busy_file_is_not_called_damaged(database: Path, key: DatabaseKey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kiosk.store.database.BUSY_S", 0)
    other = dbapi2.connect(str(database))
    other.isolation_level = None
    other.execute(f"PRAGMA key = \"x'{key.hex}'\"")
    other.execute("CREATE TABLE t (x)")
    other.execute("BEGIN EXCLUSIVE")
    assert refused(database, key) == "busy"
    other.close()


def test_a_wrong_key_prints_nothing(database: Path, key: DatabaseKey) -> None:
    open_database(database, key).dispose()
    script = (
        "import sys\nfrom pathlib import Path\n"
        "from kiosk.store.database import open_database\nfrom kiosk.store.key import DatabaseKey\n"
        "try: open_database(Path(sys.argv[1]), DatabaseKey('ab' * 32))\n"
        "except Exception as error: print(error.reason)\n"
    )
    child = subprocess.run([sys.executable, "-c", script, database], capture_output=True, text=True, timeout=60, check=True)
    assert (child.stdout, child.stderr) == ("wrong_key\n", "")
