"""The heartbeat as a terminal sends it: what is in it, whose answer counts, when it goes and that it waits for nobody."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from office_stub import OfficeStub
from sqlalchemy import Engine

from kiosk.config import KioskConfig, Mode, StoreConfig, SyncConfig
from kiosk.domain.status import DeviceKind, DeviceState, DeviceStatus
from kiosk.store.device_states import DeviceStates
from kiosk.store.outbox import Outbox
from kiosk.store.roster import Roster
from kiosk.sync.heartbeat import HeartbeatJob, HeartbeatResult, compose, heartbeat_once, send
from kiosk.sync.identity import Identity
from kiosk.sync.link import OfficeLink
from kiosk.sync.service import status
from kiosk.sync.wire.models import COUNT_MAX

HandIn = Callable[[int], list[str]]
SINCE = dt.datetime(2026, 11, 24, 1, 0, 5, 999, tzinfo=dt.UTC)


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@pytest.fixture
def config(database: Path) -> KioskConfig:
    times = SyncConfig(heartbeat_s=3600, connect_timeout_s=2, total_timeout_s=2)
    return KioskConfig(mode=Mode.DEMO, store=StoreConfig(path=database), sync=times)


@pytest.fixture
def link(identity: Identity) -> Iterator[OfficeLink]:
    with OfficeLink(identity.office_url, 2, 2) as link:
        yield link


@pytest.fixture
def say(engine: Engine, identity: Identity, config: KioskConfig, link: OfficeLink) -> Callable[[], HeartbeatResult]:
    return lambda: send(link, identity, compose(engine, identity, config, now))


def test_what_it_says(
    office: OfficeStub, engine: Engine, say: Callable[[], HeartbeatResult], hand_in: HandIn,
) -> None:
    states = DeviceStates(engine, now)
    states.begin([DeviceKind.PRINTER, DeviceKind.IDCARD])
    states.put(DeviceStatus(DeviceKind.PRINTER, DeviceState.OFFLINE, "paper_out", SINCE))
    first, second, _ = hand_in(3)
    outbox = Outbox(engine, 1, 60)
    outbox.dead(first, "conflict", b"", "", now())
    outbox.acked(second, "held", b"", "", now())
    Roster(engine).apply([], [], 0, 7, True)
    assert say() == HeartbeatResult(True, None)
    (told,) = office.heartbeats
    assert (told.kiosk, told.epoch, told.app_version) == ("HG07", 1, "0.1.0")
    assert (told.unsent, told.held, told.dead, told.roster_version) == (1, 1, 1, 7)
    assert abs(told.sent_at - now()) < dt.timedelta(minutes=2)
    assert told.terminal_seen is not None and abs(told.terminal_seen - now()) < dt.timedelta(minutes=2)
    assert told.oldest_unsent_s is not None and told.free_mb is not None and told.free_mb > 0
    idcard, printer = told.devices
    assert (idcard.kind, idcard.state, idcard.reason) == ("idcard", "unknown", "")
    assert (printer.state, printer.reason, printer.since) == ("offline", "paper_out", SINCE.replace(microsecond=0))


def test_a_terminal_that_never_ran(office: OfficeStub, say: Callable[[], HeartbeatResult]) -> None:
    assert say() == HeartbeatResult(True, None)
    assert (office.heartbeats[0].terminal_seen, office.heartbeats[0].devices) == (None, ())


def test_it_is_small_with_every_device_in_trouble(engine: Engine, identity: Identity, config: KioskConfig) -> None:
    states = DeviceStates(engine, now)
    states.begin(DeviceKind)
    for kind in DeviceKind:
        states.put(DeviceStatus(kind, DeviceState.OFFLINE, "self_test_failed", SINCE))
    assert len(compose(engine, identity, config, now).to_json()) < 1280


@pytest.mark.parametrize("years", [-56, 20, 200])
def test_a_mad_clock_breaks_nothing(
    office: OfficeStub, engine: Engine, identity: Identity, config: KioskConfig, link: OfficeLink, hand_in: HandIn, years: int,
) -> None:
    hand_in(1)
    mad = dt.datetime(2026 + years, 1, 1, tzinfo=dt.UTC)
    states = DeviceStates(engine, lambda: mad)
    states.begin([DeviceKind.PRINTER])
    assert send(link, identity, compose(engine, identity, config, lambda: mad)) == HeartbeatResult(True, None)
    assert 0 <= (office.heartbeats[0].oldest_unsent_s or 0) <= COUNT_MAX


@pytest.mark.parametrize(("fate", "result"), [
    ("portal", HeartbeatResult(False, "not_the_office")),
    ("stranger", HeartbeatResult(False, "not_the_office")),
    ("nonsense", HeartbeatResult(False, "not_the_office")),
    ("as_receipt", HeartbeatResult(False, "not_the_office")),
    ("of_another_request", HeartbeatResult(False, "not_the_office")),
    ("unsigned_403", HeartbeatResult(False, "http_403")),
    ("redirect", HeartbeatResult(False, "http_307")),
    ("broken", HeartbeatResult(False, "http_500")),
    ("busy", HeartbeatResult(False, "http_503")),
    ("endless", HeartbeatResult(False, "answer_too_long")),
    ("cut", HeartbeatResult(False, "RemoteProtocolError")),
    ("drip", HeartbeatResult(False, "timeout")),
    ("device", HeartbeatResult(True, "refused_device")),
    ("never_taken", HeartbeatResult(True, "not_taken")),
])
def test_only_the_office_counts(
    office: OfficeStub, say: Callable[[], HeartbeatResult], fate: str, result: HeartbeatResult,
) -> None:
    office.heartbeat_fate = fate
    assert say() == result


def test_an_office_in_doubt_is_answered_at_once(office: OfficeStub, say: Callable[[], HeartbeatResult]) -> None:
    office.heartbeat_fate = "challenging"
    assert say() == HeartbeatResult(True, None)
    assert [told.challenge for told in office.heartbeats] == ["", "c" * 64]


def test_no_connection(office: OfficeStub, engine: Engine, identity: Identity, config: KioskConfig) -> None:
    office.close()
    heartbeat_once(engine, config, now)
    assert (status(engine).heartbeat_trouble, status(engine).last_contact) == ("ConnectError", None)


def test_contact_is_noted(office: OfficeStub, engine: Engine, identity: Identity, config: KioskConfig) -> None:
    office.heartbeat_fate = "portal"
    heartbeat_once(engine, config, now)
    assert (status(engine).heartbeat_trouble, status(engine).green) == ("not_the_office", False)
    office.heartbeat_fate = "good"
    heartbeat_once(engine, config, now)
    assert (status(engine).heartbeat_trouble, status(engine).green) == (None, True)


def test_nothing_is_sent_before_enrolment(engine: Engine, config: KioskConfig) -> None:
    heartbeat_once(engine, config, now)
    assert status(engine).heartbeat_trouble is None


# ------------------------------------------------------------------------------- when


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The job's monotonic clock, in seconds."""
    at = [1000.0]
    monkeypatch.setattr("kiosk.sync.heartbeat.monotonic", lambda: at[0])
    return at


