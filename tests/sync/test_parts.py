"""Large cases in pieces: sealed in one transaction, sent piece by piece, each believed only by its own receipt."""

from __future__ import annotations

import datetime as dt
import os
import threading
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from office_stub import NOW, OfficeStub, make_draft
from slow_line import SlowLine
from sqlalchemy import Engine
from test_delivery import UNPROVEN, Clock

from kiosk.config import SyncConfig
from kiosk.domain.case import CaseReceipt
from kiosk.store.cases import CaseStore
from kiosk.store.outbox import Outbox, count
from kiosk.store.waiting import waiting_cases
from kiosk.sync import sealer as sealing
from kiosk.sync.delivery import Delivery
from kiosk.sync.gate import Gate
from kiosk.sync.identity import Identity
from kiosk.sync.link import OfficeLink
from kiosk.sync.sealer import EnvelopeSealer
from kiosk.sync.wire import http
from kiosk.sync.wire.envelope import digest, parse_header

PART = 16 * 1024
PHOTO = os.urandom(50_000)  # in base64 and with the rest: five pieces
_NOT_OF_PIECES = ("stall", "drip", "cut_in_the_answer", "refusal_as_receipt")
FATES = [*(fate for fate in UNPROVEN if fate not in _NOT_OF_PIECES), "receipt_of_the_case"]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("kiosk.sync.gate.monotonic", clock.monotonic)
    monkeypatch.setattr("kiosk.store.outbox.random.uniform", lambda low, high: high)
    return clock


@pytest.fixture
def delivery(engine: Engine, identity: Identity, clock: Clock) -> Iterator[Delivery]:
    with OfficeLink(identity.office_url, connect_s=5.0, total_s=5.0) as link:
        yield Delivery(Outbox(engine, 30.0, 30.0), link, identity, Gate(1.0, 25.0), clock)


@pytest.fixture
def one_pass(delivery: Delivery, clock: Clock) -> Callable[[], None]:
    def one_pass() -> None:
        clock.advance(60)
        delivery.run_pass(threading.Event())

    return one_pass


@pytest.fixture
def large(engine: Engine, identity: Identity) -> Callable[..., str]:
    """Hands in a case of five pieces; its id."""
    def large(repeat: int = 0, photo: bytes = PHOTO, part_bytes: int = PART) -> str:
        sealer = EnvelopeSealer(engine, simulated=True, part_bytes=part_bytes)
        receipt = CaseStore(engine, 0).submit(make_draft(repeat, (photo,)), sealer, NOW)
        assert isinstance(receipt, CaseReceipt)
        return receipt.case_id

    return large


def row(engine: Engine, sql: str) -> tuple[object, ...]:
    with engine.connect() as connection:
        return tuple(connection.exec_driver_sql(sql).one())


# ------------------------------------------------------------------------------- handing in


def test_pieces_and_envelope_stand_together(engine: Engine, large: Callable[..., str]) -> None:
    large()
    with engine.connect() as connection:
        sealed, digest_ = connection.exec_driver_sql("SELECT sealed, digest FROM cases").one()
        pieces = connection.exec_driver_sql("SELECT sha256, body, delivered FROM part ORDER BY position").all()
    assert [len(body) for _, body, _ in pieces[:-1]] == [PART] * 4 and 0 < len(pieces[-1][1]) <= PART
    assert tuple(sha256 for sha256, _, _ in pieces) == parse_header(sealed).parts
    assert digest(sealed) == digest_ and all(delivered is None for _, _, delivered in pieces)
    assert len(sealed) == 4 + int.from_bytes(sealed[:4], "big") and b"50000" not in sealed


def test_exactly_at_the_limit_and_one_byte_more(
    engine: Engine, identity: Identity, large: Callable[..., str], monkeypatch: pytest.MonkeyPatch,
) -> None:
    for repeat, (size, parts) in enumerate([(PART - 48, 0), (PART - 47, 2)]):
        monkeypatch.setattr(sealing.EnvelopeSealer, "_body", lambda *_, size=size: bytes(size))
        large(repeat)
        with engine.connect() as connection:
            newest = connection.exec_driver_sql("SELECT sealed FROM cases ORDER BY case_number DESC LIMIT 1").scalar_one()
        assert len(parse_header(newest).parts) == parts


def test_a_failure_in_the_middle_leaves_nothing(engine: Engine, identity: Identity) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER no_room BEFORE INSERT ON part WHEN NEW.position = 3 BEGIN SELECT RAISE(FAIL, 'x'); END")
    sealer = EnvelopeSealer(engine, simulated=True, part_bytes=PART)
    failed = CaseStore(engine, 0).submit(make_draft(0, (PHOTO,)), sealer, NOW)
    assert not isinstance(failed, CaseReceipt)
    counts = "SELECT (SELECT count(*) FROM cases), (SELECT count(*) FROM part), (SELECT count(*) FROM outbox)"
    assert row(engine, counts) == (0, 0, 0)


