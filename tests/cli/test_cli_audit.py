"""`kiosk audit`: the chain examined and shown by a process of its own, status 1 for whatever is wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from kiosk.config import KioskConfig, Mode, StoreConfig, Suite
from kiosk.store import audit
from kiosk.store.hashes import choose
from kiosk.store.opening import open_store


class Box:
    """A terminal with a chain of eight entries."""

    def __init__(self, folder: Path) -> None:
        self.database = folder / "terminal.db"
        self.engine: Engine = open_store(KioskConfig(mode=Mode.DEMO, store=StoreConfig(path=self.database)))
        self.grow(4)
        choose(self.engine, Suite.SM)
        self.grow(4)

    def grow(self, count: int) -> None:
        with Session(self.engine) as session, session.begin():
            for _ in range(count):
                audit.append(session, "counted", number=audit.head(session).n + 1)

    def head(self) -> str:
        with Session(self.engine) as session, session.begin():
            found = audit.head(session)
        return f"{found.n}:{found.link.hex()}"

    def attack(self, sql: str) -> None:
        with self.engine.begin() as connection:
            connection.exec_driver_sql(sql)

    def kiosk(self, *words: str, status: int = 0) -> str:
        environment = {**os.environ, "KIOSK_MODE": "demo", "KIOSK_STORE__PATH": str(self.database)}
        done = subprocess.run(
            [sys.executable, "-m", "kiosk", "audit", *words], capture_output=True, text=True, check=False, timeout=60,
            env=environment,
        )
        assert done.returncode == status and "Traceback" not in done.stderr, done.stdout + done.stderr
        return done.stdout if status == 0 or done.stdout else done.stderr

    def verify(self, *words: str, status: int = 0) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.kiosk("verify", "--json", *words, status=status))
        return told


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path)


def test_a_whole_chain(box: Box) -> None:
    found = box.verify("--head", box.head())
    assert found == {
        "entries": 8, "link": box.head()[2:], "proven": 8, "countersigned": None, "heads_compared": 1, "whole": True,
        "breaks": [],
    }


@pytest.mark.parametrize(("sql", "n", "reason"), [
    ("UPDATE audit SET event = x'7b7d' WHERE n = 3", 3, "edited"),
    ("DELETE FROM audit WHERE n = 5", 5, "missing"),
    ("UPDATE audit SET alg = 'sha256' WHERE n = 6", 6, "edited"),
])
def test_what_was_done_and_where(box: Box, sql: str, n: int, reason: str) -> None:
    box.attack(sql)
    found = box.verify(status=1)
    assert [(one["n"], one["reason"]) for one in found["breaks"]] == [(n, reason)] and not found["whole"]


def test_a_roll_back_is_seen_with_the_head_the_desk_knows(box: Box) -> None:
    head = box.head()
    box.attack("DELETE FROM audit WHERE n > 6")
    assert box.verify()["whole"], "by itself it looks whole"
    assert box.verify("--head", head, status=1)["breaks"][0]["reason"] == "cut"
    box.grow(4)
    assert box.verify("--head", head)["whole"], "the same acts again are the same chain"
    box.attack("DELETE FROM audit WHERE n > 6")
    with Session(box.engine) as session, session.begin():
        for _ in range(5):
            audit.append(session, "other")
    words = box.kiosk("verify", "--head", head, status=1)
    assert "rolled back" in words and "'n': 8" in words


def test_what_is_no_head(box: Box) -> None:
    assert "64 hex digits" in box.kiosk("verify", "--head", "8", status=1)


def test_the_newest_entries(box: Box) -> None:
    shown = json.loads(box.kiosk("show", "--last", "5", "--json"))
    assert [(one["n"], one["alg"]) for one in shown] == [(4, "sha256"), (5, "sm3"), (6, "sm3"), (7, "sm3"), (8, "sm3")]
    assert shown[0]["event"] == {"act": "counted", "number": 4}
    assert box.kiosk("show", "--last", "1") == '8 {"act":"counted","number":8}\n'


def test_a_store_that_does_not_open(tmp_path: Path) -> None:
    box = Box(tmp_path)
    box.engine.dispose()
    box.database.with_name("terminal.db.development-key").write_text("11" * 32)
    assert "does not open with this key" in box.kiosk("verify", status=1)
