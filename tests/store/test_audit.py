"""The audit chain: published vectors, and what it sees of an edit, a gap and a cut."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from kiosk.store import audit
from kiosk.store.audit import AuditBreak, AuditHead


@pytest.fixture
def head(engine: Engine) -> AuditHead:
    with Session(engine) as session, session.begin():
        for number in range(1, 6):
            last = audit.append(session, "counted", number=number)
    return last


def verify(engine: Engine, shipped: AuditHead | None = None) -> AuditBreak | None:
    with Session(engine) as session, session.begin():
        return audit.verify(session, shipped)


def attack(engine: Engine, sql: str) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql(sql)


def test_published_vectors() -> None:
    first = audit.link(bytes(32), b'{"act":"approve","obj":"t1"}')
    assert first.hex() == "4365308cf66e164d2e4487a851ef7ffe1b975b8cd4620245b6897c4b0f5efe55"
    second = audit.link(first, b'{"act":"reject","obj":"t2"}')
    assert second.hex() == "fcda9d98693d182f61380edfabff9d0a5c7e3cb0b0c9fbc45fadb5eaf63afcf0"


def test_an_untouched_chain(engine: Engine, head: AuditHead) -> None:
    assert head.n == 5
    assert verify(engine) is None
    assert verify(engine, head) is None


def test_an_empty_chain(engine: Engine) -> None:
    assert verify(engine) is None


def test_an_edit(engine: Engine, head: AuditHead) -> None:
    attack(engine, """UPDATE audit SET event = CAST('{"act":"counted","number":9}' AS BLOB) WHERE n = 3""")
    assert verify(engine) == AuditBreak(3, "edited")


def test_a_gap(engine: Engine, head: AuditHead) -> None:
    attack(engine, "DELETE FROM audit WHERE n = 2")
    assert verify(engine) == AuditBreak(2, "missing")


def test_a_cut_tail_is_seen_against_a_shipped_head_only(engine: Engine, head: AuditHead) -> None:
    attack(engine, "DELETE FROM audit WHERE n > 3")
    assert verify(engine) is None
    assert verify(engine, head) == AuditBreak(4, "cut")


def test_a_chain_written_anew_is_seen_against_a_shipped_head(engine: Engine, head: AuditHead) -> None:
    attack(engine, "DELETE FROM audit")
    with Session(engine) as session, session.begin():
        for number in range(11, 18):
            audit.append(session, "counted", number=number)
    assert verify(engine) is None
    assert verify(engine, head) == AuditBreak(5, "edited")


def test_an_act_undone_leaves_no_entry(engine: Engine, head: AuditHead) -> None:
    with pytest.raises(RuntimeError), Session(engine) as session, session.begin():
        audit.append(session, "never")
        raise RuntimeError
    assert verify(engine, head) is None
