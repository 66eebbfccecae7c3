"""The way of device states into the database: nobody waits for it, and a store in trouble costs nothing but time."""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from kiosk.domain.status import DeviceKind, DeviceState, DeviceStatus
from kiosk.store.database import open_database
from kiosk.store.device_states import DeviceStates
from kiosk.store.key import DatabaseKey
from kiosk.store.migrate import migrate
from kiosk.terminal.states import StateWriter

KINDS = (DeviceKind.PRINTER, DeviceKind.IDCARD)


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(tmp_path / "terminal.db", DatabaseKey("0f" * 32))
    migrate(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def states(engine: Engine) -> DeviceStates:
    return DeviceStates(engine, now)


@pytest.fixture
def writer(states: DeviceStates) -> Iterator[StateWriter]:
    writer = StateWriter(states, KINDS, retry_s=0.05)
    yield writer
    assert writer.stop(20)


def until(true: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)


def reasons(states: DeviceStates) -> dict[str, str]:
    return {status.kind.value: status.reason for status in states.all()}


def status(reason: str, kind: DeviceKind = DeviceKind.PRINTER) -> DeviceStatus:
    return DeviceStatus(kind, DeviceState.OFFLINE, reason, now())


def test_states_get_written_after_the_start_even_if_reported_before(states: DeviceStates, writer: StateWriter) -> None:
    states.put(status("mute", DeviceKind.A4))  # of an earlier run, no longer fitted
    writer.report(status("paper_out"))
    writer.start()
    until(lambda: reasons(states) == {"printer": "paper_out", "idcard": ""})
    assert states.alive() is not None


def test_the_end_writes_what_waits(states: DeviceStates) -> None:
    writer = StateWriter(states, KINDS)
    writer.start()
    for number in range(50):
        writer.report(status(f"r{number}"))
    writer.report(status("last", DeviceKind.IDCARD))
    assert writer.stop(20)
    assert reasons(states) == {"printer": "r49", "idcard": "last"}


def test_a_locked_store_stops_nobody_and_only_the_newest_word_is_written(
    engine: Engine, states: DeviceStates, writer: StateWriter, monkeypatch: pytest.MonkeyPatch,
) -> None:
    written: list[str] = []
    put = states.put
    monkeypatch.setattr(states, "put", lambda one: (written.append(one.reason), put(one)))
    with engine.connect() as holder:
        holder.begin()  # IMMEDIATE: everybody else waits
        writer.start()
        reporting = threading.Thread(target=lambda: [writer.report(status(f"r{n}")) for n in range(1000)], daemon=True)
        reporting.start()
        reporting.join(20)
        assert not reporting.is_alive(), "a device thread waits for the store"
    until(lambda: reasons(states).get("printer") == "r999")
    assert written == ["r999"]


def test_what_is_reported_during_a_write_is_written_next(
    states: DeviceStates, writer: StateWriter, monkeypatch: pytest.MonkeyPatch,
) -> None:
    writing, go_on = threading.Event(), threading.Event()
    put = states.put

    def slow(one: DeviceStatus) -> None:
        writing.set()
        assert go_on.wait(20)
        put(one)

    monkeypatch.setattr(states, "put", slow)
    writer.start()
    writer.report(status("paper_low"))
    assert writing.wait(20)
    writer.report(status("paper_out"))
    go_on.set()
    until(lambda: reasons(states).get("printer") == "paper_out")


def test_a_failing_store_is_asked_again_and_named_once(
    states: DeviceStates, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
) -> None:
    tries = []
    begin = states.begin

    def full(kinds: Iterable[DeviceKind]) -> None:
        tries.append(kinds)
        if len(tries) < 4:
            raise OperationalError("INSERT 张测试", {}, Exception("disk full 张测试"))
        begin(kinds)

    monkeypatch.setattr(states, "begin", full)
    writer = StateWriter(states, KINDS, retry_s=0.05)
    with caplog.at_level(logging.INFO):
        writer.start()
        writer.report(status("mute"))
        until(lambda: reasons(states) == {"printer": "mute", "idcard": ""})
    assert writer.stop(20)
    assert [record.getMessage() for record in caplog.records] == ["device states: OperationalError"]


def test_a_bug_costs_its_own_status_only(states: DeviceStates, writer: StateWriter, caplog: pytest.LogCaptureFixture) -> None:
    writer.start()
    writer.report(DeviceStatus(DeviceKind.IDCARD, DeviceState.OFFLINE, "mute", dt.datetime(2026, 11, 24)))  # no time zone
    writer.report(status("mute"))
    until(lambda: reasons(states) == {"printer": "mute", "idcard": ""})
    assert [record.getMessage() for record in caplog.records] == ["device states: StatementError"]


def test_touches(states: DeviceStates, writer: StateWriter, monkeypatch: pytest.MonkeyPatch) -> None:
    touched = threading.Event()
    monkeypatch.setattr(states, "touch", touched.set)
    writer.start()
    writer.touch()
    assert touched.wait(20)
