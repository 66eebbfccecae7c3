"""The roster: entries come back as given, and page and version stand or fall together."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import Engine, event, text

from kiosk.domain.roster import FaceTemplate, OfficeDecision, RosterEntry, TemplateSource
from kiosk.store.cases import CaseStore
from kiosk.store.outcomes import CaseOutcome, Outcomes
from kiosk.store.roster import Roster

TODAY = dt.date(2026, 11, 23)
FULL = RosterEntry(
    "999901195001010026", "张测试", "居保", dt.date(2027, 1, 31),
    (
        FaceTemplate("engine", (0.1, -0.25, 1e-17), TemplateSource.ENROLLED, dt.date(2026, 5, 1)),
        FaceTemplate("other", (1.0,), TemplateSource.CHIP),
    ),
    OfficeDecision("HG01-20261101-000001", False, "照片不清晰", dt.date(2026, 11, 2)),
)
PLAIN = RosterEntry("999901194012310018", "李样例", "unknown", None)


@pytest.fixture
def roster(engine: Engine) -> Roster:
    return Roster(engine)


def find(engine: Engine, number: str) -> RosterEntry | None:
    return CaseStore(engine, 0).find_person(number, TODAY).entry


def test_entries_come_back_as_given(roster: Roster, engine: Engine) -> None:
    assert roster.version() == 0
    assert roster.apply([FULL, PLAIN], [], after=0, version=7, replace=True)
    assert (roster.version(), roster.size()) == (7, 2)
    assert find(engine, FULL.number) == FULL
    assert find(engine, PLAIN.number) == PLAIN
    assert find(engine, "nobody") is None


def test_a_template_of_before_its_source_was_kept(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO roster VALUES ('1', 'x', 'unknown', NULL, '[[\"engine\", [0.5]]]', NULL)"))
    entry = find(engine, "1")
    assert entry is not None and entry.templates == (FaceTemplate("engine", (0.5,), TemplateSource.PORTRAIT, None),)


def test_changes_and_removals(roster: Roster, engine: Engine) -> None:
    roster.apply([FULL, PLAIN], [], after=0, version=1, replace=True)
    changed = RosterEntry(FULL.number, FULL.name, FULL.category, dt.date(2028, 1, 31))
    assert roster.apply([changed], [PLAIN.number, "nobody"], after=1, version=2, replace=False)
    assert find(engine, FULL.number) == changed
    assert find(engine, PLAIN.number) is None


def test_replace_forgets_everybody_else(roster: Roster, engine: Engine) -> None:
    roster.apply([FULL], [], after=0, version=9, replace=True)
    assert roster.apply([PLAIN], [], after=9, version=3, replace=True)  # the office itself was set back
    assert (roster.version(), roster.size()) == (3, 1)
    assert find(engine, FULL.number) is None


def test_a_page_for_another_version_changes_nothing(roster: Roster, engine: Engine) -> None:
    roster.apply([FULL], [], after=0, version=1, replace=True)
    assert not roster.apply([PLAIN], [FULL.number], after=2, version=3, replace=False)
    assert (roster.version(), roster.size()) == (1, 1)


def test_a_cut_between_page_and_version_undoes_both(roster: Roster, engine: Engine) -> None:
    def cut(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "setting" in statement and not statement.startswith("SELECT"):
            raise OSError("power")

    event.listen(engine, "before_cursor_execute", cut)
    with pytest.raises(OSError, match="power"):
        roster.apply([FULL], [], after=0, version=1, replace=True)
    event.remove(engine, "before_cursor_execute", cut)
    assert (roster.version(), roster.size()) == (0, 0)


def test_a_whole_roster_at_once_only_forward(roster: Roster, engine: Engine) -> None:
    roster.apply([FULL], [], after=0, version=5, replace=True)
    for older in (4, 5):
        assert not roster.catch_up([PLAIN], older)
    assert (roster.version(), find(engine, FULL.number)) == (5, FULL)
    assert roster.catch_up([PLAIN], 6)
    assert (roster.version(), find(engine, FULL.number), find(engine, PLAIN.number)) == (6, None, PLAIN)


def test_who_is_removed_leaves_no_template_behind(roster: Roster, engine: Engine) -> None:
    roster.apply([FULL], [], after=0, version=1, replace=True)
    assert [entry.number for entry in roster.people()] == [FULL.number]
    roster.apply([], [FULL.number], after=1, version=2, replace=False)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM roster")).scalar() == 0
    assert roster.people() == []


def test_outcomes_only_forward(engine: Engine) -> None:
    outcomes = Outcomes(engine)
    one = CaseOutcome("01890a5d-ac96-774b-bcce-b302099a8057", "HG01-1", "accepted", "", TODAY)
    assert outcomes.catch_up([one], 3) and not outcomes.catch_up([], 3)
    assert not outcomes.apply([], 2, 4, True)
    assert outcomes.version() == 3
