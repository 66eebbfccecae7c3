"""What befalls every device on a serial line: pulled, put elsewhere, mute, babbling, half dead, wrongly cabled.

Named by the device cases: CR-03 proved by protocol, not by name · CR-04 a node proves nothing · CR-05 another node
behind the same name · CR-06 one thread, bounded stop · PR-09 fast replug, a supervisor that outlives everything ·
PR-11 attached after the start · DI-03 every step has an end.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from far_ends import FarEnd, crt310, device

from kiosk.config import PrinterConfig, ScannerConfig, SocialCardAdapter, SocialCardConfig
from kiosk.devices.emulated.idcard import IdCardEmulator, Manner
from kiosk.devices.idcard import service as idcard
from kiosk.devices.idcard.service import IdCardService
from kiosk.devices.printer.service import PrinterService
from kiosk.devices.scanner import service as scanner
from kiosk.devices.scanner.service import ScannerService
from kiosk.devices.serial_line import SerialLine
from kiosk.devices.socialcard import service as socialcard
from kiosk.devices.socialcard.service import SocialCardService
from kiosk.devices.socialcard.transport import Patience
from kiosk.domain.slip import PrintOutcome
from kiosk.domain.status import DeviceKind, DeviceState, DeviceStatus

RETRY = (0.05, 0.1)
STOP_S = 0.1
"""What is promised. Measured here with patience for a busy machine, see `stop_quickly`."""


class Journal:
    """Knows nothing: no slip is printed here."""

    def queue(self, case_number: str, kind: str, copy: int, digest: str, size: int) -> int:
        return 1

    def sending(self, job: int) -> None: ...

    def end(self, job: int, outcome: PrintOutcome, evidence: str) -> None: ...

    def settle_interrupted(self, kind: str) -> int:
        return 0

    def last_is_unknown(self, kind: str) -> bool:
        return False


Told = list[tuple[DeviceState, str]]
Device = IdCardService | PrinterService | ScannerService | SocialCardService


def build(kind: DeviceKind, port: Path, told: Told) -> Device:
    def note(status: DeviceStatus) -> None:
        told.append((status.state, status.reason))

    match kind:
        case DeviceKind.IDCARD:
            timing = idcard.Timing(poll=0.03, heartbeat=0.05, retry=RETRY, answer=0.3)
            return IdCardService(str(port), 115200, note, lambda event: None, timing)
        case DeviceKind.PRINTER:
            config = PrinterConfig(port=str(port))
            return PrinterService(config, Journal(), lambda case, result: None, note, heartbeat_s=0.05, retry_s=RETRY)
        case DeviceKind.SCANNER:
            settings = ScannerConfig.model_validate({"enabled": True, "port": str(port), "proof": "newland"})
            return ScannerService(settings, note, lambda event: None, scanner.Timing(answer=0.3, heartbeat=0.1, retry=RETRY))
        case DeviceKind.SOCIALCARD:
            reader = SocialCardConfig(adapter=SocialCardAdapter.CRT310, port=str(port))
            patient = socialcard.Timing(poll=0.03, heartbeat=0.05, retry=RETRY, patience=Patience(ack=0.3, answer=1.5))
            return SocialCardService(reader, note, lambda event: None, patient)
        case _:
            raise ValueError(kind)


KINDS = [DeviceKind.IDCARD, DeviceKind.PRINTER, DeviceKind.SCANNER, DeviceKind.SOCIALCARD]
every_kind = pytest.mark.parametrize("kind", KINDS)


@contextmanager
def serving(kind: DeviceKind, port: Path, told: Told | None = None) -> Iterator[Device]:
    service = build(kind, port, [] if told is None else told)
    service.start()
    try:
        yield service
    finally:
        assert service.stop(5.0)


def until(condition: Callable[[], bool], seen: Callable[[], object] = lambda: "", seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain, {seen()}"
        time.sleep(0.005)


def reached(service: Device, state: DeviceState, reason: str = "") -> None:
    until(lambda: (service.status.state, service.status.reason) == (state, reason), lambda: service.status)


def threads_of_devices() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("device-")]


# ------------------------------------------------------------------------------------------ wrongly cabled


@pytest.mark.parametrize("there", KINDS)
@every_kind
def test_cr_03_a_device_on_anothers_port_is_named(tmp_path: Path, kind: DeviceKind, there: DeviceKind) -> None:
    told: Told = []
    with device(there, tmp_path / "port"), serving(kind, tmp_path / "port", told) as service:
        if kind is there:
            reached(service, DeviceState.READY)
            assert [state for state, _ in told] == [DeviceState.READY]
            return
        reached(service, DeviceState.OFFLINE, f"found_{there.value}")
        assert DeviceState.READY not in [state for state, _ in told]


def test_a_name_once_found_stays_and_is_not_asked_for_again_and_again(tmp_path: Path) -> None:
    told: Told = []
    with device(DeviceKind.PRINTER, tmp_path / "port") as port, serving(DeviceKind.IDCARD, tmp_path / "port", told) as service:
        reached(service, DeviceState.OFFLINE, "found_printer")
        asked = service.cabling.asked
        time.sleep(3.0)  # some lives of the service
        assert service.cabling.asked is asked
        assert told[-1] == (DeviceState.OFFLINE, "found_printer") and len(told) <= 2
        port.unplug()
        reached(service, DeviceState.OFFLINE, "no_port")
        with device(DeviceKind.SCANNER, tmp_path / "port"):  # what was found before is not said of it
            reached(service, DeviceState.OFFLINE, "found_scanner")
        with device(DeviceKind.IDCARD, tmp_path / "port"):
            reached(service, DeviceState.READY)


def test_it_is_asked_again_after_a_while(tmp_path: Path) -> None:
    far = FarEnd(tmp_path / "port")
    with far, serving(DeviceKind.IDCARD, tmp_path / "port") as service:
        service.cabling.ask_again_s = 0.0
        reached(service, DeviceState.OFFLINE, "mute")
        until(lambda: service.cabling.asked is not None)
        far._rule = crt310
        reached(service, DeviceState.OFFLINE, "found_socialcard")


def test_a_module_at_another_speed_is_told_from_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pseudo-terminal has no speed: the module is let answer at its own only."""
    really_open = SerialLine.open.__func__  # type: ignore[attr-defined]
    with IdCardEmulator(tmp_path / "port") as reader:

        def noted_open(path: str, baud: int, *rest: object) -> SerialLine:
            reader.behave(Manner.WELL if baud == 115200 else Manner.MUTE)
            line: SerialLine = really_open(SerialLine, path, baud, *rest)
            return line

        monkeypatch.setattr(SerialLine, "open", noted_open)
        timing = idcard.Timing(retry=RETRY, answer=0.3)
        service = IdCardService(str(reader.port.path), 9600, lambda status: None, lambda event: None, timing)
        service.start()
        reached(service, DeviceState.OFFLINE, "wrong_speed")
        assert service.stop(5.0)