# ------------------------------------------------------------------------------- delivering


def test_pieces_first_then_the_case(
    office: OfficeStub, engine: Engine, large: Callable[..., str], one_pass: Callable[[], None],
) -> None:
    case_id = large()
    one_pass()
    assert office.asked == [case_id] and list(office.pieces) == list(parse_header(office.stored[case_id]).parts)
    assert office.opened(case_id).attempts[0].photos == (PHOTO,)
    assert count(engine).delivered == 1
    one_pass()
    assert (len(office.pieces_asked), len(office.asked)) == (5, 1)


@pytest.mark.parametrize(("at", "fate"), [*((2, fate) for fate in FATES), (0, "portal"), (4, "portal")])
def test_what_is_not_signed_for_this_piece_proves_nothing(
    at: int, fate: str, office: OfficeStub, engine: Engine, large: Callable[..., str], one_pass: Callable[[], None],
) -> None:
    case_id = large()
    office.piece_fates.extend(["good"] * at + [fate])
    one_pass()
    assert office.asked == [] and count(engine).unsent == 1
    assert count(engine).last_error == UNPROVEN.get(fate, "unsigned_201")
    (waiting,) = waiting_cases(engine, NOW)
    assert (waiting.pieces_done, waiting.pieces, waiting.attempts) == (at, 5, 1)
    one_pass()
    assert office.asked == [case_id] and len(office.pieces_asked) == 6  # one of them twice, no other
    assert office.opened(case_id).attempts[0].photos == (PHOTO,)


def test_no_connection_costs_no_attempt(
    office: OfficeStub, engine: Engine, large: Callable[..., str], one_pass: Callable[[], None],
) -> None:
    large()
    office.close()
    one_pass()
    assert row(engine, "SELECT attempts, last_error, state FROM outbox") == (0, "ConnectError", "pending")


def test_a_busy_office_is_left_alone(
    office: OfficeStub, engine: Engine, large: Callable[..., str], one_pass: Callable[[], None], delivery: Delivery,
) -> None:
    large()
    office.piece_fates.extend(["good", "busy"])
    one_pass()
    assert len(office.pieces_asked) == 2
    assert row(engine, "SELECT attempts, last_error FROM outbox") == (0, "busy")


def test_a_refused_piece_parks_its_case_and_no_other(
    office: OfficeStub, engine: Engine, large: Callable[..., str], one_pass: Callable[[], None],
) -> None:
    large()
    second = large(repeat=1)
    office.piece_fates.append("invalid")
    one_pass()
    assert (count(engine).dead, count(engine).delivered) == (1, 1) and office.asked == [second]
    Outbox(engine, 1, 60).requeue_dead(NOW)
    one_pass()
    assert count(engine).delivered == 2


def test_a_damaged_piece_is_never_sent(
    office: OfficeStub, engine: Engine, large: Callable[..., str], one_pass: Callable[[], None],
) -> None:
    large()
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE part SET body = x'00' WHERE position = 1")
    one_pass()
    assert (count(engine).unsent, count(engine).dead, office.asked) == (1, 0, [])
    (waiting,) = waiting_cases(engine, NOW)
    assert (waiting.state, waiting.last_error, waiting.pieces_done) == ("pending", "damaged_here", 1)


def test_a_refused_terminal_stops_without_blaming_the_case(
    office: OfficeStub, engine: Engine, large: Callable[..., str], one_pass: Callable[[], None], delivery: Delivery,
) -> None:
    large()
    office.piece_fates.append("device")
    one_pass()
    assert (delivery.alarm, count(engine).unsent) == ("device_refused", 1)
    one_pass()
    assert (delivery.alarm, count(engine).delivered) == (None, 1)


def test_poisoned_pieces_hold_nobody_up(
    office: OfficeStub, engine: Engine, large: Callable[..., str], one_pass: Callable[[], None],
) -> None:
    large()
    others = [large(repeat, photo=b"\xff\xd8small") for repeat in range(1, 5)]
    office.piece_fates.append("broken")
    one_pass()
    assert office.asked == others


