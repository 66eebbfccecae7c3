"""The sync process as it runs: a real process, killed and started again, one at a time, and an honest light."""

from __future__ import annotations

import dataclasses
import datetime as dt
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from office_stub import NOW, OfficeStub, make_draft
from sqlalchemy import Engine

from kiosk.config import KioskConfig, Mode, StoreConfig, SyncConfig
from kiosk.domain.case import CaseReceipt
from kiosk.domain.status import DeviceKind, DeviceState, DeviceStatus
from kiosk.store.cases import CaseStore
from kiosk.store.device_states import DeviceStates
from kiosk.store.outbox import Outbox, count
from kiosk.sync.enrol import enrol
from kiosk.sync.heartbeat import HeartbeatJob
from kiosk.sync.identity import Identity
from kiosk.sync.sealer import EnvelopeSealer
from kiosk.sync.service import AlreadyRunning, _again_and_again, _jobs, once, status
from kiosk.sync.status import note_pull, note_upload, read_status
from kiosk.sync.wire.models import RosterEntryBody, RosterPull

HandIn = Callable[[int], list[str]]
CHILD = """
import json, signal, sys, threading
from kiosk.config import KioskConfig
from kiosk.sync.service import run
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
run(KioskConfig.model_validate(json.loads(sys.argv[1])), stop)
"""
PAGE = RosterPull(
    after=0, version=3, replace=True, more=False,
    entries=(RosterEntryBody(number="999901194012310018", name="李样例", category="居保", next_due=None),),
)


@pytest.fixture
def config(database: Path, key_file: Path) -> KioskConfig:
    return KioskConfig(
        mode=Mode.DEMO, store=StoreConfig(path=database, key_file=key_file),
        sync=SyncConfig(poll_s=0.05, pull_s=0.2, backoff_base_s=0.01, backoff_cap_s=0.2, connect_timeout_s=1, total_timeout_s=1),
    )


@pytest.fixture
def start(config: KioskConfig) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    children: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        child = subprocess.Popen([sys.executable, "-W", "error", "-c", CHILD, config.model_dump_json()], stderr=subprocess.PIPE)
        children.append(child)
        return child

    yield start
    for child in children:
        child.kill()
        child.communicate()


def until(true: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)


def test_a_process_delivers_pulls_and_stops_on_sigterm(
    office: OfficeStub, engine: Engine, hand_in: HandIn, start: Callable[[], subprocess.Popen[bytes]],
) -> None:
    ids = hand_in(3)
    office.pages.append(PAGE)
    child = start()
    until(lambda: count(engine).delivered == 3 and status(engine).roster_version == 3)
    CaseStore(engine, 0).submit(make_draft(repeat=3), EnvelopeSealer(engine, simulated=True), NOW)
    until(lambda: count(engine).delivered == 4)
    until(lambda: status(engine).green)
    assert list(office.stored)[:3] == ids
    child.send_signal(signal.SIGTERM)
    assert child.communicate(timeout=20)[1] == b""
    assert child.returncode == 0


def test_a_process_started_before_enrolment_begins_by_itself(
    office: OfficeStub, engine: Engine, start: Callable[[], subprocess.Popen[bytes]],
) -> None:
    child = start()
    assert isinstance(enrol(engine, office.code, "bench", 2, 2), Identity)
    office.pages.append(PAGE)
    receipt = CaseStore(engine, 0).submit(make_draft(), EnvelopeSealer(engine, simulated=True), NOW)
    assert isinstance(receipt, CaseReceipt)
    until(lambda: CaseStore(engine, 0).is_delivered(receipt.case_id) and status(engine).roster_version == 3)
    assert child.poll() is None


def test_killed_again_and_again_every_case_arrives_exactly_once(
    office: OfficeStub, engine: Engine, hand_in: HandIn, start: Callable[[], subprocess.Popen[bytes]],
) -> None:
    ids = hand_in(30)
    office.fates.extend(["lost_answer", "good", "cut_in_the_answer", "portal", "broken", "cut", "good"] * 8)
    for killed_after in (1, 8, 16, 24):
        child = start()
        until(lambda: len(office.asked) >= killed_after)  # noqa: B023
        os.kill(child.pid, signal.SIGKILL)
        child.wait(20)
    start()
    until(lambda: count(engine).delivered == 30)
    assert count(engine).unsent == count(engine).dead == 0
    with engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT id, sealed FROM cases").all()
    assert office.stored == {case_id: sealed for case_id, sealed in rows}
    assert sorted(office.stored) == sorted(ids)


def test_pulls_that_fail_hold_no_upload_up(
    office: OfficeStub, engine: Engine, hand_in: HandIn, start: Callable[[], subprocess.Popen[bytes]],
) -> None:
    hand_in(5)
    office.pull_fate = "broken"
    start()
    until(lambda: count(engine).delivered == 5 and status(engine).pull_trouble == "http_500")
    assert not [one for one in office.asked if office.asked.count(one) > 1]


