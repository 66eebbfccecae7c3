"""What may be erased, when, and that erased bytes are in neither file nor log; nothing else is ever touched."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session
from sqlcipher3 import dbapi2

from kiosk.config.retention import RetentionConfig
from kiosk.domain.case import CaseReceipt
from kiosk.domain.roster import OfficeDecision, RosterEntry
from kiosk.store import audit, erasure
from kiosk.store.cases import CaseStore, Sealed
from kiosk.store.key import DatabaseKey
from kiosk.store.models import OutcomeRow, PartRow
from kiosk.store.outbox import Outbox
from kiosk.store.print_journal import PrintJournal
from kiosk.store.retention import Alarm, Clock, Holdings, KeptCase, KeptPrint, What, Why, clock_word, judge, make_plan
from kiosk.store.roster import Roster

CONFIG = RetentionConfig()
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
NOW = dt.datetime(2026, 11, 23, 1, 0, tzinfo=dt.UTC)
MARKER = b"MARKER-of-a-face-that-must-go"


class MarkingSealer:
    """Every sealed case holds the marker many times, over several pages."""

    def __init__(self, plain: Any) -> None:
        self._plain = plain

    def terminal(self) -> Any:
        return self._plain.terminal()

    def seal(self, draft: Any, ticket: Any) -> Sealed:
        return Sealed(ticket.case_id.encode() + MARKER * 2000, "00")


@pytest.fixture
def case(store: CaseStore, sealer: Any, draft: Any) -> Callable[..., str]:
    """Hands one in; returns its id."""
    made: list[str] = []

    def make(at: dt.datetime = NOW) -> str:
        receipt = store.submit(draft(repeat=len(made), captured_at=at), MarkingSealer(sealer), at)
        assert isinstance(receipt, CaseReceipt)
        made.append(receipt.case_id)
        return receipt.case_id

    return make


def acknowledge(engine: Engine, case_id: str, level: str, at: dt.datetime, safe_at: dt.datetime | None = None) -> None:
    Outbox(engine, 1, 60).acked(case_id, level, b"{}", "sig", at)
    with engine.begin() as connection:
        connection.execute(text("UPDATE outbox SET safe_at = :at WHERE case_id = :id"),
                           {"at": f"{safe_at:%Y-%m-%d %H:%M:%S.%f}" if safe_at else None, "id": case_id})


def rows(engine: Engine, question: str) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(text(question)))


def sealed(engine: Engine) -> dict[str, bytes]:
    return {row.id: row.sealed for row in rows(engine, "SELECT id, sealed FROM cases")}


def run(engine: Engine, now: dt.datetime, config: RetentionConfig = CONFIG) -> erasure.Erased:
    return erasure.run(engine, config, now, office_time=now)


# ------------------------------------------------------------------------------------------ the plan alone


def kept(**changes: Any) -> KeptCase:
    fields: dict[str, Any] = {
        "case_id": "a", "day": NOW.date(), "created": NOW, "state": "acked", "level": "safe", "answered_at": NOW,
        "safe_at": NOW, "purged": None, "decided": False,
    }
    return KeptCase(**fields | changes)


@pytest.mark.parametrize(("changes", "why"), [
    ({"state": "pending", "level": None}, Why.UNSENT),
    ({"state": "pending", "level": "safe"}, Why.UNSENT),
    ({"state": "dead", "level": None}, Why.REFUSED),
    ({"level": "held"}, Why.HELD),
    ({"level": "committed"}, Why.NOT_SAFE),
    ({"level": None}, Why.HELD),
    ({"safe_at": None}, Why.CLOCK),
    ({"safe_at": NOW + 10_000 * DAY}, Why.CLOCK),
    ({"purged": NOW}, Why.EMPTIED),
])
def test_lc_03_what_is_not_safe_never_comes_due_however_old(changes: dict[str, Any], why: Why) -> None:
    one = kept(decided=True, **changes)
    assert judge(one, CONFIG, NOW + 5_000 * DAY) == (why, None)


def test_safe_and_long_enough_or_safe_and_decided() -> None:
    assert judge(kept(), CONFIG, NOW) == (Why.SAFE_LONG_ENOUGH, NOW + 12 * HOUR)
    assert judge(kept(decided=True), CONFIG, NOW) == (Why.DECIDED, NOW)
    kept_on = RetentionConfig(faces_at_safe=False)
    assert judge(kept(decided=True), kept_on, NOW) == (Why.SAFE_LONG_ENOUGH, NOW + 12 * HOUR)


@pytest.mark.parametrize(("office_time", "word"), [
    (None, Clock.UNPROVEN), (NOW, Clock.OK), (NOW + DAY, Clock.OK), (NOW + DAY + HOUR, Clock.BEHIND),
    (NOW - 60 * DAY, Clock.OK), (NOW - 60 * DAY - HOUR, Clock.AHEAD),
])
def test_lc_19_a_clock_that_cannot_be_right_frees_nothing(office_time: dt.datetime | None, word: Clock) -> None:
    assert clock_word(NOW, office_time) is word
    holdings = Holdings(cases=(kept(safe_at=NOW - 9 * DAY), kept(case_id="b", safe_at=NOW + 9 * DAY)))
    plan = make_plan(holdings, CONFIG, NOW, office_time)
    assert [item.key for item in plan.due] == (["a"] if word is Clock.OK else [])
    assert plan.waits_anew == (("b",) if word is Clock.OK else ())


CASES = st.builds(
    kept, case_id=st.uuids().map(str), day=st.dates(dt.date(2024, 1, 1), dt.date(2026, 12, 31)),
    state=st.sampled_from(["pending", "acked", "dead"]), level=st.sampled_from([None, "held", "committed", "safe"]),
    safe_at=st.none() | st.datetimes(dt.datetime(2024, 1, 1), dt.datetime(2030, 1, 1), timezones=st.just(dt.UTC)),
    purged=st.none() | st.just(NOW), decided=st.booleans(),
)


@given(cases=st.lists(CASES, max_size=12, unique_by=lambda one: one.case_id),
       now=st.datetimes(dt.datetime(2015, 1, 1), dt.datetime(2045, 1, 1), timezones=st.just(dt.UTC)))
def test_whatever_lies_here_only_proven_safe_bytes_are_ever_planned(cases: list[KeptCase], now: dt.datetime) -> None:
    plan = make_plan(Holdings(cases=tuple(cases)), CONFIG, now, now)
    known = {one.case_id: one for one in cases}
    for item in plan.due:
        if item.what is What.SEALED:
            one = known[item.key]
            assert (one.state, one.level) == ("acked", "safe") and one.purged is None
            assert one.safe_at is not None and one.safe_at <= now
        else:
            of_day = [one for one in cases if one.day.isoformat() == item.key]
            assert of_day and all((one.state, one.level) == ("acked", "safe") and one.purged for one in of_day)
            assert now.date() - of_day[0].day >= 400 * DAY
    assert {item.key for item in plan.due} & set(plan.waits_anew) == set()


def test_alarms_are_values_and_free_nothing() -> None:
    old = kept(case_id="u", state="pending", level=None, created=NOW - 31 * DAY)
    unsafe = kept(case_id="c", level="committed", answered_at=NOW - 25 * HOUR)
    held = kept(case_id="h", level="held", answered_at=NOW - 30 * HOUR)
    fresh = kept(case_id="f", level="committed", answered_at=NOW - HOUR)
    plan = make_plan(Holdings(cases=(old, unsafe, held, fresh)), CONFIG, NOW, NOW)
    assert plan.alarms == (Alarm("unsent", 1, NOW - 31 * DAY), Alarm("not_safe", 2, NOW - 30 * HOUR))
    assert plan.due == () and plan.kept == {Why.UNSENT: 1, Why.NOT_SAFE: 2, Why.HELD: 1}


def test_the_rows_of_a_day_go_together_and_only_when_every_one_is_emptied() -> None:
    day = dt.date(2025, 1, 6)
    whole = (kept(case_id="a", day=day, purged=NOW), kept(case_id="b", day=day, purged=NOW))
    plan = make_plan(Holdings(cases=whole), CONFIG, NOW, NOW)
    assert [(item.what, item.key) for item in plan.due] == [(What.CASE_ROWS, "2025-01-06")]
    for other in (kept(case_id="c", day=day, state="dead"), kept(case_id="c", day=day, level="committed")):
        assert make_plan(Holdings(cases=(*whole, other)), CONFIG, NOW, NOW).due == ()


def test_the_print_journal_keeps_what_still_tells_something() -> None:
    old = NOW - 200 * DAY
    jobs = (
        KeptPrint(1, "slip", "printed", old), KeptPrint(2, "slip", "unknown", old), KeptPrint(3, "slip", "blocked", old),
        KeptPrint(4, "document", "printed", old), KeptPrint(5, "document", "queued", old),
    )
    plan = make_plan(Holdings(prints=jobs), CONFIG, NOW, NOW)
    assert [item.key for item in plan.due] == ["1", "3"]


# ------------------------------------------------------------------------------------------ carried out


def test_a_case_is_emptied_after_its_wait_and_its_row_stays(engine: Engine, case: Callable[..., str]) -> None:
    one = case()
    acknowledge(engine, one, "safe", NOW, safe_at=NOW)
    before = rows(engine, "SELECT digest, day, case_number FROM cases")
    assert run(engine, NOW + 11 * HOUR).counts == {} and MARKER in sealed(engine)[one]
    done = run(engine, NOW + 12 * HOUR)
    assert done.counts == {"sealed": 1, "pieces": 0} and done.log_emptied
    assert sealed(engine) == {one: b""} and rows(engine, "SELECT digest, day, case_number FROM cases") == before
    assert rows(engine, "SELECT answer, answer_signature FROM outbox") == [(b"{}", "sig")]
    assert run(engine, NOW + 13 * HOUR).counts == {}


@pytest.mark.parametrize("told", ["outcome", "roster"])
def test_a_decided_case_goes_as_soon_as_it_is_safe(engine: Engine, case: Callable[..., str], told: str) -> None:
    one, open_ = case(), case()
    for case_id in (one, open_):
        acknowledge(engine, case_id, "safe", NOW, safe_at=NOW)
    numbers = dict(rows(engine, "SELECT id, case_number FROM cases"))
    if told == "outcome":
        with Session(engine) as session, session.begin():
            session.add(OutcomeRow(case_id=one, case_number=numbers[one], state="accepted", reason="", decided_on=NOW.date()))
            session.add(OutcomeRow(case_id=open_, case_number=numbers[open_], state="pending", reason="", decided_on=None))
    else:
        decision = OfficeDecision(numbers[one], False, "", NOW.date())
        Roster(engine).apply([RosterEntry("999901195001010026", "张测试", "居保", None, (), decision)], [], 0, 1, True)
    assert run(engine, NOW + HOUR).counts["sealed"] == 1
    assert sealed(engine)[one] == b"" and MARKER in sealed(engine)[open_]


def test_lc_09_nothing_pending_held_refused_or_merely_committed_is_touched(
    engine: Engine, case: Callable[..., str],
) -> None:
    pending, held, committed, refused = (case() for _ in range(4))
    acknowledge(engine, held, "held", NOW)
    acknowledge(engine, committed, "committed", NOW)
    Outbox(engine, 1, 60).dead(refused, "conflict", b"{}", "sig", NOW)
    before = sealed(engine)
    done = run(engine, NOW + 3_000 * DAY)
    assert done.counts == {} and sealed(engine) == before and set(before) == {pending, held, committed, refused}


@pytest.mark.parametrize("office_time", [None, NOW + 20 * DAY, NOW - 3_650 * DAY])
def test_a_wrong_clock_erases_nothing(engine: Engine, case: Callable[..., str], office_time: dt.datetime | None) -> None:
    one = case(NOW - 30 * DAY)
    acknowledge(engine, one, "safe", NOW - 20 * DAY, safe_at=NOW - 20 * DAY)
    before, head = sealed(engine), rows(engine, "SELECT max(n) FROM audit")
    done = erasure.run(engine, CONFIG, NOW, office_time)
    assert done.clock is not Clock.OK and done.counts == {}
    assert sealed(engine) == before and rows(engine, "SELECT max(n) FROM audit") == head


def test_safe_since_the_future_waits_anew_from_now(engine: Engine, case: Callable[..., str]) -> None:
    """The clock stood in 2036 when the office said `safe`, and is right again."""
    one = case()
    acknowledge(engine, one, "safe", NOW, safe_at=NOW + 3_650 * DAY)
    assert run(engine, NOW + HOUR).counts == {}
    assert run(engine, NOW + 12 * HOUR).counts == {}
    assert run(engine, NOW + 13 * HOUR).counts["sealed"] == 1 and sealed(engine) == {one: b""}


def test_a_case_back_to_pending_between_plan_and_deed_stays(
    engine: Engine, case: Callable[..., str], monkeypatch: pytest.MonkeyPatch,
) -> None:
    lost, other = case(), case()
    for one in (lost, other):
        acknowledge(engine, one, "safe", NOW, safe_at=NOW)
    todo = erasure.plan(engine, CONFIG, NOW + DAY, NOW + DAY)
    with engine.begin() as connection:
        connection.execute(text("UPDATE outbox SET state = 'pending', ack_level = NULL WHERE case_id = :id"), {"id": lost})
    monkeypatch.setattr(erasure, "plan", lambda *_: todo)
    assert run(engine, NOW + DAY).counts["sealed"] == 1
    assert MARKER in sealed(engine)[lost] and sealed(engine)[other] == b""


def test_pieces_go_with_their_case(engine: Engine, case: Callable[..., str]) -> None:
    one, other = case(), case()
    with Session(engine) as session, session.begin():
        for number, owner in enumerate((one, one, other)):
            session.add(PartRow(sha256=str(number) * 64, case_id=owner, position=number, body=MARKER))
    acknowledge(engine, one, "safe", NOW, safe_at=NOW)
    assert run(engine, NOW + DAY).counts == {"sealed": 1, "pieces": 2}
    assert [row.body for row in rows(engine, "SELECT body FROM part ORDER BY sha256")] == [b"", b"", MARKER]


def test_old_rows_go_with_everything_that_points_to_them(engine: Engine, case: Callable[..., str]) -> None:
    old, fresh = case(NOW - 402 * DAY), case()
    for one in (old, fresh):
        acknowledge(engine, one, "safe", NOW, safe_at=NOW)
    with Session(engine) as session, session.begin():
        session.add(PartRow(sha256="0" * 64, case_id=old, position=0, body=MARKER))
        session.add(OutcomeRow(case_id=old, case_number="x", state="accepted", reason="", decided_on=NOW.date()))
        session.add(OutcomeRow(case_id="gone", case_number="y", state="accepted", reason="", decided_on=NOW.date() - 500 * DAY))
    first, second = run(engine, NOW + DAY), run(engine, NOW + DAY)
    assert first.counts == {"sealed": 2, "pieces": 1, "outcome": 1} and second.counts == {"case_rows": 1}
    assert [row.id for row in rows(engine, "SELECT id FROM cases")] == [fresh]
    for table in ("part", "outcome"):
        assert rows(engine, f"SELECT * FROM {table}") == []
    with Session(engine) as session:
        assert audit.verify(session) is None


def test_every_erasure_stands_in_the_audit_chain(engine: Engine, case: Callable[..., str]) -> None:
    ids = [case() for _ in range(25)]
    for one in ids:
        acknowledge(engine, one, "safe", NOW, safe_at=NOW)
    run(engine, NOW + DAY)
    acts = [json.loads(row.event) for row in rows(engine, "SELECT event FROM audit ORDER BY n")]
    erased = [act for act in acts if act["act"] == "erased"]
    assert [act["count"] for act in erased] == [20, 5] and all(act["what"] == "sealed" for act in erased)
    assert all(len(act["ids"]) == 64 for act in erased)
    assert not any(one in json.dumps(erased) for one in ids)
    with Session(engine) as session:
        assert audit.verify(session) is None


def test_cut_off_in_the_middle_the_record_tells_what_was_done(
    engine: Engine, case: Callable[..., str], monkeypatch: pytest.MonkeyPatch,
) -> None:
    for _ in range(25):
        acknowledge(engine, case(), "safe", NOW, safe_at=NOW)
    record, calls = erasure._record, []

    def dies(*words: Any) -> None:
        record(*words)
        calls.append(words)
        if len(calls) == 2:
            raise RuntimeError("power cut")

    monkeypatch.setattr(erasure, "_record", dies)
    with pytest.raises(RuntimeError):
        run(engine, NOW + DAY)
    monkeypatch.undo()
    assert list(sealed(engine).values()).count(b"") == 20, "the second transaction is as if it had never been"
    assert run(engine, NOW + DAY).counts["sealed"] == 5


def test_the_print_journal_and_its_numbers(engine: Engine) -> None:
    from kiosk.domain.slip import PrintOutcome

    clock = iter([NOW - 400 * DAY] * 9 + [NOW] * 9)
    journal = PrintJournal(engine, lambda: next(clock))
    for _ in range(3):
        job = journal.queue("HG01-1", "slip", 1, "00", 10)
        journal.sending(job)
        journal.end(job, PrintOutcome.PRINTED, "")
    assert run(engine, NOW).counts == {"print": 2}
    assert journal.queue("HG01-1", "slip", 1, "00", 10) == 4, "a number is never given out twice"


def test_the_offices_time_is_the_newest_of_its_receipts(engine: Engine, case: Callable[..., str]) -> None:
    assert erasure.office_time(engine) is None
    outbox = Outbox(engine, 1, 60)
    for received in ("2026-11-23T01:00:00Z", "2026-11-22T01:00:00Z", "nonsense"):
        outbox.acked(case(), "committed", json.dumps({"received": received}).encode(), "sig", NOW)
    assert erasure.office_time(engine) == NOW


def test_what_is_not_safe_is_counted(engine: Engine, case: Callable[..., str]) -> None:
    for state in ("safe", "committed", "held", None):
        one = case()
        if state:
            acknowledge(engine, one, state, NOW, safe_at=NOW)
    with Session(engine) as session:
        assert erasure.unsafe_count(session) == 3


# ------------------------------------------------------------------------------------------ the raw files


def decrypted(path: Path, key: DatabaseKey) -> bytes:
    """Every page of a SQLCipher 4 file or log, deciphered: the 80 bytes at a page's end hold its IV and its HMAC."""
    raw, page, header = path.read_bytes(), 4096, 0
    frames = path.name.endswith("-wal")
    at = 32 if frames else 0
    found = []
    while at < len(raw):
        header = 24 if frames else 0
        whole = raw[at + header : at + header + page]
        at += header + page
        if len(whole) < page:
            break
        cipher = Cipher(algorithms.AES256(bytes.fromhex(key.hex)), modes.CBC(whole[-80:-64])).decryptor()
        salted = 16 if (not frames and not found) else 0  # the first page begins with the salt
        found.append(cipher.update(whole[salted:-80]))
    return b"".join(found)