def test_stopping_between_two_pieces_loses_nothing(
    office: OfficeStub, engine: Engine, large: Callable[..., str], delivery: Delivery, clock: Clock, one_pass: Callable[[], None],
) -> None:
    large()
    clock.advance(60)
    stop, done = threading.Event(), Outbox.piece_delivered

    class Stopping(Outbox):
        def piece_delivered(self, sha256: str, now: dt.datetime) -> None:
            done(self, sha256, now)
            stop.set()

    delivery._outbox = Stopping(engine, 30, 30)
    delivery.run_pass(stop)
    assert len(office.pieces_asked) == 1 and row(engine, "SELECT attempts, last_error FROM outbox") == (0, "stopped")
    delivery._outbox = Outbox(engine, 30, 30)
    one_pass()
    assert len(office.pieces_asked) == 5 and count(engine).delivered == 1


def test_a_restored_office_gets_back_the_pieces_it_lost(
    office: OfficeStub, engine: Engine, large: Callable[..., str], one_pass: Callable[[], None],
) -> None:
    case_id = large()
    office.fates.append("lost_answer")
    one_pass()
    lost = list(office.pieces)[1:3]
    for sha256 in lost:
        del office.pieces[sha256]
    one_pass()
    assert (count(engine).unsent, count(engine).last_error) == (1, "pieces_missing")
    one_pass()
    assert office.pieces_asked[5:] == lost and count(engine).delivered == 1
    assert office.opened(case_id).attempts[0].photos == (PHOTO,)


def test_pieces_of_nobody_named_missing_change_nothing(engine: Engine, large: Callable[..., str]) -> None:
    case_id = large()
    outbox = Outbox(engine, 1, 60)
    assert outbox.pieces_lost(case_id, {"ab" * 32, "x"}) == 0
    other = large(repeat=1)
    piece = outbox.next_piece(other)
    assert piece is not None and outbox.pieces_lost(case_id, {piece.sha256}) == 0


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.sampled_from(["good", "portal", "lost_answer", "cut", "broken", "receipt_of_other_bytes"]), max_size=14),
    st.lists(st.sampled_from(["portal", "lost_answer", "cut"]), max_size=2),
)
def test_whatever_the_line_does_it_arrives_once_and_few_pieces_twice(
    office: OfficeStub, engine: Engine, large: Callable[..., str], one_pass: Callable[[], None], fates: list[str],
    of_the_case: list[str],
) -> None:
    office.piece_fates.clear()
    office.pieces_asked.clear()
    case_id = large(repeat=int(row(engine, "SELECT count(*) FROM cases")[0]))
    office.piece_fates.extend(fates)
    office.fates.extend(of_the_case)
    bad = sum(fate != "good" for fate in fates)
    for _ in range(bad + 3):
        one_pass()
    assert count(engine).unsent == 0 and office.opened(case_id).attempts[0].photos == (PHOTO,)
    assert len(office.pieces_asked) <= 5 + bad


# ------------------------------------------------------------------------------- slow lines


def test_a_slow_line_carries_in_pieces_what_it_cannot_carry_whole(
    office: OfficeStub, engine: Engine, identity: Identity, large: Callable[..., str],
) -> None:
    """64 kbit/s against 60 s, scaled: the whole case needs twice the limit of one exchange, a piece a tenth of it."""
    photo, limit_s = os.urandom(690_000), 1.0
    with SlowLine(office.port, bytes_per_s=460_000) as line, OfficeLink(f"http://127.0.0.1:{line.port}", 5.0, limit_s) as link:
        delivery = Delivery(Outbox(engine, 1e-6, 1e-6), link, identity, Gate(1e-6, 1e-6), lambda: dt.datetime.now(dt.UTC))
        case_id = large(photo=photo, part_bytes=http.ENVELOPE_BYTES_MAX)
        one_try = Outbox(engine, 60, 60)
        Delivery(one_try, link, identity, Gate(1, 1), lambda: dt.datetime.now(dt.UTC)).run_pass(threading.Event())
        assert (count(engine).delivered, count(engine).last_error) == (0, "timeout")  # the control
        with engine.begin() as connection:
            connection.exec_driver_sql("UPDATE outbox SET state = 'dead'")
        case_id = large(1, photo, 40_000)
        while count(engine).unsent:
            delivery.run_pass(threading.Event())
    assert count(engine).delivered == 1 and office.opened(case_id).attempts[0].photos == (photo,)


def test_a_piece_passes_the_slowest_line_within_one_exchange() -> None:
    seconds = http.PART_BYTES_MAX * 8 / 64_000
    assert seconds < SyncConfig().total_timeout_s * 0.6
    assert SyncConfig().part_kb * 1024 <= http.PART_BYTES_MAX
    assert SyncConfig().total_timeout_s < http.ENVELOPE_BYTES_MAX * 8 / 64_000  # why there are pieces at all
