"""Broken on purpose: the audit at the end must see each of these, or none of its green words is worth anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pysqlite3
import pytest
from harness import auditor, people
from harness.auditor import Findings
from harness.campaign import Campaign, Report
from harness.town import Town, until
from sqlalchemy import text

from kiosk.store.opening import open_store


@pytest.fixture
def town(tmp_path: Path, campaign: Campaign) -> Iterator[Town]:
    """Six cases delivered; the office stands still."""
    with Town(tmp_path / "town", campaign.random("controls")) as town:
        assert town.machine.submit(6, pause_s=0.0).wait(60)
        town.machine.sync()
        until(lambda: auditor.drained(town.machine), 60, "all is delivered")
        assert auditor.reckon(town).green
        yield town


def _office(sql: str) -> Callable[[Town], None]:
    """On the file itself, past everything that forbids it."""
    def change(town: Town) -> None:
        with closing(pysqlite3.connect(str(town.office_data / "office.db"))) as connection:
            triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
            for (name,) in triggers:
                connection.execute(f"DROP TRIGGER {name}")
            assert connection.execute(sql).rowcount == 1
            connection.commit()

    return change


def _terminal(sql: str) -> Callable[[Town], None]:
    def change(town: Town) -> None:
        engine = open_store(town.machine.config)
        with engine.begin() as connection:
            connection.execute(text("PRAGMA defer_foreign_keys = ON"))
            assert connection.execute(text(sql)).rowcount == 1
        engine.dispose()

    return change


def _leave(data: bytes) -> Callable[[Town], None]:
    def change(town: Town) -> None:
        (town.machine.folder / "spool.tmp").write_bytes(b"\x00" * 100 + data)

    return change


_NEWEST = "(SELECT id FROM office_envelope ORDER BY seq DESC LIMIT 1)"
_CASES: list[tuple[str, Callable[[Town], None], Callable[[Findings], object]]] = [
    ("a row gone from the office", _office(f"DELETE FROM office_envelope WHERE id = {_NEWEST}"), lambda found: found.lost),
    ("other bytes in the office", _office(f"UPDATE office_envelope SET raw = zeroblob(length(raw)) WHERE id = {_NEWEST}"),
     lambda found: found.other),
    ("an office entry changed", _office("UPDATE office_auditentry SET subject = 'HG99' WHERE n = 1"), lambda found: found.other),
    ("a person twice on the desk", _office("UPDATE office_case SET number = (SELECT min(number) FROM office_case) WHERE number = "
     "(SELECT max(number) FROM office_case)"), lambda found: found.doubled),
    ("a terminal entry changed", _terminal("UPDATE audit SET event = CAST('{}' AS BLOB) WHERE n = 3"), lambda found: found.other),
    ("an acknowledgement forged", _terminal("UPDATE outbox SET answer_signature = printf('%0128d', 0) WHERE seq = 2"),
     lambda found: found.other),
    ("a receipt of another case", _terminal(
        "UPDATE outbox SET (answer, answer_signature) = (SELECT answer, answer_signature FROM outbox WHERE seq = 1) "
        "WHERE seq = 2"),
     lambda found: found.other),
    ("a case forgotten by the outbox", _terminal("UPDATE outbox SET state = 'pending' WHERE seq = 4"), lambda found: found.other),
    ("a name left behind", _leave(people.NAME.encode()), lambda found: found.other),
    ("a number left behind", _leave(people.number(3).encode()), lambda found: found.other),
    ("a face left behind", _leave(people.PHOTO), lambda found: found.other),
]


@pytest.mark.parametrize(("name", "harm", "seen"), _CASES, ids=[name for name, _, _ in _CASES])
def test_the_audit_sees(
    town: Town, report: Report, name: str, harm: Callable[[Town], None], seen: Callable[[Findings], object],
) -> None:
    harm(town)
    found = auditor.reckon(town)
    report(f"control: {name}", "broken on purpose", found.accepted, control=found.control())
    assert seen(found), found
