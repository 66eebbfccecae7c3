"""Comparing with the office: what the terminal tells, whose word it believes, and what that changes."""

from __future__ import annotations

import datetime as dt
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from office_stub import NOW, OfficeStub, make_draft
from reconcile_stub import LIES
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from kiosk.config import SyncConfig
from kiosk.domain.case import CaseReceipt
from kiosk.domain.period import LOCAL_ZONE
from kiosk.store import account, audit
from kiosk.store.cases import CaseStore
from kiosk.store.database import open_database
from kiosk.store.key import DatabaseKey
from kiosk.store.migrate import migrate
from kiosk.store.outbox import Outbox, count
from kiosk.sync import reconcile as module
from kiosk.sync.delivery import Delivery
from kiosk.sync.enrol import enrol
from kiosk.sync.gate import Gate
from kiosk.sync.identity import Identity
from kiosk.sync.link import OfficeLink
from kiosk.sync.reconcile import OFFICE_BACKUP, Reconciled, ReconcileJob, reconcile, reconcile_once
from kiosk.sync.sealer import EnvelopeSealer
from kiosk.sync.standing import note
from kiosk.sync.status import read_status, standing
from kiosk.sync.wire.reconcile import day_digest

DAY = dt.timedelta(days=1)
TIMES = SyncConfig(connect_timeout_s=1, total_timeout_s=2)


class Terminal:
    """Hands in, delivers and compares, with the little office at the other end."""

    def __init__(self, engine: Engine, identity: Identity) -> None:
        self.engine, self.identity, self.made = engine, identity, 0

    def hand_in(self, at: dt.datetime = NOW) -> str:
        draft = make_draft(number=f"9999011950{self.made:08d}")
        self.made += 1
        receipt = CaseStore(self.engine, 0).submit(draft.__class__(**_fields(draft, at)), EnvelopeSealer(self.engine, True), at)
        assert isinstance(receipt, CaseReceipt), receipt
        return receipt.case_id

    def deliver(self) -> None:
        with OfficeLink(self.identity.office_url, 2, 5) as link:
            delivery = Delivery(Outbox(self.engine, 30, 30), link, self.identity, Gate(1, 1), lambda: NOW + 400 * DAY)
            delivery.run_pass(threading.Event())

    def compare(self, most: int = 180) -> Reconciled:
        with OfficeLink(self.identity.office_url, 2, 5) as link:
            return reconcile(self.engine, link, self.identity, most, NOW)

    def rows(self) -> dict[str, tuple[str, str | None]]:
        with self.engine.connect() as connection:
            found = connection.execute(text("SELECT case_id, state, ack_level FROM outbox"))
            return {row[0]: (row[1], row[2]) for row in found}

    def purge(self, case_id: str) -> None:
        with self.engine.begin() as connection:
            connection.execute(text("UPDATE cases SET sealed = x'', purged = '2026-11-24' WHERE id = :id"), {"id": case_id})


def _fields(draft: object, at: dt.datetime) -> dict[str, object]:
    fields = {name: getattr(draft, name) for name in draft.__dataclass_fields__}  # type: ignore[attr-defined]
    return fields | {"captured_at": at}


@pytest.fixture
def terminal(engine: Engine, identity: Identity) -> Terminal:
    return Terminal(engine, identity)


def events(engine: Engine) -> str:
    with engine.connect() as connection:
        return " ".join(row[0].decode() for row in connection.execute(text("SELECT event FROM audit ORDER BY n")))


# ------------------------------------------------------------------------------- digests


ONE, TWO, THREE = (
    "01890a5d-ac96-774b-bcce-b302099a8057", "01890a5d-ac96-774b-bcce-b302099a8058", "01890a5d-0000-7000-8000-000000000001",
)


