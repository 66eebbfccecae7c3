"""Handing in: all or nothing, one wish one case, and no success claimed when there is none."""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
import re
import resource
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.orm import Session

from kiosk.domain.case import CaseDraft, CaseReceipt
from kiosk.domain.enrolment import EnrolmentDraft
from kiosk.domain.roster import PersonRecord
from kiosk.domain.trouble import HandInTrouble
from kiosk.store import audit
from kiosk.store.cases import CaseStore, Sealed, SubmitFailed, Ticket
from kiosk.store.database import open_database
from kiosk.store.key import DatabaseKey
from kiosk.store.outbox import Outbox

MakeDraft = Callable[..., CaseDraft]
Submit = Callable[..., Any]
TODAY = dt.date(2026, 11, 23)
NUMBER, OTHER = "999901195001010026", "999901194012310018"


def rows(engine: Engine) -> tuple[int, ...]:
    """Cases, outbox rows, audit entries, last case number, last seq."""
    with engine.connect() as connection:
        return tuple(connection.scalar(text(sql)) or 0 for sql in (
            "SELECT count(*) FROM cases JOIN outbox ON case_id = id JOIN audit ON n = audit_n",
            "SELECT count(*) FROM outbox", "SELECT count(*) FROM audit",
            "SELECT value FROM counter WHERE name = 'case_number'", "SELECT value FROM counter WHERE name = 'seq:1'",
        ))


@pytest.fixture
def submit(sealer: Any, draft: MakeDraft, now: dt.datetime) -> Submit:
    return lambda store, **about: store.submit(draft(**about), sealer, now)


def test_one_case(store: CaseStore, engine: Engine, submit: Submit, sealer: Any) -> None:
    receipt = submit(store)
    assert rows(engine) == (1, 1, 1, 1, 1)
    assert receipt.case_number == "HG01-20261123-000001"
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", receipt.case_id)
    assert len(receipt.query_token) >= 16
    (ticket,) = sealer.tickets
    assert (ticket.case_id, ticket.seq, ticket.day, ticket.audit) == (receipt.case_id, 1, TODAY, audit.AuditHead())
    with Session(engine) as session, session.begin():
        assert audit.verify(session) is None


def test_the_day_is_the_local_one_of_the_capture(store: CaseStore, submit: Submit) -> None:
    late = dt.datetime(2026, 11, 30, 16, 30, tzinfo=dt.UTC)
    assert submit(store, captured_at=late).case_number.startswith("HG01-20261201-")


def test_the_same_wish_twice_is_one_case(store: CaseStore, engine: Engine, submit: Submit) -> None:
    first = submit(store)
    assert submit(store) == first
    assert rows(engine) == (1, 1, 1, 1, 1)


def test_other_wishes_are_other_cases(store: CaseStore, engine: Engine, submit: Submit) -> None:
    next_month = dt.datetime(2026, 12, 24, tzinfo=dt.UTC)
    others: list[dict[str, Any]] = [{}, {"repeat": 1}, {"number": OTHER}, {"captured_at": next_month}]
    receipts = [submit(store, **other) for other in others]
    assert len({receipt.case_id for receipt in receipts}) == 4
    assert [receipt.case_number[-6:] for receipt in receipts] == ["000001", "000002", "000003", "000004"]
    assert rows(engine) == (4, 4, 4, 4, 4)


def test_a_new_enrolment_counts_its_own_sequence(store: CaseStore, submit: Submit, sealer: Any) -> None:
    submit(store)
    sealer.epoch = 2
    second = submit(store, repeat=1)
    assert [(ticket.terminal.epoch, ticket.seq) for ticket in sealer.tickets] == [(1, 1), (2, 1)]
    assert second.case_number.endswith("-000002")


def test_before_enrolment_nothing_is_taken(store: CaseStore, engine: Engine, submit: Submit, sealer: Any) -> None:
    sealer.enrolled = False
    assert submit(store) == SubmitFailed(HandInTrouble.STORE_FAILED, "not_enrolled")
    assert rows(engine) == (0, 0, 0, 0, 0)