def test_erased_bytes_are_in_neither_file_nor_log(
    engine: Engine, case: Callable[..., str], database: Path, key: DatabaseKey, tmp_path: Path,
) -> None:
    one, stays = case(), case()
    acknowledge(engine, one, "safe", NOW, safe_at=NOW)
    log = database.with_name(database.name + "-wal")
    erasure.empty_log(engine)
    assert decrypted(database, key).count(MARKER) > 3000, "the search sees what is there"
    assert MARKER not in database.read_bytes(), "without the key nobody does"
    assert run(engine, NOW + DAY).log_emptied
    assert log.stat().st_size == 0
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM outbox WHERE case_id = :id"), {"id": stays})
        connection.execute(text("UPDATE cases SET sealed = x'' WHERE id = :id"), {"id": stays})
    assert decrypted(log, key).count(MARKER) == 0, "what is written over is never written out again"
    erasure.empty_log(engine)
    assert MARKER[:12] not in decrypted(database, key)
    copy = tmp_path / "copy.db"
    shutil.copy(database, copy)
    opened = dbapi2.connect(str(copy))
    opened.execute(f"PRAGMA key = \"x'{key.hex}'\"")
    free = opened.execute("PRAGMA freelist_count").fetchone()
    assert free is not None and free[0] > 10, "the pages were given back, and are blank"
    assert opened.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    opened.close()


