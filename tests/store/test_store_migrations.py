"""Every revision: same schema as the models, up and down, with data in it; and starts that must not spoil a file."""

from __future__ import annotations

import datetime as dt
import os
import re
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.schema import CreateIndex, CreateTable

import kiosk.store.migrate
from kiosk.domain.roster import FaceTemplate, RosterEntry, TemplateSource
from kiosk.domain.status import DeviceKind
from kiosk.store.database import open_database
from kiosk.store.device_states import DeviceStates
from kiosk.store.key import DatabaseKey
from kiosk.store.migrate import migrate
from kiosk.store.models import Base
from kiosk.store.roster import Roster
from kiosk.store.unusable import StoreUnusable

FOLDER = Path(kiosk.store.migrate.__file__).parent / "migrations"
REVISIONS = [script.revision for script in ScriptDirectory(str(FOLDER)).walk_revisions()][::-1]


@pytest.fixture
def empty(database: Path, key: DatabaseKey) -> Engine:
    return open_database(database, key)


def run(engine: Engine, way: str, revision: str) -> None:
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(FOLDER))
        config.attributes["connection"] = connection
        getattr(command, way)(config, revision)


def schema(connection: Connection) -> list[str]:
    rows = connection.execute(text("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name != 'alembic_version'"))
    return sorted(tokens(sql) for (sql,) in rows)


def tokens(ddl: str) -> str:
    """One layout for both makers of DDL: clauses in any order, spaces and quotes ignored."""
    return " ".join(sorted(re.findall(r"\w+", ddl)))


def test_migrations_and_models_are_one_schema(empty: Engine) -> None:
    migrate(empty)
    with empty.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), Base.metadata) == []
        made = schema(connection)
    from_models = [CreateTable(table).compile(empty) for table in Base.metadata.sorted_tables]
    from_models += [CreateIndex(index).compile(empty) for table in Base.metadata.sorted_tables for index in table.indexes]
    assert made == sorted(tokens(str(ddl)) for ddl in from_models)


@pytest.mark.parametrize("revision", REVISIONS)
def test_up_and_down_again(empty: Engine, revision: str) -> None:
    run(empty, "upgrade", revision)
    with empty.connect() as connection:
        before = schema(connection)
    run(empty, "downgrade", "-1")
    run(empty, "upgrade", revision)
    with empty.connect() as connection:
        assert schema(connection) == before
    run(empty, "downgrade", "base")
    assert inspect(empty).get_table_names() == ["alembic_version"]


def test_upgrading_again_changes_nothing_even_with_a_full_outbox(empty: Engine) -> None:
    migrate(empty)
    with empty.begin() as connection:
        connection.execute(text("INSERT INTO audit (n, event, link) VALUES (1, x'7b7d', x'00')"))
        connection.execute(text(
            "INSERT INTO cases (id, business_key, case_number, query_token, item, day, sealed, digest, signature, "
            "audit_n, created) VALUES ('id', x'01', 'n', 't', '12', '2026-11-23', x'aa', x'bb', 's', 1, '2026')"
        ))
        connection.execute(text(
            "INSERT INTO outbox (epoch, seq, case_id, state, attempts, next_at) VALUES (1, 1, 'id', 'pending', 0, '2026')"
        ))
    migrate(empty)
    with empty.connect() as connection:
        assert connection.scalar(text("SELECT sealed FROM cases JOIN outbox ON case_id = id")) == b"\xaa"


def test_foreign_keys_protect_an_unsent_case(empty: Engine) -> None:
    test_upgrading_again_changes_nothing_even_with_a_full_outbox(empty)
    for table in ("cases", "audit"):
        with pytest.raises(Exception, match="FOREIGN KEY"), empty.begin() as connection:
            connection.execute(text(f"DELETE FROM {table}"))


def test_a_file_of_newer_software_is_left_alone(empty: Engine) -> None:
    migrate(empty)
    with empty.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'future'"))
    with pytest.raises(StoreUnusable, match="newer_database"):
        migrate(empty)
    with empty.connect() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "future"


def test_a_failing_migration_leaves_nothing_behind(empty: Engine) -> None:
    with empty.begin() as connection:
        connection.execute(text("CREATE TABLE roster (mine)"))  # in the way of a later statement of the first revision
    with pytest.raises(Exception, match="already exists"):
        migrate(empty)
    assert inspect(empty).get_table_names() == ["roster"]


def test_processes_starting_together(database: Path, key: DatabaseKey) -> None:
    children = []
    for _ in range(4):
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                migrate(open_database(database, key))
                code = 0
            finally:
                os._exit(code)
        children.append(pid)
    assert [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children] == [0, 0, 0, 0]


def test_migrations_import_nothing_of_ours() -> None:
    assert not [path for path in FOLDER.rglob("*.py") if "import kiosk" in path.read_text() or "from kiosk" in path.read_text()]


def test_device_states_come_and_go_beside_a_full_outbox(empty: Engine) -> None:
    run(empty, "upgrade", "0001")
    with empty.begin() as connection:
        connection.execute(text("INSERT INTO setting VALUES ('identity', 'kept')"))
        connection.execute(text("INSERT INTO audit (n, event, link) VALUES (1, x'7b7d', x'00')"))
        connection.execute(text(
            "INSERT INTO cases (id, business_key, case_number, query_token, item, day, sealed, digest, signature, "
            "audit_n, created) VALUES ('id', x'01', 'n', 't', '12', '2026-11-23', x'aa', x'bb', 's', 1, '2026')"
        ))
        connection.execute(text(
            "INSERT INTO outbox (epoch, seq, case_id, state, attempts, next_at) VALUES (1, 1, 'id', 'pending', 0, '2026')"
        ))
    run(empty, "upgrade", "0002")
    states = DeviceStates(empty, lambda: dt.datetime(2026, 11, 24, tzinfo=dt.UTC))
    states.begin([DeviceKind.PRINTER])
    assert [status.kind for status in states.all()] == [DeviceKind.PRINTER]
    run(empty, "downgrade", "0001")
    with empty.connect() as connection:
        assert connection.scalar(text("SELECT sealed FROM cases JOIN outbox ON case_id = id")) == b"\xaa"
        assert connection.execute(text("SELECT name FROM setting")).all() == [("identity",)]
    run(empty, "upgrade", "0002")
    assert (states.all(), states.alive()) == ([], None)