def test_a_failing_sealer_leaves_nothing_and_the_store_usable(
    store: CaseStore, engine: Engine, sealer: Any, draft: MakeDraft, now: dt.datetime,
) -> None:
    class Broken:
        terminal = sealer.terminal

        def seal(self, draft: CaseDraft, ticket: Ticket) -> Sealed:
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError):
        store.submit(draft(), Broken(), now)
    assert rows(engine) == (0, 0, 0, 0, 0)
    store.submit(draft(), sealer, now)
    assert rows(engine) == (1, 1, 1, 1, 1)


def test_find_person(store: CaseStore, submit: Submit) -> None:
    assert store.find_person(NUMBER, TODAY) == PersonRecord(None, 0, None)
    first = submit(store)
    assert store.find_person(NUMBER, TODAY) == PersonRecord(None, 1, first.case_number)
    second = submit(store, repeat=1)
    assert store.find_person(NUMBER, TODAY) == PersonRecord(None, 2, second.case_number)
    assert store.find_person(NUMBER, dt.date(2026, 12, 1)) == PersonRecord(None, 0, None)
    assert store.find_person(OTHER, TODAY) == PersonRecord(None, 0, None)


def test_an_enrolment_is_handed_in_like_a_case_but_is_no_certification(
    store: CaseStore, engine: Engine, sealer: Any, submit: Submit, enrolment: EnrolmentDraft, now: dt.datetime,
) -> None:
    first = store.submit(enrolment, sealer, now)
    assert isinstance(first, CaseReceipt) and first.case_number == "HG01-20261123-000001"
    assert store.submit(enrolment, sealer, now) == first
    assert store.find_person(NUMBER, TODAY) == PersonRecord(None, 0, None, 1)
    case = submit(store)
    assert store.find_person(NUMBER, TODAY) == PersonRecord(None, 1, case.case_number, 1)
    again = store.submit(dataclasses.replace(enrolment, repeat=1), sealer, now)
    assert isinstance(again, CaseReceipt) and again.case_id != first.case_id
    assert store.find_person(NUMBER, TODAY).enrolments_this_period == 2
    assert store.find_person(NUMBER, dt.date(2026, 12, 1)) == PersonRecord(None, 0, None, 0)
    assert rows(engine) == (3, 3, 3, 3, 3)
    with engine.connect() as connection:
        assert connection.scalars(text("SELECT item FROM cases ORDER BY case_number")).all() == ["11", "12", "11"]
        acts = connection.scalars(text("SELECT event ->> 'act' FROM audit ORDER BY n")).all()
    assert acts == ["enrolment_handed_in", "case_handed_in", "enrolment_handed_in"]


def test_only_a_receipt_of_the_office_is_a_delivery(
    store: CaseStore, engine: Engine, submit: Submit,
) -> None:
    case_id = submit(store).case_id
    outbox, now = Outbox(engine, 1, 60), dt.datetime.now(dt.UTC)
    assert not store.is_delivered(case_id)
    assert not store.is_delivered("unknown")
    outbox.acked(case_id, "held", b"{}", "00", now)
    assert not store.is_delivered(case_id)
    outbox.acked(case_id, "committed", b"{}", "00", now)
    assert store.is_delivered(case_id)


# ------------------------------------------------------------------------------- disk


def test_below_the_floor_nothing_is_taken(engine: Engine, submit: Submit) -> None:
    store = CaseStore(engine, free_floor_bytes=shutil.disk_usage("/").total * 1000)
    assert submit(store) == SubmitFailed(HandInTrouble.DISK_FULL, "disk_low")
    assert rows(engine) == (0, 0, 0, 0, 0)