def test_without_secure_delete_the_search_would_find_it(
    engine: Engine, case: Callable[..., str], database: Path, key: DatabaseKey,
) -> None:
    """The control of the test above."""
    one = case()
    connection = engine.raw_connection()
    cursor = connection.cursor()
    cursor.execute("PRAGMA secure_delete = OFF")
    cursor.execute("UPDATE cases SET sealed = x'' WHERE id = ?", (one,))
    cursor.close()
    connection.close()
    erasure.empty_log(engine)
    assert MARKER in decrypted(database, key)


def test_somebody_who_reads_keeps_the_log_and_the_next_run_empties_it(
    engine: Engine, case: Callable[..., str], database: Path, key: DatabaseKey, monkeypatch: pytest.MonkeyPatch,
) -> None:
    import kiosk.store.database

    monkeypatch.setattr(kiosk.store.database, "BUSY_S", 0)
    engine.dispose()
    acknowledge(engine, case(), "safe", NOW, safe_at=NOW)
    reader = dbapi2.connect(str(database))
    reader.isolation_level = None
    reader.execute(f"PRAGMA key = \"x'{key.hex}'\"")
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM cases").fetchone()
    done = run(engine, NOW + DAY)
    assert done.counts["sealed"] == 1 and not done.log_emptied
    reader.execute("COMMIT")
    reader.close()
    assert run(engine, NOW + DAY).log_emptied
    assert MARKER not in decrypted(database, key)