@pytest.mark.parametrize("fate", ["broken", "stall"])
def test_heartbeats_that_fail_hold_nothing_up(
    office: OfficeStub, engine: Engine, hand_in: HandIn, start: Callable[[], subprocess.Popen[bytes]], fate: str,
) -> None:
    office.heartbeat_fate = fate
    child = start()
    until(lambda: bool(office.heartbeats))
    hand_in(5)
    office.pages.append(PAGE)
    until(lambda: count(engine).delivered == 5 and status(engine).roster_version == 3)
    until(lambda: status(engine).heartbeat_trouble == {"broken": "http_500", "stall": "timeout"}[fate])
    child.send_signal(signal.SIGTERM)
    assert child.communicate(timeout=20)[1] == b""


def test_a_bug_ends_no_heartbeats(
    engine: Engine, config: KioskConfig, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
) -> None:
    stop, turns = threading.Event(), []

    def run(job: HeartbeatJob) -> None:
        turns.append(job)
        if len(turns) == 2:
            stop.set()
        raise ValueError

    monkeypatch.setattr(HeartbeatJob, "run", run)
    _again_and_again("heartbeat", _jobs(engine, config)["heartbeat"], stop)
    assert [record.getMessage() for record in caplog.records] == ["the heartbeat failed: ValueError"] * 2


def test_a_changed_device_is_told_long_before_the_next_heartbeat_is_due(
    office: OfficeStub, identity: Identity, engine: Engine, start: Callable[[], subprocess.Popen[bytes]], config: KioskConfig,
) -> None:
    states = DeviceStates(engine, lambda: dt.datetime.now(dt.UTC))
    states.begin([DeviceKind.PRINTER])
    start()
    until(lambda: len(office.heartbeats) == 1)
    states.put(DeviceStatus(DeviceKind.PRINTER, DeviceState.OFFLINE, "paper_out"))
    until(lambda: [device.reason for told in office.heartbeats for device in told.devices] == ["", "paper_out"])
    assert config.sync.heartbeat_s == 60


def test_only_one_process_delivers(
    office: OfficeStub, identity: Identity, start: Callable[[], subprocess.Popen[bytes]], config: KioskConfig, database: Path,
) -> None:
    start()
    until(lambda: _locked(database))
    with pytest.raises(AlreadyRunning):
        once(config)
    second = start()
    _, error = second.communicate(timeout=20)
    assert second.returncode == 1 and b"AlreadyRunning" in error


def _locked(database: Path) -> bool:
    with database.with_name("terminal.db.sync.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def test_once(office: OfficeStub, hand_in: HandIn, config: KioskConfig) -> None:
    hand_in(2)
    office.pages.append(PAGE)
    now = once(config)
    assert (now.terminal_id, now.delivered, now.unsent, now.roster_size, now.green) == ("HG07", 2, 0, 1, True)
    assert json.loads(json.dumps(dataclasses.asdict(now)))["roster_version"] == 3


def test_once_before_enrolment_does_nothing(config: KioskConfig) -> None:
    now = once(config)
    assert (now.terminal_id, now.green, now.last_contact) == (None, False, None)


# ------------------------------------------------------------------------------- the light


def test_the_light(engine: Engine, hand_in: HandIn) -> None:
    outbox = Outbox(engine, 1, 60)
    assert not read_status(engine, NOW).green  # nothing unsent, but the office was never heard
    (case_id,) = hand_in(1)
    note_upload(engine, NOW, None)
    waiting = read_status(engine, NOW + dt.timedelta(hours=1))
    assert (waiting.green, waiting.unsent, waiting.oldest_unsent_s) == (False, 1, 3600.0)
    outbox.dead(case_id, "conflict", b"", "", NOW)
    assert not read_status(engine, NOW).green
    outbox.acked(case_id, "held", b"", "", NOW)
    assert not read_status(engine, NOW).green
    outbox.acked(case_id, "committed", b"", "", NOW)
    assert read_status(engine, NOW).green
    assert read_status(engine, NOW + dt.timedelta(hours=23)).green
    assert not read_status(engine, NOW + dt.timedelta(hours=25)).green


def test_notes(engine: Engine) -> None:
    note_upload(engine, NOW, "portal")
    note_pull(engine, None, "http_500")
    told = read_status(engine, NOW)
    assert (told.alarm, told.pull_trouble, told.last_contact) == ("portal", "http_500", NOW.isoformat())
    note_upload(engine, None, None)
    note_pull(engine, NOW + dt.timedelta(seconds=5), None)
    told = read_status(engine, NOW)
    assert (told.alarm, told.pull_trouble, told.last_contact) == (None, None, NOW.isoformat())
    note_pull(engine, NOW - dt.timedelta(days=1), None)  # a clock set back must not keep the light green by an old note
    assert read_status(engine, NOW).last_contact == (NOW - dt.timedelta(days=1)).isoformat()
