"""The whole scanner service on a real pseudo-terminal, against a scanner that misbehaves to order."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kiosk.config import ScannerConfig, ScannerProof
from kiosk.devices.emulated.scanner import ScannerEmulator
from kiosk.devices.scanner.events import Refusal, ScanEvent, ScannedLookup, ScannedToken, ScanRefused
from kiosk.devices.scanner.service import ScannerService, Timing
from kiosk.domain.lookup_code import TokenLookup, make_lookup_code
from kiosk.domain.status import DeviceState, DeviceStatus

TOKEN, OTHER = "9f86d081884c7d659a2feaa0c55ad015", "60303ae22b998861bce3b28f33eec1be"
SLIP = "q3Jt_8s-0aVx5Yb1Nw2RkA"
QUICK = Timing(answer=0.6, heartbeat=0.1, same_code=0.6, babble=0.5, retry=(0.05, 0.1))


class Desk:
    """Listens to the service as the conversation would."""

    def __init__(self, scanner: ScannerEmulator, timing: Timing = QUICK, **settings: object) -> None:
        self.scanner = scanner
        self.events: list[ScanEvent] = []
        self.statuses: list[tuple[DeviceState, str]] = []
        config = ScannerConfig.model_validate({"enabled": True, "port": str(scanner.port.path), "proof": "newland", **settings})
        self.service = ScannerService(config, self._status, self.events.append, timing)

    def _status(self, status: DeviceStatus) -> None:
        self.statuses.append((status.state, status.reason))

    def __enter__(self) -> Desk:
        self.service.start()
        return self

    def __exit__(self, *exception: object) -> None:
        assert self.service.stop()

    def expect(self, *events: ScanEvent) -> None:
        until(lambda: len(self.events) >= len(events))
        time.sleep(0.15)
        assert self.events == list(events)

    def expect_status(self, state: DeviceState, reason: str = "") -> None:
        until(lambda: (self.service.status.state, self.service.status.reason) == (state, reason), lambda: self.service.status)


def until(condition: Callable[[], bool], seen: Callable[[], object] = lambda: "", seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain, {seen()}"
        time.sleep(0.005)


@pytest.fixture
def scanner(tmp_path: Path) -> Iterator[ScannerEmulator]:
    with ScannerEmulator(tmp_path / "scanner") as scanner:
        yield scanner


@pytest.fixture
def desk(scanner: ScannerEmulator) -> Iterator[Desk]:
    with Desk(scanner) as desk:
        desk.expect_status(DeviceState.READY)
        yield desk


# --- the sunny way ---


@pytest.mark.parametrize("suffix", ["\r", "\n", "\r\n", ""])
@pytest.mark.parametrize("aim_id", ["]Q1", ""])
def test_a_token_is_handed_on_as_it_is(desk: Desk, suffix: str, aim_id: str) -> None:
    desk.scanner.suffix, desk.scanner.aim_id = suffix, aim_id
    desk.service.seek()
    desk.scanner.scan(TOKEN)
    desk.expect(ScannedToken(TOKEN))


def test_the_code_of_a_slip_is_known_as_ours(desk: Desk) -> None:
    desk.service.seek()
    desk.scanner.scan(make_lookup_code(SLIP))
    desk.expect(ScannedLookup(TokenLookup(SLIP)))


def test_one_seek_one_code(desk: Desk) -> None:
    desk.service.seek()
    desk.scanner.scan(TOKEN, OTHER)
    desk.expect(ScannedToken(TOKEN))
    desk.service.seek()
    desk.scanner.scan(OTHER)
    desk.expect(ScannedToken(TOKEN), ScannedToken(OTHER))


def test_nothing_is_heard_while_nobody_expects_a_scan(desk: Desk) -> None:
    desk.scanner.scan(TOKEN)
    desk.expect()
    desk.service.seek()
    desk.service.release()
    desk.scanner.scan(OTHER)
    desk.expect()
    desk.service.seek()
    desk.scanner.scan(TOKEN)
    desk.expect(ScannedToken(TOKEN))


def test_a_code_held_up_too_early_is_taken_when_it_is_wanted(desk: Desk) -> None:
    desk.scanner.scan(TOKEN)
    desk.expect()
    desk.service.seek()
    desk.scanner.scan(TOKEN)
    desk.expect(ScannedToken(TOKEN))


def test_a_code_held_on_is_not_the_next_persons(scanner: ScannerEmulator) -> None:
    with Desk(scanner, replace(QUICK, same_code=1.5)) as desk:
        desk.expect_status(DeviceState.READY)
        desk.service.seek()
        scanner.scan(TOKEN)
        desk.expect(ScannedToken(TOKEN))
        desk.service.seek()
        for _ in range(8):  # for longer than `same_code`, without a break
            scanner.scan(TOKEN)
            time.sleep(0.25)
        desk.expect(ScannedToken(TOKEN))
        time.sleep(1.6)
        scanner.scan(TOKEN)
        desk.expect(ScannedToken(TOKEN), ScannedToken(TOKEN))


# --- codes that are none ---


def test_a_foreign_code_is_refused_once_and_the_search_goes_on(desk: Desk) -> None:
    desk.service.seek()
    desk.scanner.scan("6901234567892")
    desk.expect(ScanRefused(Refusal.UNKNOWN))
    desk.scanner.scan("6901234567892")
    desk.scanner.scan(TOKEN)
    desk.expect(ScanRefused(Refusal.UNKNOWN), ScannedToken(TOKEN))


def test_600_characters_are_too_many_and_do_no_harm(desk: Desk) -> None:
    desk.service.seek()
    desk.scanner.scan("x" * 600)
    desk.expect(ScanRefused(Refusal.TOO_LONG))
    desk.scanner.scan(TOKEN)
    desk.expect(ScanRefused(Refusal.TOO_LONG), ScannedToken(TOKEN))


def test_glued_codes_are_refused(desk: Desk) -> None:
    desk.scanner.suffix = ""
    desk.service.seek()
    desk.scanner.scan(TOKEN, OTHER)
    desk.expect(ScanRefused(Refusal.GLUED))


def test_noise_around_a_code_is_dropped(desk: Desk) -> None:
    desk.service.seek()
    desk.scanner.noise()
    desk.scanner.scan(TOKEN)
    desk.scanner.noise()
    desk.expect(ScannedToken(TOKEN))


def test_a_flood_of_foreign_codes_is_told_once_in_a_while(scanner: ScannerEmulator) -> None:
    with Desk(scanner, replace(QUICK, same_code=60.0, babble=60.0)) as desk:
        desk.expect_status(DeviceState.READY)
        desk.service.seek()
        for number in range(500):
            scanner.scan(f"{number:013}")
        desk.expect(ScanRefused(Refusal.UNKNOWN))
        time.sleep(0.2)
        scanner.scan(TOKEN)
        desk.expect(ScanRefused(Refusal.UNKNOWN), ScannedToken(TOKEN))


# --- is there a scanner ---


@pytest.mark.parametrize("old_model", [False, True])
def test_a_newland_scanner_proves_itself_and_is_asked_again_while_idle(scanner: ScannerEmulator, old_model: bool) -> None:
    scanner.old_model = old_model
    with Desk(scanner) as desk:
        desk.expect_status(DeviceState.READY)
        until(lambda: scanner.queries >= 5)
        assert desk.statuses == [(DeviceState.READY, "")]


def test_a_mute_one_is_offline_and_comes_back(scanner: ScannerEmulator) -> None:
    scanner.answers = False
    with Desk(scanner) as desk:
        desk.expect_status(DeviceState.OFFLINE, "mute")
        scanner.answers = True
        desk.expect_status(DeviceState.READY)


def test_one_that_falls_silent_is_noticed_while_idle(desk: Desk) -> None:
    desk.scanner.answers = False
    desk.expect_status(DeviceState.OFFLINE, "mute")


def test_one_that_cannot_be_asked_is_unproven_until_its_first_good_code(scanner: ScannerEmulator) -> None:
    scanner.answers = False
    with Desk(scanner, proof=ScannerProof.NONE) as desk:
        desk.expect_status(DeviceState.UNKNOWN, "unproven")
        scanner.scan("6901234567892")
        time.sleep(0.2)
        assert desk.service.status.reason == "unproven"
        scanner.scan(TOKEN)
        desk.expect_status(DeviceState.READY)
        desk.expect()  # nobody expected it
        assert scanner.queries == 0


@pytest.mark.parametrize("proof", ScannerProof)
def test_cr_04_an_idle_unplug_is_noticed_and_a_replug_proves_nothing_by_itself(
    scanner: ScannerEmulator, proof: ScannerProof,
) -> None:
    with Desk(scanner, proof=proof) as desk:
        if proof is ScannerProof.NONE:
            desk.expect_status(DeviceState.UNKNOWN, "unproven")
            scanner.scan(TOKEN)
        desk.expect_status(DeviceState.READY)
        scanner.unplug()
        until(lambda: desk.service.status.state is DeviceState.OFFLINE)
        scanner.answers = False
        scanner.plug()
        mute = DeviceState.OFFLINE, "mute"
        desk.expect_status(*(mute if proof is ScannerProof.NEWLAND else (DeviceState.UNKNOWN, "unproven")))
        assert not desk.service.status.usable


@pytest.mark.parametrize("proof", ScannerProof)
def test_noise_without_a_pause_is_no_scanner_and_is_said_once(scanner: ScannerEmulator, proof: ScannerProof) -> None:
    scanner.answers = False
    scanner.babble()
    with Desk(scanner, proof=proof) as desk:
        desk.expect_status(DeviceState.OFFLINE, "babbling")
        time.sleep(1.5)
        assert desk.statuses.count((DeviceState.OFFLINE, "babbling")) == 1
        assert DeviceState.READY not in [state for state, _ in desk.statuses]
        scanner.babble(False)
        scanner.answers = True
        desk.expect_status(*((DeviceState.READY, "") if proof is ScannerProof.NEWLAND else (DeviceState.UNKNOWN, "unproven")))


def test_no_token_in_any_log(scanner: ScannerEmulator, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), Desk(scanner) as desk:
        desk.expect_status(DeviceState.READY)
        desk.service.seek()
        scanner.scan("HGK1:" + SLIP + "HGK1:")
        scanner.scan(TOKEN)
        until(lambda: len(desk.events) >= 2)
        assert TOKEN not in repr(desk.events)
    assert "ScannedToken handed on" in caplog.text
    assert TOKEN not in caplog.text and SLIP not in caplog.text
