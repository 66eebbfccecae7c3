"""The audit chain: published vectors, what goes into it, and what it sees of an edit, a gap, a cut and a roll-back."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from kiosk.config import KioskConfig, Mode, SiteConfig, StoreConfig, Suite
from kiosk.domain.case import CaseReceipt
from kiosk.domain.slip import PrintOutcome
from kiosk.domain.status import DeviceKind, DeviceState, DeviceStatus
from kiosk.store import audit, hashes
from kiosk.store.audit import AuditBreak, AuditHead, AuditReport
from kiosk.store.audit_log import AuditLog, config_digest, note_start
from kiosk.store.cases import CaseStore
from kiosk.store.database import open_database
from kiosk.store.device_states import DeviceStates
from kiosk.store.key import DatabaseKey
from kiosk.store.migrate import migrate
from kiosk.store.models import AuditRow
from kiosk.store.print_journal import PrintJournal

FIRST, SECOND = b'{"act":"approve","obj":"t1"}', b'{"act":"reject","obj":"t2"}'


@pytest.fixture
def head(engine: Engine) -> AuditHead:
    with Session(engine) as session, session.begin():
        for number in range(1, 6):
            last = audit.append(session, "counted", number=number)
    return last


def verify(engine: Engine, shipped: AuditHead | None = None) -> AuditBreak | None:
    with Session(engine) as session, session.begin():
        return audit.verify(session, shipped)


def examine(engine: Engine, *shipped: AuditHead) -> AuditReport:
    with Session(engine) as session, session.begin():
        return audit.examine(session, shipped)


def attack(engine: Engine, sql: str) -> None:
    """Somebody with the key and a database tool."""
    with engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
        connection.exec_driver_sql(sql)
        connection.exec_driver_sql("PRAGMA foreign_keys = ON")
        connection.exec_driver_sql("BEGIN")


def write(engine: Engine, *numbers: int) -> AuditHead:
    with Session(engine) as session, session.begin():
        for number in numbers:
            audit.append(session, "counted", number=number)
        return audit.head(session)


def events(engine: Engine) -> list[dict[str, str | int]]:
    with Session(engine) as session, session.begin():
        return [json.loads(event) for event in session.scalars(select(AuditRow.event).order_by(AuditRow.n))]


# ------------------------------------------------------------------------------------------------ hashes


def test_published_vectors() -> None:
    first = audit.link(bytes(32), FIRST)
    assert first is not None and first.hex() == "4365308cf66e164d2e4487a851ef7ffe1b975b8cd4620245b6897c4b0f5efe55"
    second = audit.link(first, SECOND)
    assert second is not None and second.hex() == "fcda9d98693d182f61380edfabff9d0a5c7e3cb0b0c9fbc45fadb5eaf63afcf0"


def test_published_blind_indexes() -> None:
    key, number = bytes(range(32)), b"11010519491231002X"
    assert hashes.blind(key, number).hex() == "a66755453b106dcea0cfa264214ae59f"
    assert hashes.blind(key, number, hashes.SM3).hex() == "02" + "b0388348088fd3f9c27114fb639a0f32"
    assert hashes.blinds(key, number) == (hashes.blind(key, number), hashes.blind(key, number, hashes.SM3))


def test_the_chain_may_change_its_hash_in_the_middle(engine: Engine, head: AuditHead) -> None:
    hashes.choose(engine, Suite.SM)
    last = write(engine, 6, 7)
    hashes.choose(engine, Suite.INTERNATIONAL)
    write(engine, 8)
    with Session(engine) as session, session.begin():
        assert list(session.scalars(select(AuditRow.alg).order_by(AuditRow.n))) == ["sha256"] * 5 + ["sm3"] * 2 + ["sha256"]
        six = session.get_one(AuditRow, 6)
        assert six.link == hashes.link(head.link, six.event, "sm3") != hashes.link(head.link, six.event)
    assert verify(engine, last) is None


@pytest.mark.parametrize("alg", ["sm3", "md5", ""])
def test_the_name_of_a_hash_cannot_be_changed(engine: Engine, head: AuditHead, alg: str) -> None:
    attack(engine, f"UPDATE audit SET alg = '{alg}' WHERE n = 4")
    assert verify(engine) == AuditBreak(4, "edited")


# ------------------------------------------------------------------------------------------------ what is seen


def test_an_untouched_chain(engine: Engine, head: AuditHead) -> None:
    assert head.n == 5
    assert verify(engine) is None
    assert verify(engine, head) is None
    assert examine(engine, head) == AuditReport(head, 5, ())
    assert examine(engine) == AuditReport(head, 0, ())


def test_an_empty_chain(engine: Engine) -> None:
    assert verify(engine) is None
    assert examine(engine, AuditHead()) == AuditReport(AuditHead(), 0, ())


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
    write(engine, *range(11, 18))
    assert verify(engine) is None
    assert verify(engine, head) == AuditBreak(5, "rewritten")


def test_a_roll_back_that_was_worked_on_is_placed_between_two_heads(engine: Engine, head: AuditHead) -> None:
    write(engine, 6, 7, 8)
    seven = AuditHead(7, bytes(32))
    with Session(engine) as session, session.begin():
        seven = AuditHead(7, session.get_one(AuditRow, 7).link)
    attack(engine, "DELETE FROM audit WHERE n > 5")
    write(engine, 60, 70, 80)
    assert examine(engine, head, seven) == AuditReport(examine(engine, head, seven).head, 5, (AuditBreak(7, "rewritten"),))
    assert examine(engine, head).breaks == ()


def test_an_act_undone_leaves_no_entry(engine: Engine, head: AuditHead) -> None:
    with pytest.raises(RuntimeError), Session(engine) as session, session.begin():
        audit.append(session, "never")
        raise RuntimeError
    assert verify(engine, head) is None


@given(st.integers(1, 8), st.integers(1, 8), st.sampled_from(["event", "link", "row", "tail", "alg"]))
@settings(max_examples=30, deadline=None)
def test_whatever_is_done_to_one_entry_is_seen_at_it(
    tmp_path_factory: pytest.TempPathFactory, length: int, place: int, what: str,
) -> None:
    engine = open_database(tmp_path_factory.mktemp("chain") / "t.db", DatabaseKey("0f" * 32))
    migrate(engine)
    last, n = write(engine, *range(length)), min(place, length)
    attack(engine, {
        "event": f"UPDATE audit SET event = CAST(event || ' ' AS BLOB) WHERE n = {n}",
        "link": f"UPDATE audit SET link = zeroblob(32) WHERE n = {n}", "row": f"DELETE FROM audit WHERE n = {n}",
        "tail": f"DELETE FROM audit WHERE n >= {n}", "alg": f"UPDATE audit SET alg = 'sm3' WHERE n = {n}",
    }[what])
    found = verify(engine, last)
    engine.dispose()
    assert found is not None and found.n == n


# ------------------------------------------------------------------------------------------------ cases


@pytest.fixture
def hand_in(store: CaseStore, sealer, draft, now: dt.datetime) -> Callable[[int], str]:
    def hand_in(repeat: int) -> str:
        receipt = store.submit(draft(repeat=repeat), sealer, now)
        assert isinstance(receipt, CaseReceipt)
        return receipt.case_id

    return hand_in


def test_cases_as_they_were_handed_in(engine: Engine, hand_in) -> None:
    for repeat in range(3):
        hand_in(repeat)
    assert examine(engine).breaks == ()


@pytest.mark.parametrize("sql", [
    "UPDATE cases SET sealed = CAST(sealed || 'x' AS BLOB)", "UPDATE cases SET digest = zeroblob(32)",
    "UPDATE cases SET sealed = x'' WHERE purged IS NULL", "UPDATE cases SET audit_n = 1",
    "UPDATE cases SET sealed = x'00', digest = zeroblob(32)",
])
def test_a_case_changed_in_the_database(engine: Engine, hand_in, sql: str) -> None:
    hand_in(0)
    case_id = hand_in(1)
    attack(engine, f"{sql} {'AND' if 'WHERE' in sql else 'WHERE'} id = '{case_id}'")
    assert verify(engine) is None, "the chain itself is whole"
    assert [one.reason for one in examine(engine).breaks] == ["case_differs"]


def test_a_purged_case_is_no_loss(engine: Engine, hand_in) -> None:
    case_id = hand_in(0)
    attack(engine, f"UPDATE cases SET sealed = x'', purged = '2026-12-01 00:00:00.000000' WHERE id = '{case_id}'")
    assert examine(engine).breaks == ()


def test_a_case_that_is_gone_without_a_word(engine: Engine, hand_in) -> None:
    gone, kept = hand_in(0), hand_in(1)
    attack(engine, f"DELETE FROM outbox WHERE case_id = '{gone}'")
    attack(engine, f"DELETE FROM cases WHERE id = '{gone}'")
    assert examine(engine).breaks == (AuditBreak(1, "case_missing"),)
    with Session(engine) as session, session.begin():
        audit.append(session, "erased", what="case_rows", count=1, pieces=0, ids="00")
    assert examine(engine).breaks == () and kept


# ------------------------------------------------------------------------------------------------ what is written


def test_every_print_is_there_from_the_first_byte_on(engine: Engine, now: dt.datetime) -> None:
    journal = PrintJournal(engine, lambda: now)
    job = journal.queue("HG01-1", "slip", 1, "ab" * 32, 400)
    assert events(engine) == []
    journal.sending(job)
    journal.end(job, PrintOutcome.PRINTED, "fence")
    cut = journal.queue("HG01-2", "slip", 2, "cd" * 32, 400)
    journal.sending(cut)
    journal.queue("HG01-3", "slip", 1, "ef" * 32, 400)
    journal.settle_interrupted("slip")
    assert [(one["act"], one["job"], one.get("case"), one.get("outcome")) for one in events(engine)] == [
        ("print_sent", 1, "HG01-1", None), ("print_ended", 1, None, "printed"), ("print_sent", 2, "HG01-2", None),
        ("print_ended", 2, None, "unknown"), ("print_ended", 3, None, "blocked"),
    ]
    assert verify(engine) is None


def test_faults_of_devices_and_their_end(engine: Engine, now: dt.datetime) -> None:
    states = DeviceStates(engine, lambda: now)
    states.begin([DeviceKind.PRINTER, DeviceKind.CAMERA])
    for state, reason in (
        (DeviceState.READY, ""), (DeviceState.OFFLINE, "paper_out"), (DeviceState.OFFLINE, "cover_open"),
        (DeviceState.DEGRADED, "paper_low"), (DeviceState.READY, ""), (DeviceState.BUSY, ""),
        (DeviceState.OFFLINE, "张三 110105194912310021"),
    ):
        states.put(DeviceStatus(DeviceKind.PRINTER, state, reason))
    states.put(DeviceStatus(DeviceKind.CAMERA, DeviceState.READY, ""))
    assert [(one["kind"], one["state"], one["reason"]) for one in events(engine)] == [
        ("printer", "offline", "paper_out"), ("printer", "degraded", "paper_low"), ("printer", "ready", ""),
        ("printer", "offline", "unnamed"),
    ]


def test_each_start_names_the_configuration_and_a_new_one_is_said_to_be(engine: Engine) -> None:
    before, after = (
        KioskConfig(mode=Mode.DEMO, site=SiteConfig(name=name), store=StoreConfig(path=Path("/x"))) for name in ("甲", "乙")
    )
    for process, config in (("terminal", before), ("sync", before), ("terminal", before), ("terminal", after), ("sync", before)):
        note_start(engine, process, config)
    assert [(one["act"], one["process"]) for one in events(engine)] == [
        ("started", "terminal"), ("started", "sync"), ("started", "terminal"), ("config_changed", "terminal"),
        ("started", "terminal"), ("started", "sync"),
    ]
    changed = events(engine)[3]
    assert (changed["before"], changed["config"]) == (config_digest(before), config_digest(after))
    assert len({config_digest(before), config_digest(after)}) == 2


def test_a_store_that_fails_is_said_in_the_log_and_stops_nobody(
    engine: Engine, caplog: pytest.LogCaptureFixture,
) -> None:
    log = AuditLog(engine)
    assert log.note("staff_signed_in", staff="wang")
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE audit RENAME TO gone")
    assert not log.note("staff_signed_in", staff="li")
    assert "staff_signed_in was not written (OperationalError)" in caplog.text
