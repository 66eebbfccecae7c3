"""Delivery against an office that misbehaves in every known way: only signed words count, each case arrives once."""

from __future__ import annotations

import datetime as dt
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from office_stub import OfficeStub
from sqlalchemy import Engine

from kiosk.store.cases import CaseStore
from kiosk.store.damage import suspect_file
from kiosk.store.outbox import Outbox, count
from kiosk.sync.delivery import Delivery
from kiosk.sync.gate import Gate
from kiosk.sync.identity import Identity, Stored, take_identity
from kiosk.sync.link import Answer, LinkDown, NoAnswer, OfficeLink

HandIn = Callable[[int], list[str]]
Pass = Callable[[], None]
UNPROVEN = {
    "portal": "unsigned_200", "unsigned_receipt": "unsigned_201", "strangers_receipt": "unsigned_201",
    "receipt_of_another_case": "unsigned_201", "receipt_of_other_bytes": "unsigned_201", "refusal_as_receipt": "unsigned_201",
    "signed_nonsense": "unsigned_201", "redirect": "http_307", "unsigned_403": "http_403", "unsigned_404": "http_404",
    "unsigned_409": "http_409", "unsigned_413": "http_413", "refusal_of_another_case": "http_409", "broken": "http_500",
    "endless": "answer_too_long", "stall": "timeout", "drip": "timeout", "cut": "RemoteProtocolError",
    "cut_in_the_answer": "RemoteProtocolError", "lost_answer": "RemoteProtocolError",
}