def test_a_full_disk_is_told_and_nothing_is_doubled_after_it(
    database: Path, key: DatabaseKey, engine: Engine, submit: Submit,
) -> None:
    pages = 60
    small = open_database(database, key)

    @event.listens_for(small, "begin")
    def _limit(connection: Any) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    store = CaseStore(small, free_floor_bytes=0)
    taken: list[CaseReceipt] = []
    while isinstance(result := submit(store, repeat=len(taken)), CaseReceipt):
        taken.append(result)
    assert result == SubmitFailed(HandInTrouble.DISK_FULL, "SQLITE_FULL")
    assert not store.restart_needed
    done = len(taken)
    assert done >= 2
    assert rows(engine) == (done,) * 5

    pages = 10_000
    again = submit(store, repeat=done)
    assert again.case_number.endswith(f"{done + 1:06d}")
    assert submit(store, repeat=0) == taken[0]
    assert rows(engine) == (done + 1,) * 5
    small.dispose()


def test_a_write_error_asks_for_a_restart_and_nothing_is_doubled(
    database: Path, key: DatabaseKey, engine: Engine, submit: Submit,
) -> None:
    first = submit(CaseStore(engine, 0))
    engine.dispose()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            store = CaseStore(open_database(database, key), 0)
            store.find_person("1", TODAY)
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))  # every write fails from here on
            failed = submit(store, repeat=1)
            assert isinstance(failed, SubmitFailed) and failed.trouble is HandInTrouble.STORE_FAILED, failed
            assert failed.reason.startswith("SQLITE_IOERR") and store.restart_needed, failed
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            assert submit(store, repeat=1) == SubmitFailed(HandInTrouble.STORE_FAILED, "restart_needed")
            code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0

    after = open_database(database, key)
    store = CaseStore(after, 0)
    submit(store, repeat=1)
    assert submit(store) == first
    assert rows(after) == (2, 2, 2, 2, 2)
    after.dispose()


# ------------------------------------------------------------------------------- power


def killed_at(point: int, database: Path, key: DatabaseKey, work: Callable[[CaseStore], object]) -> bool:
    """Runs `work` in a child that dies by SIGKILL just before its n-th statement or commit. False: it came through."""
    pid = os.fork()
    if pid == 0:
        try:
            engine = open_database(database, key)
            passed = 0

            def tick(*_: Any) -> None:
                nonlocal passed
                if passed == point:
                    os.kill(os.getpid(), signal.SIGKILL)
                passed += 1

            event.listen(engine, "before_cursor_execute", tick)
            event.listen(engine, "commit", tick)
            work(CaseStore(engine, 0))
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(pid, 0)[1])


def test_killed_at_every_point_of_handing_in(
    database: Path, key: DatabaseKey, engine: Engine, submit: Submit,
) -> None:
    point = 0
    while killed_at(point, database, key, submit):
        assert rows(engine) == (0, 0, 0, 0, 0), f"killed before statement {point}"
        point += 1
    assert point > 10  # the commit is the last of them
    assert rows(engine) == (1, 1, 1, 1, 1)
    submit(CaseStore(engine, 0))
    assert rows(engine) == (1, 1, 1, 1, 1)


def test_killed_in_the_middle_of_work_loses_no_receipt(
    database: Path, key: DatabaseKey, engine: Engine, submit: Submit,
) -> None:
    receipts: list[str] = []
    for round_ in range(5):
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                store = CaseStore(open_database(database, key), 0)
                for number in range(100_000):
                    receipt = submit(store, repeat=round_ * 100_000 + number)
                    assert isinstance(receipt, CaseReceipt)
                    os.write(writer, receipt.case_id.encode())  # the word that leaves the machine
            finally:
                os._exit(1)
        os.close(writer)
        with open(reader, "rb") as words:
            receipts += [words.read(36).decode() for _ in range(3 + round_)]
            os.kill(pid, signal.SIGKILL)
            rest = words.read()
            receipts += [rest[at : at + 36].decode() for at in range(0, len(rest), 36)]
        os.waitpid(pid, 0)

    with engine.connect() as connection:
        stored = {case_id for (case_id,) in connection.execute(text("SELECT id FROM cases"))}
        assert connection.scalar(text("PRAGMA integrity_check")) == "ok"
    assert set(receipts) <= stored
    assert len(receipts) >= 25
    assert rows(engine) == (len(stored),) * 5
    with Session(engine) as session, session.begin():
        assert audit.verify(session) is None