# ------------------------------------------------------------------------------------------ mute, babbling, half dead


@every_kind
def test_di_03_a_mute_device_is_said_to_be_mute_and_the_house_goes_on(tmp_path: Path, kind: DeviceKind) -> None:
    with FarEnd(tmp_path / "port") as far, serving(kind, tmp_path / "port") as service:
        reached(service, DeviceState.OFFLINE, "mute")
        until(lambda: service.cabling.asked is not None)
        assert service.status.reason == "mute"
        assert far.received


@every_kind
def test_di_03_a_babbling_device_is_said_to_babble(tmp_path: Path, kind: DeviceKind) -> None:
    with FarEnd(tmp_path / "port", unasked=b"U7%x)Lq0"), serving(kind, tmp_path / "port") as service:
        reached(service, DeviceState.OFFLINE, "babbling")


@every_kind
def test_a_half_dead_adapter_that_takes_no_bytes_is_lost_and_comes_back(tmp_path: Path, kind: DeviceKind) -> None:
    with device(kind, tmp_path / "port") as port:
        port.stall()
        with serving(kind, tmp_path / "port") as service:
            reached(service, DeviceState.OFFLINE, "stalled")
            port.stall(False)
            reached(service, DeviceState.READY)


@every_kind
def test_a_port_that_is_no_serial_line_is_no_port(tmp_path: Path, kind: DeviceKind) -> None:
    (tmp_path / "port").symlink_to("/dev/null")
    with serving(kind, tmp_path / "port") as service:
        reached(service, DeviceState.OFFLINE, "no_port")


@every_kind
def test_cr_06_a_port_somebody_else_owns_is_left_alone_until_it_is_free(tmp_path: Path, kind: DeviceKind) -> None:
    with device(kind, tmp_path / "port"):
        other = SerialLine.open(str(tmp_path / "port"), 9600)
        with serving(kind, tmp_path / "port") as service:
            reached(service, DeviceState.OFFLINE, "busy_port")
            other.close()
            reached(service, DeviceState.READY)


# ------------------------------------------------------------------------------------------ pulled and put back


@every_kind
def test_cr_04_a_node_that_comes_back_proves_nothing(tmp_path: Path, kind: DeviceKind) -> None:
    told: Told = []
    with serving(kind, tmp_path / "port", told) as service:
        with device(kind, tmp_path / "port"):
            reached(service, DeviceState.READY)
        reached(service, DeviceState.OFFLINE, "no_port")
        with FarEnd(tmp_path / "port"):
            reached(service, DeviceState.OFFLINE, "mute")
        assert [state for state, _ in told].count(DeviceState.READY) == 1