def test_at_once_then_every_so_often(
    office: OfficeStub, engine: Engine, identity: Identity, config: KioskConfig, clock: list[float],
) -> None:
    job = HeartbeatJob(engine, config, now)
    told = []
    for _ in range(10 * 36):
        job.run()
        told.append(len(office.heartbeats))
        clock[0] += 100
    assert told[:30] == [1] * 30
    assert 10 <= told[-1] <= 12


def test_a_change_is_told_soon_but_not_each_flicker(
    office: OfficeStub, engine: Engine, identity: Identity, config: KioskConfig, clock: list[float],
) -> None:
    states, job = DeviceStates(engine, now), HeartbeatJob(engine, config, now)
    states.begin([DeviceKind.PRINTER])
    job.run()
    states.put(DeviceStatus(DeviceKind.PRINTER, DeviceState.READY))
    clock[0] += 4
    job.run()
    assert len(office.heartbeats) == 1
    clock[0] += 2
    job.run()
    assert [told.devices[0].state for told in office.heartbeats] == ["unknown", "ready"]
    for second in range(60):  # a loose contact
        states.put(DeviceStatus(DeviceKind.PRINTER, *((DeviceState.OFFLINE, "line_lost"), (DeviceState.READY, ""))[second % 2]))
        clock[0] += 1
        job.run()
    assert 5 <= len(office.heartbeats) - 2 <= 12


def test_what_failed_waits_for_the_next_turn(
    office: OfficeStub, engine: Engine, identity: Identity, config: KioskConfig, clock: list[float],
) -> None:
    office.heartbeat_fate = "broken"
    states, job = DeviceStates(engine, now), HeartbeatJob(engine, config, now)
    job.run()
    states.put(DeviceStatus(DeviceKind.PRINTER, DeviceState.OFFLINE, "mute"))
    for _ in range(100):
        clock[0] += 10
        job.run()
    assert len(office.heartbeats) == 2
    clock[0] += 3600
    job.run()
    assert len(office.heartbeats) == 3


def test_a_slow_one_ends_in_time(office: OfficeStub, say: Callable[[], HeartbeatResult]) -> None:
    office.heartbeat_fate = "stall"
    began = time.monotonic()
    assert say() == HeartbeatResult(False, "timeout")
    assert time.monotonic() - began < 15