@pytest.mark.parametrize(("ids", "digest"), [
    ((), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ((ONE,), "96f8b57a1c6de83102c60e65156f9a6c11b06856dab678a3f24ed8d4f3e691b7"),
    ((ONE, TWO, THREE), "0495dc712dffef3eb4896e81b625d76b9bb34cc86fa70a139612dd5bb195129c"),
    ((THREE, TWO, ONE), "0495dc712dffef3eb4896e81b625d76b9bb34cc86fa70a139612dd5bb195129c"),
])
def test_digest_vectors(ids: tuple[str, ...], digest: str) -> None:
    assert day_digest(ids) == digest


# ------------------------------------------------------------------------------- what it changes


def test_safe_is_learnt_by_days_in_one_request(office: OfficeStub, terminal: Terminal) -> None:
    ids = [terminal.hand_in(NOW - day * DAY) for day in range(3) for _ in range(2)]
    terminal.deliver()
    office.backup, office.safe = "b1", set(ids)
    done = terminal.compare()
    assert (done.trouble, done.days, done.differing, done.made_safe, done.backup) == (None, 3, 0, 6, "b1")
    assert len(office.reconciled) == 1 and len(office.reconciled[0].days) == 3
    assert set(terminal.rows().values()) == {("acked", "safe")}
    with terminal.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM outbox WHERE safe_at IS NOT NULL")).scalar() == 6
    assert "cases_safe" in events(terminal.engine)
    assert terminal.compare().made_safe == 0


def test_of_a_day_only_what_is_saved_becomes_safe(office: OfficeStub, terminal: Terminal) -> None:
    first = terminal.hand_in()
    second = terminal.hand_in()
    terminal.deliver()
    office.backup, office.safe = "b1", {first}
    done = terminal.compare()
    assert (done.differing, done.made_safe) == (1, 1)
    assert terminal.rows() == {first: ("acked", "safe"), second: ("acked", "committed")}
    assert [(one.cases, one.live, one.safe, one.missing) for one in done.table] == [(2, True, False, 0)]


def test_without_a_backup_nothing_is_safe(office: OfficeStub, terminal: Terminal) -> None:
    terminal.hand_in()
    terminal.deliver()
    assert terminal.compare().made_safe == 0
    assert set(terminal.rows().values()) == {("acked", "committed")}


def test_a_held_case_counts_and_stays_held(office: OfficeStub, terminal: Terminal) -> None:
    held, good = terminal.hand_in(), terminal.hand_in()
    office.fate_of[held] = "held"
    terminal.deliver()
    with terminal.engine.connect() as connection:  # the office keeps what it holds
        office.stored[held] = connection.execute(text("SELECT sealed FROM cases WHERE id = :id"), {"id": held}).scalar_one()
    office.backup, office.safe = "b1", {held, good}
    done = terminal.compare()
    assert (done.differing, done.made_safe) == (0, 1)
    assert terminal.rows() == {held: ("acked", "held"), good: ("acked", "safe")}


def test_what_is_not_delivered_is_not_told(office: OfficeStub, terminal: Terminal) -> None:
    terminal.hand_in()
    assert terminal.compare() == Reconciled(None) and office.reconciled == []
    refused, kept = terminal.hand_in(), terminal.hand_in()
    office.fate_of[refused] = "conflict"
    terminal.deliver()
    terminal.compare()
    told = office.reconciled[0].days[0]
    delivered = [one for one in terminal.rows() if one != refused]
    assert kept in delivered and told.digest == day_digest(delivered)


def test_lc_01_missing_ones_go_again_byte_for_byte(office: OfficeStub, terminal: Terminal) -> None:
    ids = [terminal.hand_in(NOW - day * DAY) for day in range(10)]
    terminal.deliver()
    office.backup, office.safe = "b1", set(ids)
    terminal.compare()
    before, lost = dict(office.stored), ids[:5]
    for one in lost:
        del office.stored[one]
    office.reconciled.clear()
    done = terminal.compare()
    assert (done.differing, done.sent_again, done.lost) == (5, 5, 0)
    assert {day.day for day in office.reconciled[1].days} == {(NOW - day * DAY).astimezone(LOCAL_ZONE).date() for day in range(5)}
    assert [one for one in ids if terminal.rows()[one] == ("pending", None)] == lost
    assert "cases_missing_at_office" in events(terminal.engine) and count(terminal.engine).unsent == 5
    terminal.deliver()
    assert office.stored == before
    with Session(terminal.engine) as session:
        assert audit.verify(session) is None


def test_missing_pieces_go_again_too(office: OfficeStub, terminal: Terminal) -> None:
    draft = make_draft(photos=(b"\xff\xd8" + bytes(40_000),))
    CaseStore(terminal.engine, 0).submit(draft, EnvelopeSealer(terminal.engine, True, part_bytes=16_384), NOW)
    terminal.deliver()
    before = dict(office.pieces)
    assert len(before) > 2
    office.pieces.clear()
    office.stored.clear()
    assert terminal.compare().sent_again == 1
    terminal.deliver()
    assert office.pieces == before and len(office.stored) == 1


def test_missing_and_purged_is_the_highest_alarm_until_it_is_back(office: OfficeStub, terminal: Terminal) -> None:
    case_id = terminal.hand_in()
    terminal.deliver()
    office.backup, office.safe = "b1", {case_id}
    terminal.compare()
    terminal.purge(case_id)
    kept = office.stored.pop(case_id)
    for _ in range(2):
        done = terminal.compare()
        assert (done.sent_again, done.lost) == (0, 1)
    assert office.reconciled[-1].days[0].purged == (case_id,)
    assert read_status(terminal.engine, NOW).lost == 1
    assert standing(terminal.engine) == (None, "staff.cases_lost")
    assert events(terminal.engine).count('"cases_lost"') == 1
    assert terminal.rows() == {case_id: ("acked", "safe")}  # there is nothing to send
    office.stored[case_id] = kept
    assert terminal.compare().lost == 0 and read_status(terminal.engine, NOW).lost == 0


def test_what_is_in_no_backup_any_more_is_kept_here(office: OfficeStub, terminal: Terminal) -> None:
    """The office was restored from a copy that has the case; that it is in a backup it does not know."""
    here, gone = terminal.hand_in(), terminal.hand_in()
    terminal.deliver()
    office.backup, office.safe = "b2", {here, gone}
    terminal.compare()
    terminal.purge(gone)
    office.backup, office.safe = "b1", set()
    done = terminal.compare()
    assert (done.not_safe_any_more, done.sent_again) == (1, 0)
    assert terminal.rows() == {here: ("acked", "committed"), gone: ("acked", "safe")}
    office.backup = ""  # its backup medium is away: that says nothing about what was safe
    office.safe = {here}
    assert terminal.compare().not_safe_any_more == 0


def test_a_case_delivered_meanwhile_is_not_taken_for_safe(
    office: OfficeStub, terminal: Terminal, monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = terminal.hand_in()
    terminal.deliver()
    office.backup, office.safe = "b1", {first}
    ask = module._ask

    def slow(*arguments: object) -> object:
        answer = ask(*arguments)  # type: ignore[arg-type]
        terminal.hand_in()
        terminal.deliver()
        return answer

    monkeypatch.setattr(module, "_ask", slow)
    assert terminal.compare().made_safe == 1
    assert sorted(terminal.rows().values(), key=str) == [("acked", "committed"), ("acked", "safe")]


@pytest.mark.parametrize("years", [-20, 30])
def test_days_are_counted_not_reckoned_from_a_clock(office: OfficeStub, terminal: Terminal, years: int) -> None:
    terminal.hand_in(NOW + years * 365 * DAY)
    terminal.hand_in(NOW)
    terminal.hand_in(NOW - DAY)
    terminal.deliver()
    assert terminal.compare(most=3).days == 3
    assert terminal.compare(most=2).days == 2


def test_a_long_day_is_told_in_parts(office: OfficeStub, terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "IDS_MAX", 2)
    monkeypatch.setattr(module, "_IDS_AT_ONCE", 4)
    ids = [terminal.hand_in(NOW - day * DAY) for day in range(2) for _ in range(5)]
    terminal.deliver()
    for one in ids[2:9]:
        del office.stored[one]
    office.reconciled.clear()
    assert terminal.compare().sent_again == 7
    told = [[len(day.ids or ()) for day in request.days] for request in office.reconciled[1:]]
    assert sum(map(sum, told)) == 10 and all(sum(one) <= 4 for one in told) and max(max(one) for one in told) == 2
    assert terminal.compare().sent_again == 0


# ------------------------------------------------------------------------------- whose word


@pytest.mark.parametrize("fate", [*LIES, "portal", "broken", "cut", "unsigned_404", "device", "endless"])
def test_a_lying_answer_changes_nothing(office: OfficeStub, terminal: Terminal, fate: str) -> None:
    terminal.hand_in()
    terminal.hand_in(NOW - DAY)
    terminal.deliver()
    before, said = terminal.rows(), events(terminal.engine)
    office.reconcile_fate = fate
    done = terminal.compare()
    assert (done.made_safe, done.sent_again, done.lost, done.not_safe_any_more) == (0, 0, 0, 0)
    assert done.trouble is not None or fate == "safe_without_backup"
    assert terminal.rows() == before and events(terminal.engine) == said


def test_cut_in_the_second_round_keeps_what_is_known_and_goes_on_next_time(
    office: OfficeStub, terminal: Terminal, monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = terminal.hand_in(NOW - DAY)
    second = terminal.hand_in()
    terminal.deliver()
    office.backup, office.safe = "b1", {first}
    del office.stored[second]
    ask, asked = module._ask, []

    def once_only(*arguments: object) -> object:
        asked.append(1)
        return ask(*arguments) if len(asked) == 1 else "timeout"  # type: ignore[arg-type]

    monkeypatch.setattr(module, "_ask", once_only)
    done = terminal.compare()
    assert (done.trouble, done.made_safe, done.sent_again) == ("timeout", 1, 0)
    monkeypatch.setattr(module, "_ask", ask)
    assert terminal.compare().sent_again == 1


# ------------------------------------------------------------------------------- any loss at all


@pytest.fixture(scope="module")
def running() -> Iterator[Callable[[], tuple[OfficeStub, Terminal]]]:
    """One terminal with cases of four days in an office; given again as they were."""
    office = OfficeStub()
    office.open()
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            patch.delenv(name, raising=False)
            patch.delenv(name.upper(), raising=False)
        engine = open_database(Path(folder) / "t.db", DatabaseKey("0f" * 32))
        migrate(engine)
        identity = enrol(engine, office.code, "bench", 5, 5)
        assert isinstance(identity, Identity)
        terminal = Terminal(engine, identity)
        for day in range(4):
            for _ in range(3):
                terminal.hand_in(NOW - day * DAY)
        terminal.deliver()
        whole = dict(office.stored)

        def afresh() -> tuple[OfficeStub, Terminal]:
            office.stored.clear()
            office.stored.update(whole)
            with engine.begin() as connection:
                connection.execute(text("UPDATE outbox SET state = 'acked', ack_level = 'committed', next_at = '2026-01-01'"))
            return office, terminal

        yield afresh
        engine.dispose()
    office.close()


@settings(max_examples=25, deadline=None)
@given(lost=st.sets(st.integers(0, 11)), saved=st.sets(st.integers(0, 11)), again=st.sets(st.integers(0, 11)))
def test_any_loss_is_repaired_by_two_rounds(
    running: Callable[[], tuple[OfficeStub, Terminal]], lost: set[int], saved: set[int], again: set[int],
) -> None:
    office, terminal = running()
    whole, ids = dict(office.stored), sorted(office.stored)
    office.backup, office.safe = "b1", {ids[n] for n in saved}
    for round_lost in (lost, again):
        for n in round_lost:
            office.stored.pop(ids[n], None)
        office.reconciled.clear()
        assert terminal.compare().sent_again == len(round_lost)
        assert len(office.reconciled) <= 2
        terminal.deliver()
        assert office.stored == whole
    terminal.compare()
    rows = terminal.rows()
    assert {one for one, row in rows.items() if row == ("acked", "safe")} == office.safe
    assert {row[0] for row in rows.values()} == {"acked"}


# ------------------------------------------------------------------------------- when


class Clock:
    def __init__(self, hour: float) -> None:
        self.now = dt.datetime(2026, 11, 25, tzinfo=LOCAL_ZONE) + dt.timedelta(hours=hour)

    def __call__(self) -> dt.datetime:
        return self.now.astimezone(dt.UTC)


@pytest.fixture
def job(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> tuple[ReconcileJob, Clock, list[float]]:
    clock, passed = Clock(1), [0.0]
    monkeypatch.setattr(module, "monotonic", lambda: passed[0] + 10_000)
    monkeypatch.setattr(module.random, "uniform", lambda low, high: low)
    return ReconcileJob(terminal.engine, TIMES, clock), clock, passed


def test_once_a_night_and_after_each_new_backup(job: tuple[ReconcileJob, Clock, list[float]], terminal: Terminal) -> None:
    job_, clock, passed = job

    def ran() -> bool:
        passed[0] += 1000
        return job_.run() is not None

    assert not ran()  # one o'clock
    clock.now += dt.timedelta(hours=1)
    assert ran() and not ran()
    note(terminal.engine, OFFICE_BACKUP, "b1")
    assert ran() and not ran()
    note(terminal.engine, OFFICE_BACKUP, "b0")  # an older one: the office was restored
    assert ran() and not ran()
    clock.now += dt.timedelta(hours=23)
    assert not ran()
    clock.now += dt.timedelta(hours=2)
    assert ran() and not ran()
    clock.now -= dt.timedelta(days=400)  # the battery of the clock
    assert ran() and not ran()


def test_a_failed_one_is_tried_again_but_not_at_once(
    job: tuple[ReconcileJob, Clock, list[float]], office: OfficeStub, terminal: Terminal,
) -> None:
    job_, clock, passed = job
    terminal.hand_in()
    terminal.deliver()
    clock.now += dt.timedelta(hours=3)
    office.reconcile_fate = "broken"
    first = job_.run()
    assert first is not None and first.trouble == "http_500"
    assert job_.run() is None
    passed[0] += 301
    office.reconcile_fate = "good"
    second = job_.run()
    assert second is not None and second.trouble is None


def test_before_enrolment_there_is_nothing_to_compare(engine: Engine) -> None:
    assert reconcile_once(engine, TIMES, lambda: NOW) is None


def test_unsafe_for_too_long_is_an_alarm(office: OfficeStub, terminal: Terminal) -> None:
    case_id = terminal.hand_in()
    terminal.deliver()
    answered = NOW + 400 * DAY
    assert read_status(terminal.engine, answered + dt.timedelta(hours=23)).unsafe_late == 0
    late = read_status(terminal.engine, answered + dt.timedelta(hours=25))
    assert (late.unsafe_late, late.green) == (1, False)
    assert read_status(terminal.engine, answered + dt.timedelta(hours=3), 2.0).unsafe_late == 1
    account.make_safe(terminal.engine, [case_id], answered)
    assert read_status(terminal.engine, answered + dt.timedelta(hours=25)).unsafe_late == 0