def test_templates_without_source_stay_and_those_with_one_are_cut_on_the_way_down(empty: Engine) -> None:
    def templates() -> list[str]:
        with empty.connect() as connection:
            return [row for (row,) in connection.execute(text("SELECT templates FROM roster ORDER BY number"))]

    old = '[["e", [0.5, -1.0]]]'
    run(empty, "upgrade", "0002")
    with empty.begin() as connection:
        connection.execute(text(f"INSERT INTO roster VALUES ('1', 'x', 'unknown', NULL, '{old}', NULL)"))
    run(empty, "upgrade", "0003")
    assert templates() == [old]
    new = RosterEntry("2", "y", "unknown", None, (FaceTemplate("e", (0.5, -1.0), TemplateSource.ENROLLED, dt.date(2026, 5, 1)),))
    Roster(empty).apply([new], [], after=0, version=1, replace=False)
    assert [one.number for one in Roster(empty).people()] == ["1", "2"]
    run(empty, "downgrade", "0002")
    assert templates() == [old, old]


COLUMNS = {
    "audit": "n, event, link",
    "cases": "id, business_key, case_number, query_token, item, day, hex(sealed), hex(digest), signature, audit_n, created",
    "outbox": "epoch, seq, case_id, state, ack_level, attempts, next_at, last_try, last_error, answered_at, answer, "
              "answer_signature",
    "setting": "name, value", "counter": "name, value", "roster": "number, name, category, next_due, templates, decision",
}
"""Of the first release."""


def fill(engine: Engine) -> None:
    """A full outbox in each of its states, as the first release wrote it, with everything around it."""
    rows = (
        ("pending", "NULL", "NULL", "NULL"), ("acked", "'committed'", "x'7b7d'", "'ab'"), ("acked", "'held'", "x'7b7d'", "'ab'"),
        ("acked", "'safe'", "x'7b7d'", "'ab'"), ("dead", "NULL", "x'7b7d'", "'ab'"),
    )
    with engine.begin() as connection:
        for n, (state, level, answer, signature) in enumerate(rows, 1):
            connection.execute(text(f"INSERT INTO audit (n, event, link) VALUES ({n}, x'7b7d', x'{n:064x}')"))
            connection.execute(text(
                "INSERT INTO cases (id, business_key, case_number, query_token, item, day, sealed, digest, signature, audit_n, "
                f"created) VALUES ('id{n}', x'{n:02x}', 'n{n}', 't', '12', '2026-11-23', randomblob(9000), randomblob(32), 's', "
                f"{n}, '2026-11-23 01:00:00.000000')"
            ))
            connection.execute(text(
                "INSERT INTO outbox (epoch, seq, case_id, state, ack_level, attempts, next_at, last_error, answer, "
                f"answer_signature) VALUES (1, {n}, 'id{n}', '{state}', {level}, {n}, '2026-11-23 01:00:00.000000', 'e', "
                f"{answer}, {signature})"
            ))
        connection.execute(text("INSERT INTO setting VALUES ('identity', 'kept'), ('index_key', 'kept too')"))
        connection.execute(text("INSERT INTO counter VALUES ('case_number', 5), ('seq:1', 5)"))
        connection.execute(text("INSERT INTO roster VALUES ('1', 'x', 'unknown', NULL, '[]', NULL)"))


def contents(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    """Every row of the first release's tables and columns."""
    with engine.connect() as connection:
        return {
            table: [tuple(row) for row in connection.execute(text(f"SELECT {columns} FROM {table} ORDER BY 1, 2"))]
            for table, columns in COLUMNS.items()
        }


@pytest.mark.parametrize("revision", REVISIONS)
def test_from_every_released_schema_with_a_full_outbox(database: Path, key: DatabaseKey, revision: str) -> None:
    """LC-09: up to the newest, down again and up again, each time in a new process's connection; not a byte changes."""
    engine = open_database(database, key)
    run(engine, "upgrade", "0001")
    fill(engine)
    before = contents(engine)
    run(engine, "upgrade", revision)
    for way, goal in (("upgrade", "head"), ("downgrade", revision), ("downgrade", "0001"), ("upgrade", "head")):
        engine.dispose()
        engine = open_database(database, key)
        run(engine, way, goal)
        assert contents(engine) == before
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
        assert connection.exec_driver_sql("PRAGMA integrity_check").all() == [("ok",)]
        assert {row.alg for row in connection.execute(text("SELECT alg FROM audit"))} == {"sha256"}
    engine.dispose()


def test_a_file_with_purged_cases_does_not_go_back(database: Path, key: DatabaseKey) -> None:
    """Older software would take the missing bytes for a loss."""
    engine = open_database(database, key)
    run(engine, "upgrade", "0001")
    fill(engine)
    run(engine, "upgrade", "head")
    with engine.begin() as connection:
        connection.execute(text("UPDATE cases SET sealed = x'', purged = '2026-11-24 01:00:00.000000' WHERE id = 'id4'"))
    before = contents(engine)
    with pytest.raises(RuntimeError, match="purged"):
        run(engine, "downgrade", "0003")
    assert contents(engine) == before
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == REVISIONS[-1]
    engine.dispose()
