"""Decisions reach the terminal that handed the case in: page by page, cursor and rows together, from the office only."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from office_stub import NUMBER, OfficeStub
from sqlalchemy import Engine, event

from kiosk.config import KioskConfig, Mode, StoreConfig, SyncConfig
from kiosk.domain.roster import OfficeDecision, PersonRecord, RosterEntry
from kiosk.store.cases import CaseStore
from kiosk.store.outbox import count
from kiosk.store.outcomes import Outcomes
from kiosk.store.roster import Roster
from kiosk.sync import pull_job
from kiosk.sync.asking import PullResult
from kiosk.sync.identity import Identity
from kiosk.sync.link import OfficeLink
from kiosk.sync.outcomes import pull_outcomes
from kiosk.sync.pull_job import pull_once
from kiosk.sync.service import UploadJob
from kiosk.sync.status import read_status
from kiosk.sync.wire import http
from kiosk.sync.wire.models import RosterEntryBody, RosterPull
from kiosk.sync.wire.outcomes import OutcomeBody, OutcomesPull

DAY = dt.date(2026, 11, 24)
ID = "01890a5d-ac96-774b-bcce-b302099a80{:02d}"


def outcome(n: int, state: str = "accepted", case_id: str = "") -> OutcomeBody:
    return OutcomeBody(
        case_id=case_id or ID.format(n), case_number=f"HG07-20261123-{n:06d}", state=state, reason="", decided_on=DAY,
    )


def page(after: int, version: int, *outcomes: OutcomeBody, more: bool = False, replace: bool = False) -> OutcomesPull:
    return OutcomesPull(after=after, version=version, replace=replace, more=more, outcomes=outcomes)


def stored(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.exec_driver_sql("SELECT case_id FROM outcome ORDER BY case_id").scalars())


@pytest.fixture
def outcomes(engine: Engine) -> Outcomes:
    return Outcomes(engine)


@pytest.fixture
def link(identity: Identity) -> Iterator[OfficeLink]:
    with OfficeLink(identity.office_url, 1.0, 2.0) as link:
        yield link


@pytest.fixture
def config(database: Path) -> KioskConfig:
    times = SyncConfig(connect_timeout_s=2, total_timeout_s=2, backoff_base_s=0.01)
    return KioskConfig(mode=Mode.DEMO, store=StoreConfig(path=database, free_floor_mb=0), sync=times)


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@pytest.fixture
def pull(link: OfficeLink, identity: Identity, outcomes: Outcomes) -> Callable[[], PullResult]:
    return lambda: pull_outcomes(link, identity, outcomes, now())


def test_pages_then_nothing_new(
    office: OfficeStub, engine: Engine, outcomes: Outcomes, pull: Callable[[], PullResult],
) -> None:
    office.outcome_pages.extend([page(0, 3, outcome(1), outcome(2), more=True, replace=True), page(3, 9, outcome(3))])
    assert pull() == PullResult(True, None)
    assert (outcomes.version(), stored(engine)) == (9, [ID.format(n) for n in (1, 2, 3)])
    assert pull() == PullResult(True, None)
    assert office.pulled == [http.pull_target(http.OUTCOMES_PATH, after) for after in (0, 3, 9)]


def test_lc_02_a_cut_between_rows_and_cursor_leaves_no_gap(
    office: OfficeStub, engine: Engine, outcomes: Outcomes, pull: Callable[[], PullResult],
) -> None:
    def cut(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "setting" in statement and not statement.startswith("SELECT"):
            raise OSError("power")

    office.outcome_pages.append(page(0, 2, outcome(1), replace=True))
    event.listen(engine, "before_cursor_execute", cut)
    with pytest.raises(OSError, match="power"):
        pull()
    event.remove(engine, "before_cursor_execute", cut)
    assert (outcomes.version(), stored(engine)) == (0, [])
    office.outcome_pages.append(page(0, 2, outcome(1), replace=True))
    pull()
    assert (outcomes.version(), stored(engine)) == (2, [ID.format(1)])


@pytest.mark.parametrize(("fate", "trouble"), [
    ("portal", "not_the_office"), ("stranger", "not_the_office"), ("unsigned_304", "http_304"), ("broken", "http_500"),
])
def test_what_is_not_from_the_office_changes_nothing(
    fate: str, trouble: str, office: OfficeStub, engine: Engine, pull: Callable[[], PullResult],
) -> None:
    office.outcome_pages.append(page(0, 1, outcome(1), replace=True))
    office.pull_fates[http.OUTCOMES_PATH] = fate
    assert pull() == PullResult(False, trouble)
    assert stored(engine) == []


@pytest.mark.parametrize("wrong", [page(7, 8, outcome(2)), page(1, 1, outcome(2), more=True)])
def test_a_page_that_does_not_fit_is_not_taken(
    wrong: OutcomesPull, office: OfficeStub, engine: Engine, pull: Callable[[], PullResult],
) -> None:
    office.outcome_pages.append(page(0, 1, outcome(1), replace=True))
    pull()
    office.pull_fates[http.OUTCOMES_PATH] = "old_page"
    office.outcome_pages.append(wrong)
    assert pull() == PullResult(True, "wrong_page")
    assert stored(engine) == [ID.format(1)]


def test_a_restored_office_tells_everything_anew(
    office: OfficeStub, engine: Engine, outcomes: Outcomes, pull: Callable[[], PullResult],
) -> None:
    office.outcome_pages.append(page(0, 9, outcome(1), outcome(2), replace=True))
    pull()
    office.pull_fates[http.OUTCOMES_PATH] = "old_page"
    office.outcome_pages.append(page(9, 1, outcome(1), replace=True))
    pull()
    assert (outcomes.version(), stored(engine)) == (1, [ID.format(1)])


# ------------------------------------------------------------------------------- the person


def _person(engine: Engine, today: dt.date = DAY, number: str = NUMBER) -> PersonRecord:
    return CaseStore(engine, 0).find_person(number, today)


def test_somebody_in_no_roster_hears_the_decision(
    engine: Engine, outcomes: Outcomes, hand_in: Callable[[int], list[str]],
) -> None:
    first, second = hand_in(2)
    assert _person(engine).last_decision is None
    outcomes.apply(_outcomes(outcome(1, "rejected", first)), 0, 1, True)
    assert _person(engine).last_decision == OfficeDecision("HG07-20261123-000001", False, "", DAY)
    outcomes.apply(_outcomes(outcome(2, "accepted", second)), 1, 2, False)
    assert _person(engine).last_decision == OfficeDecision("HG07-20261123-000002", True, "", DAY)
    assert _person(engine, number="999901194012310018").last_decision is None


@pytest.mark.parametrize(("today", "known"), [
    (dt.date(2026, 12, 1), True), (dt.date(2027, 11, 30), True), (dt.date(2027, 12, 1), False),
])
def test_in_the_months_after(
    today: dt.date, known: bool, engine: Engine, outcomes: Outcomes, hand_in: Callable[[int], list[str]],
) -> None:
    (case_id,) = hand_in(1)
    outcomes.apply(_outcomes(outcome(1, case_id=case_id)), 0, 1, True)
    found = _person(engine, today)
    assert (found.last_decision is not None) == known and found.cases_this_period == 0


@pytest.mark.parametrize(("roster_day", "wins"), [(DAY, "here"), (DAY + dt.timedelta(days=1), "roster")])
def test_the_newer_word_counts(
    roster_day: dt.date, wins: str, engine: Engine, outcomes: Outcomes, hand_in: Callable[[int], list[str]],
) -> None:
    (case_id,) = hand_in(1)
    of_roster = OfficeDecision("HG01-20261124-000009", False, "r", roster_day)
    Roster(engine).apply([RosterEntry(NUMBER, "x", "居保", None, (), of_roster)], [], 0, 1, True)
    assert _person(engine).last_decision == of_roster
    outcomes.apply(_outcomes(outcome(1, case_id=case_id)), 0, 1, True)
    told = _person(engine).last_decision
    assert told is not None and told.accepted == (wins == "here")


@pytest.mark.parametrize("state", ["pending", "of_the_future"])
def test_what_is_no_decision_is_not_shown(
    state: str, engine: Engine, outcomes: Outcomes, hand_in: Callable[[int], list[str]],
) -> None:
    (case_id,) = hand_in(1)
    outcomes.apply(_outcomes(outcome(1, state, case_id)), 0, 1, True)
    assert _person(engine).last_decision is None


def _outcomes(*bodies: OutcomeBody):  # type: ignore[no-untyped-def]
    from kiosk.sync.outcomes import outcomes_of

    return outcomes_of(bodies)


# ------------------------------------------------------------------------------- each pull for itself


@pytest.mark.parametrize("failing", [http.ROSTER_PATH, http.OUTCOMES_PATH, http.CONTENT_PATH])
def test_lc_13_one_failing_pull_keeps_no_other_from_its_turn(
    failing: str, office: OfficeStub, engine: Engine, config: KioskConfig, hand_in: Callable[[int], list[str]],
) -> None:
    hand_in(3)
    office.pages.append(RosterPull(after=0, version=4, replace=True, more=False, entries=(
        RosterEntryBody(number=NUMBER, name="x", category="居保", next_due=None),
    )))
    office.outcome_pages.append(page(0, 2, outcome(1), replace=True))
    office.pull_fates[failing] = "broken"
    assert pull_once(engine, config, now)
    uploads = UploadJob(engine, config.sync)
    uploads.run(threading.Event())
    uploads.close()
    told = read_status(engine, now())
    assert (told.pull_trouble, told.outcomes_trouble, told.content_trouble) == tuple(
        "http_500" if path == failing else None for path in (http.ROSTER_PATH, http.OUTCOMES_PATH, http.CONTENT_PATH)
    )
    assert (told.roster_version, len(stored(engine))) == (0 if failing == http.ROSTER_PATH else 4, failing != http.OUTCOMES_PATH)
    assert count(engine).delivered == 3


def test_lc_13_a_bug_in_one_pull(
    office: OfficeStub, engine: Engine, config: KioskConfig, identity: Identity, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def bug(*_: object) -> PullResult:
        raise ValueError("张测试")

    monkeypatch.setattr(pull_job, "pull_roster", bug)
    office.outcome_pages.append(page(0, 2, outcome(1), replace=True))
    assert pull_once(engine, config, now)
    assert len(stored(engine)) == 1 and "张测试" not in caplog.text
    assert "the pull of roster failed: ValueError" in caplog.text
