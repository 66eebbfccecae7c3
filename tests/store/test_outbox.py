"""The outbox: who is next, what an attempt costs, and that nothing leaves it without the office's word."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from kiosk.domain.case import CaseReceipt
from kiosk.store.cases import CaseStore
from kiosk.store.outbox import DueCase, Outbox, OutboxCounts, count

BASE, CAP = 1.0, 3600.0
SECOND = dt.timedelta(seconds=1)


@pytest.fixture
def outbox(engine: Engine) -> Outbox:
    return Outbox(engine, BASE, CAP)


@pytest.fixture
def cases(store: CaseStore, sealer: Any, draft: Any, now: dt.datetime) -> list[str]:
    """Ids of three cases, oldest first."""
    receipts = [store.submit(draft(repeat=number), sealer, now + number * SECOND) for number in range(3)]
    return [receipt.case_id for receipt in receipts if isinstance(receipt, CaseReceipt)]


def column(engine: Engine, case_id: str, name: str) -> Any:
    with engine.connect() as connection:
        return connection.scalar(text(f"SELECT {name} FROM outbox WHERE case_id = :id"), {"id": case_id})


def claimed(outbox: Outbox, moment: dt.datetime) -> DueCase:
    case = outbox.claim(moment)
    assert case is not None
    return case


def later(now: dt.datetime) -> dt.datetime:
    """Late enough for every back-off, within the cap."""
    return now + dt.timedelta(seconds=60)


def test_an_empty_outbox(outbox: Outbox, engine: Engine, now: dt.datetime) -> None:
    assert outbox.claim(now) is None
    assert count(engine) == OutboxCounts(0, 0, 0, 0, 0, None, None)


def test_oldest_first_and_exactly_the_committed_bytes(outbox: Outbox, engine: Engine, cases: list[str], now: dt.datetime) -> None:
    case = claimed(outbox, later(now))
    assert case.case_id == cases[0]
    with engine.connect() as connection:
        sealed, digest = connection.execute(text("SELECT sealed, digest FROM cases WHERE id = :id"), {"id": cases[0]}).one()
    assert (case.sealed, case.digest) == (sealed, digest)
    assert "sealed" not in repr(case)


def test_a_claim_is_written_before_the_attempt(outbox: Outbox, engine: Engine, cases: list[str], now: dt.datetime) -> None:
    claimed(outbox, later(now))  # and then the process dies
    assert column(engine, cases[0], "attempts") == 1
    assert column(engine, cases[0], "state") == "pending"


def test_a_row_in_back_off_holds_nobody_up(outbox: Outbox, cases: list[str], now: dt.datetime, monkeypatch: Any) -> None:
    monkeypatch.setattr("random.uniform", lambda low, high: high)
    assert [claimed(outbox, later(now)).case_id for _ in range(3)] == cases
    assert outbox.claim(later(now)) is None
    assert claimed(outbox, later(now) + 2 * SECOND).case_id == cases[0]


def test_back_off_grows_to_the_cap(outbox: Outbox, cases: list[str], now: dt.datetime, monkeypatch: Any) -> None:
    ceilings: list[float] = []

    def shortest(low: float, high: float) -> float:
        ceilings.append(high)
        return low

    monkeypatch.setattr("random.uniform", shortest)
    for _ in range(14):
        assert claimed(outbox, later(now)).case_id == cases[0]
    assert ceilings[:4] == [2, 4, 8, 16]
    assert ceilings[-3:] == [CAP] * 3


def test_a_clock_that_jumped_strands_no_row(outbox: Outbox, engine: Engine, cases: list[str], now: dt.datetime) -> None:
    claimed(outbox, now + dt.timedelta(days=3650))
    for case_id in cases[1:]:
        outbox.dead(case_id, "conflict", b"{}", "00", now)
    assert claimed(outbox, now + dt.timedelta(hours=2)).case_id == cases[0]
    assert claimed(outbox, now - dt.timedelta(days=3650)).case_id == cases[0]


def test_an_acknowledged_case_is_never_sent_again(outbox: Outbox, engine: Engine, cases: list[str], now: dt.datetime) -> None:
    for case_id in cases:
        outbox.acked(case_id, "committed", b"receipt", "5160", now)
    assert outbox.claim(later(now)) is None
    assert count(engine) == OutboxCounts(0, 0, 0, 3, 3, None, None)
    assert (column(engine, cases[0], "answer"), column(engine, cases[0], "answer_signature")) == (b"receipt", "5160")


def test_a_held_case_is_asked_again_until_committed(outbox: Outbox, engine: Engine, cases: list[str], now: dt.datetime) -> None:
    for case_id in cases:
        outbox.acked(case_id, "held", b"{}", "00", now)
    assert count(engine).held == 3
    assert outbox.claim(later(now)) is None
    assert claimed(outbox, now + dt.timedelta(seconds=CAP)).case_id == cases[0]
    outbox.acked(cases[0], "committed", b"{}", "00", now)
    assert count(engine).delivered == 1


def test_a_refused_case_waits_for_staff(outbox: Outbox, engine: Engine, cases: list[str], now: dt.datetime) -> None:
    outbox.dead(cases[0], "conflict", b"refusal", "5160", now)
    assert claimed(outbox, later(now)).case_id == cases[1]
    assert count(engine) == OutboxCounts(2, 0, 1, 0, 0, now + SECOND, None)
    assert outbox.requeue_dead(later(now)) == 1
    assert claimed(outbox, later(now)).case_id == cases[0]
    assert outbox.requeue_dead(later(now)) == 0


def test_a_released_attempt_does_not_count(outbox: Outbox, engine: Engine, cases: list[str], now: dt.datetime) -> None:
    for _ in range(5):
        outbox.release(claimed(outbox, later(now)).case_id, "ConnectError", later(now))
    assert column(engine, cases[0], "attempts") == 0
    assert claimed(outbox, later(now)).case_id == cases[0]


def test_an_unproven_attempt_counts_and_is_told(outbox: Outbox, engine: Engine, cases: list[str], now: dt.datetime) -> None:
    outbox.unproven(claimed(outbox, later(now)).case_id, "x" * 999)
    assert column(engine, cases[0], "attempts") == 1
    found = count(engine)
    assert (found.unsent, found.oldest_unsent, found.last_error) == (3, now, "x" * 300)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["acked", "held", "dead", "unproven", "release"])), max_size=12))
def test_whatever_happens_every_case_stays_and_counts_add_up(
    outbox: Outbox, engine: Engine, cases: list[str], now: dt.datetime, history: list[tuple[int, str]],
) -> None:
    for index, what in history:
        case_id = cases[index]
        match what:
            case "acked":
                outbox.acked(case_id, "committed", b"{}", "00", now)
            case "held":
                outbox.acked(case_id, "held", b"{}", "00", now)
            case "dead":
                outbox.dead(case_id, "conflict", b"{}", "00", now)
            case "unproven":
                outbox.unproven(case_id, "reset")
            case "release":
                outbox.release(case_id, "ConnectError", now)
    found = count(engine)
    assert found.unsent + found.held + found.dead + found.delivered == 3