@every_kind
def test_pr_09_pulled_and_put_back_within_a_tenth_of_a_second(tmp_path: Path, kind: DeviceKind) -> None:
    told: Told = []
    with device(kind, tmp_path / "port") as port, serving(kind, tmp_path / "port", told) as service:
        for lives in range(1, 4):
            until(lambda lives=lives: [state for state, _ in told].count(DeviceState.READY) >= lives,  # type: ignore[misc]
                  lambda: told)
            port.unplug()
            time.sleep(0.1)
            port.plug()
        until(lambda: service.status.state is DeviceState.READY and len(told) >= 7, lambda: told)
        assert threads_of_devices() == [f"device-{kind.value}"]


@every_kind
def test_cr_05_another_node_behind_the_same_name(tmp_path: Path, kind: DeviceKind) -> None:
    with device(kind, tmp_path / "port") as port, serving(kind, tmp_path / "port") as service:
        reached(service, DeviceState.READY)
        for _ in range(2):
            before = (tmp_path / "port").resolve()
            port.replug_elsewhere()
            assert (tmp_path / "port").resolve() != before
            until(lambda: _works(service), lambda: service.status)


def _works(service: Device) -> bool:
    """Ready, and its line is the one that is plugged in now."""
    holder = service._transport if isinstance(service, SocialCardService) else service
    line = getattr(holder, "line", None) or getattr(holder, "_line", None)
    try:
        node = os.ttyname(line._port.fileno())  # type: ignore[union-attr]
    except (OSError, AttributeError):
        return False
    return service.status.state is DeviceState.READY and node == os.path.realpath(service.cabling._port)


@every_kind
def test_pr_11_attached_after_the_start(tmp_path: Path, kind: DeviceKind) -> None:
    with serving(kind, tmp_path / "port") as service:
        reached(service, DeviceState.OFFLINE, "no_port")
        with device(kind, tmp_path / "port"):
            reached(service, DeviceState.READY)


# ------------------------------------------------------------------------------------------ the end, and bugs


def stop_quickly(service: Device) -> float:
    started = time.monotonic()
    assert service.stop(5.0)
    return time.monotonic() - started


STATES = ["ready", "mute", "identifying", "babbling", "stalled", "absent"]


@pytest.mark.parametrize("state", STATES)
@every_kind
def test_cr_06_every_device_stops_within_100_ms_whatever_it_does(tmp_path: Path, kind: DeviceKind, state: str) -> None:
    """The best of three counts: the machine may be busy, the service may not."""
    best = 9.9
    for attempt in range(3):
        with _in_state(kind, tmp_path / str(attempt), state) as service:
            best = min(best, stop_quickly(service))
        if best < STOP_S:
            break
    assert best < STOP_S, f"{best:.3f} s"
    assert threads_of_devices() == []


@contextmanager
def _in_state(kind: DeviceKind, port: Path, state: str) -> Iterator[Device]:
    service = build(kind, port, [])
    match state:
        case "ready":
            with device(kind, port):
                service.start()
                reached(service, DeviceState.READY)
                yield service
        case "absent":
            service.start()
            reached(service, DeviceState.OFFLINE, "no_port")
            yield service
        case "stalled":
            with device(kind, port) as line:
                line.stall()
                service.start()
                reached(service, DeviceState.OFFLINE, "stalled")
                time.sleep(0.2)
                yield service
        case _:
            with FarEnd(port, unasked=b"U7%x)Lq0" if state == "babbling" else b"") as far:
                service.start()
                if state == "identifying":
                    until(lambda: b"QRCENA" in far.received if kind is not DeviceKind.SCANNER else b"\x10\x04" in far.received)
                else:
                    until(lambda: bool(far.received))
                    time.sleep(0.1)
                yield service


@pytest.mark.parametrize("hook", ["open", "run", "close", "explain"])
@every_kind
def test_pr_09_one_exception_in_a_hook_never_kills_the_supervisor(tmp_path: Path, kind: DeviceKind, hook: str) -> None:
    service = build(kind, tmp_path / "port", [])
    really, failed = getattr(service, hook), threading.Event()

    def fail(*given: object) -> None:
        failed.set()
        raise ZeroDivisionError("999901194807120021")

    setattr(service, hook, fail)
    mute = hook in ("close", "explain")  # these follow a loss
    with FarEnd(tmp_path / "port") if mute else device(kind, tmp_path / "port"):
        service.start()
        until(failed.is_set)
        reached(service, DeviceState.OFFLINE, "program_fault")
    setattr(service, hook, really)
    with device(kind, tmp_path / "port"):
        reached(service, DeviceState.READY)
        assert service.stop(5.0)