class Clock:
    """Wall clock and monotonic clock, moved on by the test alone."""

    def __init__(self) -> None:
        self.now = dt.datetime(2026, 11, 23, 2, tzinfo=dt.UTC)
        self.seconds = 0.0

    def __call__(self) -> dt.datetime:
        return self.now

    def monotonic(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        self.now += dt.timedelta(seconds=seconds)
        self.seconds += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("kiosk.sync.gate.monotonic", clock.monotonic)
    return clock


@pytest.fixture
def gate(clock: Clock) -> Gate:
    return Gate(base_s=1.0, cap_s=25.0)


@pytest.fixture
def delivery(engine: Engine, identity: Identity, gate: Gate, clock: Clock) -> Iterator[Delivery]:
    with OfficeLink(identity.office_url, connect_s=1.0, total_s=1.0) as link:
        yield Delivery(Outbox(engine, 30.0, 30.0), link, identity, gate, clock)


@pytest.fixture
def one_pass(delivery: Delivery, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Pass:
    """One try of every row that is due, a minute after the last pass: every back-off and the gate are over then."""
    monkeypatch.setattr("kiosk.store.outbox.random.uniform", lambda low, high: high)

    def one_pass() -> None:
        clock.advance(60)
        delivery.run_pass(threading.Event())

    return one_pass


def attempts(engine: Engine, case_id: str) -> int:
    with engine.connect() as connection:
        found: int = connection.exec_driver_sql("SELECT attempts FROM outbox WHERE case_id = ?", (case_id,)).scalar_one()
        return found


def alarm(delivery: Delivery) -> str | None:
    return delivery.alarm


def test_good_weather(office: OfficeStub, engine: Engine, hand_in: HandIn, one_pass: Pass, delivery: Delivery) -> None:
    ids = hand_in(3)
    assert delivery.last_contact is None
    one_pass()
    assert office.asked == ids
    assert count(engine).delivered == 3
    assert CaseStore(engine, 0).is_delivered(ids[0])
    assert alarm(delivery) is None and delivery.last_contact is not None
    one_pass()
    assert office.asked == ids


@pytest.mark.parametrize(("fate", "told"), UNPROVEN.items())
def test_whatever_is_not_signed_proves_nothing(
    fate: str, told: str, office: OfficeStub, engine: Engine, hand_in: HandIn, one_pass: Pass,
) -> None:
    (case_id,) = hand_in(1)
    office.fates.append(fate)
    one_pass()
    found = count(engine)
    assert (found.unsent, found.delivered, found.dead) == (1, 0, 0)
    assert found.last_error == told
    assert not CaseStore(engine, 0).is_delivered(case_id)
    one_pass()
    assert office.asked == [case_id, case_id]
    assert list(office.stored) == [case_id]
    assert (count(engine).unsent, count(engine).delivered) == (0, 1)


def test_what_is_not_as_it_was_committed_is_never_sent(
    office: OfficeStub, engine: Engine, hand_in: HandIn, one_pass: Pass, database: Path,
) -> None:
    ids = hand_in(2)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE cases SET sealed = zeroblob(length(sealed)) WHERE id = ?", (ids[0],))
    assert not suspect_file(database).exists()
    one_pass()
    assert office.asked == [ids[1]]
    found = count(engine)
    assert (found.unsent, found.delivered, found.dead, found.last_error) == (1, 1, 0, "damaged_here")
    assert suspect_file(database).exists()


def test_everything_in_a_row_and_still_exactly_once(office: OfficeStub, engine: Engine, hand_in: HandIn, one_pass: Pass) -> None:
    quick = [fate for fate in UNPROVEN if fate not in ("stall", "drip")]
    (case_id,) = hand_in(1)
    office.fates.extend([*quick, "busy", "held", "good"])
    for _ in range(len(quick) + 3):
        one_pass()
    assert not office.fates
    assert list(office.stored) == [case_id]
    assert count(engine).delivered == 1
    with engine.connect() as connection:
        sealed = connection.exec_driver_sql("SELECT sealed FROM cases").scalar_one()
        acknowledged = connection.exec_driver_sql("SELECT count(*) FROM audit WHERE event LIKE '%committed%'").scalar_one()
    assert office.stored[case_id] == sealed
    assert acknowledged == 1


@pytest.mark.parametrize("fate", ["conflict", "invalid"])
def test_a_signed_refusal_parks_the_case(fate: str, office: OfficeStub, engine: Engine, hand_in: HandIn, one_pass: Pass) -> None:
    first, second = hand_in(2)
    office.fate_of[first] = fate
    one_pass()
    one_pass()
    found = count(engine)
    assert (found.dead, found.delivered, found.unsent) == (1, 1, 0)
    assert office.asked == [first, second]


def test_a_refused_terminal_stops_without_blaming_a_case(
    office: OfficeStub, engine: Engine, hand_in: HandIn, one_pass: Pass, delivery: Delivery, gate: Gate,
) -> None:
    ids = hand_in(3)
    office.fates.append("device")
    one_pass()
    assert office.asked == ids[:1]
    assert alarm(delivery) == "device_refused"
    assert not gate.is_open
    assert (count(engine).unsent, count(engine).dead, attempts(engine, ids[0])) == (3, 0, 0)
    one_pass()
    assert (count(engine).delivered, alarm(delivery)) == (3, None)


def test_a_case_of_an_ended_enrolment_never_holds_up_the_present_one(
    office: OfficeStub, engine: Engine, hand_in: HandIn, gate: Gate, clock: Clock,
) -> None:
    (old,) = hand_in(1)
    with engine.begin() as connection:  # enrolled again since, and the old enrolment ended at the office
        stored = Stored.model_validate_json(
            connection.exec_driver_sql("SELECT value FROM setting WHERE name = 'identity'").scalar_one())
    answer = stored.answer.model_copy(update={"epoch": stored.answer.epoch + 1})
    newer = take_identity(engine, stored.model_copy(update={"answer": answer}), "enrolled", "enrolment_asked")
    new = hand_in(3)[1:]  # the first is the old one again
    office.fate_of = {old: "device"}
    clock.advance(60)
    with OfficeLink(newer.office_url, connect_s=1.0, total_s=1.0) as link:
        Delivery(Outbox(engine, 30.0, 30.0), link, newer, gate, clock).run_pass(threading.Event())
    assert office.asked == [old, *new] and gate.is_open
    assert (count(engine).delivered, count(engine).unsent, count(engine).dead) == (2, 1, 0)
    assert count(engine).last_error == "old_enrolment_refused"


@pytest.mark.parametrize("fate", ["busy", "busy_without_time"])
def test_a_busy_office_is_left_alone_for_a_while(
    fate: str, office: OfficeStub, engine: Engine, hand_in: HandIn, one_pass: Pass, gate: Gate,
) -> None:
    ids = hand_in(2)
    office.fates.append(fate)
    one_pass()
    assert office.asked == ids[:1]
    assert not gate.is_open
    assert attempts(engine, ids[0]) == 0


def test_no_connection_closes_the_gate_and_costs_no_attempt(
    office: OfficeStub, engine: Engine, hand_in: HandIn, one_pass: Pass, gate: Gate,
) -> None:
    ids = hand_in(2)
    office.close()
    one_pass()
    assert not gate.is_open
    one_pass()
    assert count(engine).last_error == "ConnectError"
    assert (count(engine).unsent, attempts(engine, ids[0]), attempts(engine, ids[1])) == (2, 0, 0)
    office.open()
    one_pass()
    assert count(engine).delivered == 2


def test_poison_rows_never_block(office: OfficeStub, engine: Engine, hand_in: HandIn, one_pass: Pass) -> None:
    ids = hand_in(12)
    office.fate_of = {ids[0]: "broken", ids[1]: "invalid", ids[2]: "portal", ids[3]: "cut"}
    one_pass()
    found = count(engine)
    assert (found.delivered, found.dead, found.unsent) == (8, 1, 3)
    assert len(office.asked) == 12


def test_a_portal_raises_an_alarm_and_ends(
    office: OfficeStub, engine: Engine, hand_in: HandIn, one_pass: Pass, delivery: Delivery,
) -> None:
    hand_in(3)
    office.fates.extend(["portal", "redirect"])  # and a good answer to the third
    one_pass()
    assert alarm(delivery) is None
    hand_in(5)
    office.fates.extend(["portal", "redirect", "portal", "portal"])
    one_pass()
    assert (alarm(delivery), count(engine).unsent) == ("portal", 4)
    one_pass()
    assert (alarm(delivery), count(engine).unsent) == (None, 0)


def test_a_gateway_that_refuses_everything_kills_no_case(
    office: OfficeStub, engine: Engine, hand_in: HandIn, one_pass: Pass, delivery: Delivery,
) -> None:
    hand_in(10)
    office.fates.extend(["unsigned_403"] * 10)
    one_pass()
    assert alarm(delivery) == "gateway"
    assert (count(engine).unsent, count(engine).dead) == (10, 0)
    one_pass()
    assert (count(engine).delivered, alarm(delivery)) == (10, None)


def test_a_held_case_is_not_delivered_yet(office: OfficeStub, engine: Engine, hand_in: HandIn, one_pass: Pass) -> None:
    (case_id,) = hand_in(1)
    office.fates.append("held")
    one_pass()
    assert (count(engine).held, CaseStore(engine, 0).is_delivered(case_id)) == (1, False)
    one_pass()
    assert (count(engine).held, CaseStore(engine, 0).is_delivered(case_id)) == (0, True)


def test_stopping_between_two_cases(office: OfficeStub, delivery: Delivery, clock: Clock, hand_in: HandIn) -> None:
    hand_in(2)
    clock.advance(60)
    stop = threading.Event()
    stop.set()
    delivery.run_pass(stop)
    assert office.asked == []


# ------------------------------------------------------------------------------- the line itself


def exchange(url: str, total_s: float = 1.0) -> Answer | LinkDown | NoAnswer:
    with OfficeLink(url, 1.0, total_s) as link:
        return link.exchange("GET", "/x", {}, None, 100)


def test_a_name_that_does_not_exist() -> None:
    assert isinstance(exchange("http://office.invalid"), LinkDown)


def test_a_port_nobody_listens_on() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        assert isinstance(exchange(f"http://127.0.0.1:{held.getsockname()[1]}"), LinkDown)


def test_a_certificate_nobody_vouches_for(tmp_path: Path) -> None:
    from tls_stub import serve_self_signed

    with serve_self_signed(tmp_path) as port:
        assert isinstance(exchange(f"https://127.0.0.1:{port}"), LinkDown)


def test_bytes_that_are_no_http() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        def speak() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"SSH-2.0-OpenSSH\r\n")

        thread = threading.Thread(target=speak)
        thread.start()
        assert isinstance(exchange(f"http://127.0.0.1:{server.getsockname()[1]}"), NoAnswer)
        thread.join()


def test_a_peer_that_accepts_and_says_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert isinstance(exchange(f"http://127.0.0.1:{server.getsockname()[1]}", 0.3), NoAnswer)


def test_the_gate_always_opens_by_time(clock: Clock, gate: Gate) -> None:
    for _ in range(100):
        gate.failed()
    gate.hold(1e9)
    assert not gate.is_open
    clock.advance(51)
    assert gate.is_open
