"""The people read for an enrolment are not kept in memory once the roster has changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import Engine

from kiosk.config.face import FaceConfig
from kiosk.domain.enrolment import Lookalike
from kiosk.domain.face_task import Enrol
from kiosk.domain.roster import FaceTemplate, RosterEntry, TemplateSource
from kiosk.store.database import open_database
from kiosk.store.key import DatabaseKey
from kiosk.store.migrate import migrate
from kiosk.store.roster import Roster
from kiosk.terminal.eye import Eye
from kiosk.terminal.face_base import LocalBase

NUMBER = "999901195001010026"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    one = open_database(tmp_path / "terminal.db", DatabaseKey("0f" * 32))
    migrate(one)
    yield one
    one.dispose()


def entry(*templates: FaceTemplate) -> RosterEntry:
    return RosterEntry(NUMBER, "张测试", "居保", None, templates)


@pytest.fixture
def roster(engine: Engine) -> Roster:
    one = Roster(engine)
    assert one.apply([entry(FaceTemplate("engine", (0.5, 0.25), TemplateSource.PORTRAIT))], [], 0, 1, True)
    return one


@pytest.fixture
def base(roster: Roster) -> LocalBase:
    return LocalBase(roster, cast(Any, SimpleNamespace(engine="engine")), FaceConfig())


def test_after_a_withdrawal_nobody_is_held(base: LocalBase, roster: Roster) -> None:
    found, own = base.beside(Enrol(NUMBER))
    assert found is not None and found.size == 1 and own == 0
    base.forget_stale()
    assert base._people, "the roster is as it was"
    assert roster.apply([entry()], [], 1, 2, False)
    base.forget_stale()
    assert base._people == [] and base.names([Lookalike(0, 0.4)]) == ()
    found, own = base.beside(Enrol(NUMBER))
    assert found is not None and found.size == 0 and own is None


def test_a_conversation_that_runs_keeps_what_it_was_given(base: LocalBase, roster: Roster) -> None:
    camera = SimpleNamespace(want=lambda holder: None, unwant=lambda holder: None, status=SimpleNamespace(state=None))
    client = SimpleNamespace(begin=lambda *_: None, end=lambda: None)
    eye = Eye(cast(Any, camera), cast(Any, client), base, lambda event: None)
    eye.begin(Enrol(NUMBER))
    eye._work.submit(lambda: None).result(10)
    assert roster.apply([entry()], [], 1, 2, False)
    eye.forget_stale()
    eye._work.submit(lambda: None).result(10)
    assert base._people, "the names of its lookalikes are still asked for"
    eye.end()
    eye.forget_stale()
    eye._work.submit(lambda: None).result(10)
    assert base._people == []
    eye.stop()
