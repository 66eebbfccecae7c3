"""Device states in the database: written on a change and only then, readable by every other process."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from kiosk.domain.status import DeviceKind, DeviceState, DeviceStatus
from kiosk.store.database import open_database
from kiosk.store.device_states import DeviceStates
from kiosk.store.key import DatabaseKey

START = dt.datetime(2026, 11, 24, 1, 0, tzinfo=dt.UTC)
PRINTER, READER = DeviceKind.PRINTER, DeviceKind.IDCARD


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> dt.datetime:
        return self.now

    def pass_by(self, **time: float) -> dt.datetime:
        self.now += dt.timedelta(**time)
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def states(engine: Engine, clock: Clock) -> DeviceStates:
    return DeviceStates(engine, clock)


@pytest.fixture
def writes(engine: Engine) -> list[str]:
    """Every transaction that takes the write lock."""
    seen: list[str] = []

    @event.listens_for(engine, "before_cursor_execute")
    def _seen(connection, cursor, statement, parameters, context, many) -> None:  # type: ignore[no-untyped-def]
        if statement.split()[0] in ("INSERT", "UPDATE", "DELETE"):
            seen.append(statement.split()[0])

    return seen


def status(state: DeviceState, reason: str = "", kind: DeviceKind = PRINTER, minute: int = 0) -> DeviceStatus:
    return DeviceStatus(kind, state, reason, START + dt.timedelta(minutes=minute))


def test_nothing_before_the_first_start(states: DeviceStates) -> None:
    assert (states.all(), states.alive()) == ([], None)


def test_what_is_put_is_read_by_another_process(states: DeviceStates, database: Path, key: DatabaseKey) -> None:
    states.begin([PRINTER, READER])
    states.put(status(DeviceState.OFFLINE, "paper_out", minute=3))
    other = open_database(database, key)
    assert DeviceStates(other, lambda: START).all() == [
        DeviceStatus(READER, DeviceState.UNKNOWN, "", START), status(DeviceState.OFFLINE, "paper_out", minute=3),
    ]
    other.dispose()


def test_only_a_change_is_written(states: DeviceStates, writes: list[str]) -> None:
    states.put(status(DeviceState.READY))
    before = len(writes)
    for minute in range(1, 5):
        states.put(status(DeviceState.READY, minute=minute))
    assert len(writes) == before
    assert states.all() == [status(DeviceState.READY)]  # since the first time
    states.put(status(DeviceState.OFFLINE, "mute", minute=6))
    states.put(status(DeviceState.OFFLINE, "no_port", minute=7))
    assert states.all() == [status(DeviceState.OFFLINE, "no_port", minute=7)]


@pytest.mark.parametrize("kept", [status(DeviceState.READY), status(DeviceState.DEGRADED, "paper_low")])
def test_a_working_device_does_not_flicker(states: DeviceStates, kept: DeviceStatus, writes: list[str]) -> None:
    states.put(kept)
    before = len(writes)
    for minute in (1, 3):
        states.put(status(DeviceState.BUSY, minute=minute))
        states.put(status(DeviceState.BUSY, "paper_out", minute=minute))  # stands still in the middle of a slip
        states.put(DeviceStatus(PRINTER, kept.state, kept.reason, START + dt.timedelta(minutes=minute + 1)))
    assert (states.all(), len(writes)) == ([kept], before)


@pytest.mark.parametrize("lost", [status(DeviceState.OFFLINE, "mute"), status(DeviceState.UNKNOWN)])
def test_who_works_is_no_longer_lost(states: DeviceStates, lost: DeviceStatus) -> None:
    states.put(lost)
    states.put(status(DeviceState.BUSY, "paper_out", minute=2))
    assert states.all() == [status(DeviceState.READY, minute=2)]


def test_a_start_knows_nothing_and_forgets_devices_no_longer_fitted(states: DeviceStates, clock: Clock) -> None:
    states.begin([PRINTER, READER])
    states.put(status(DeviceState.READY))
    states.put(status(DeviceState.OFFLINE, "mute", READER))
    later = clock.pass_by(hours=2)
    states.begin([PRINTER, DeviceKind.CAMERA])
    assert states.all() == [
        DeviceStatus(DeviceKind.CAMERA, DeviceState.UNKNOWN, "", later), DeviceStatus(PRINTER, DeviceState.UNKNOWN, "", later),
    ]
    assert states.alive() == later


@pytest.mark.parametrize("reason", ["张测试", "999901195001010026 x", "GS r", "a" * 41, "paper-out", "mute\n"])
def test_what_is_no_code_is_not_kept(states: DeviceStates, reason: str) -> None:
    states.put(status(DeviceState.OFFLINE, reason))
    assert states.all()[0].reason == "unnamed"


def test_without_its_own_time_the_clock_says_since_when(states: DeviceStates) -> None:
    states.put(DeviceStatus(PRINTER, DeviceState.OFFLINE, "mute"))
    assert states.all() == [status(DeviceState.OFFLINE, "mute")]


def test_a_kind_of_another_version_is_passed_over(states: DeviceStates, engine: Engine) -> None:
    states.put(status(DeviceState.READY))
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO device VALUES ('palm', 'ready', '', '2026-11-24', '2026-11-24')")
    assert states.all() == [status(DeviceState.READY)]


def test_alive_is_written_once_a_minute(states: DeviceStates, clock: Clock, writes: list[str]) -> None:
    states.touch()
    before = len(writes)
    for _ in range(5):
        clock.pass_by(seconds=10)
        states.touch()
    assert (states.alive(), len(writes)) == (START, before)
    later = clock.pass_by(seconds=10)
    states.touch()
    assert states.alive() == later


def test_a_clock_set_back_is_written_at_once(states: DeviceStates, clock: Clock) -> None:
    states.touch()
    earlier = clock.pass_by(days=-400)
    states.touch()
    assert states.alive() == earlier
