"""The supervised life of a device: what must hold whatever its hooks do."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from kiosk.devices.service import DeviceLost, DeviceService
from kiosk.domain.status import DeviceKind, DeviceState, DeviceStatus

FAST = (0.01, 0.04)


class Device(DeviceService):
    """Does what the test says and notes the calls."""

    def __init__(self, retry_s: tuple[float, float] = FAST) -> None:
        self.statuses: list[DeviceStatus] = []
        self.calls: list[str] = []
        self.times: list[float] = []
        self.on_open: Callable[[], None] = lambda: None
        self.on_run: Callable[[], None] = self.work
        self.on_close: Callable[[], None] = lambda: None
        super().__init__(DeviceKind.IDCARD, self.listen, retry_s)

    def listen(self, status: DeviceStatus) -> None:
        self.statuses.append(status)

    def open(self) -> None:
        self.calls.append("open")
        self.times.append(time.monotonic())
        self.on_open()

    def run(self) -> None:
        self.calls.append("run")
        self.on_run()

    def close(self) -> None:
        self.calls.append("close")
        self.on_close()

    def work(self) -> None:
        self.report(DeviceState.READY)
        while not self.stopping.is_set():
            self.pause(10.0)

    def fail(self) -> None:
        raise ValueError("999901194807120021")

    def lose(self) -> None:
        raise DeviceLost("line_lost")

    def told(self) -> list[tuple[DeviceState, str]]:
        return [(status.state, status.reason) for status in self.statuses]


@pytest.fixture
def device() -> Iterator[Device]:
    device = Device()
    yield device
    assert device.stop()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5.0
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.002)


def test_nothing_is_claimed_before_the_device_says_so(device: Device) -> None:
    proved = threading.Event()

    def prove_and_work() -> None:
        proved.wait(5.0)
        device.work()

    device.on_run = prove_and_work
    assert device.status.state is DeviceState.UNKNOWN
    device.start()
    until(lambda: "run" in device.calls)
    assert device.status.state is DeviceState.UNKNOWN
    proved.set()
    until(lambda: device.status.state is DeviceState.READY)
    assert device.status.since is not None


def test_stop_ends_an_idle_device_and_claims_nothing_more(device: Device) -> None:
    device.start()
    until(lambda: device.status.usable)
    assert device.stop()
    assert device.calls == ["open", "run", "close"]
    assert device.told() == [(DeviceState.READY, ""), (DeviceState.UNKNOWN, "")]


def test_stop_ends_the_wait_before_the_next_opening() -> None:
    device = Device(retry_s=(60.0, 60.0))
    device.on_open = device.lose
    device.start()
    until(lambda: "close" in device.calls)
    assert device.stop(1.0)


def test_stop_before_start_is_nothing() -> None:
    assert Device().stop()


def test_a_hung_driver_does_not_hang_the_house() -> None:
    device, way_out = Device(), threading.Event()

    def hang() -> None:
        way_out.wait(10.0)

    device.on_run = hang
    device.start()
    until(lambda: "run" in device.calls)
    assert not device.stop(0.05)
    way_out.set()
    assert device.stop()


@pytest.mark.parametrize("hook", ["on_open", "on_run", "on_close"])
@pytest.mark.parametrize("fault", ["lose", "fail"])
def test_whatever_fails_it_is_closed_and_opened_again(device: Device, hook: str, fault: str) -> None:
    if hook == "on_close":
        device.on_run = device.lose
    setattr(device, hook, getattr(device, fault))
    device.start()
    until(lambda: device.calls.count("close") >= 3)
    life = ["open", "close"] if hook == "on_open" else ["open", "run", "close"]
    assert device.calls[: 2 * len(life)] == life * 2
    assert device.status.state is DeviceState.OFFLINE
    assert device.status.usable is False


def test_changes_are_told_once(device: Device) -> None:
    device.on_open = device.lose
    device.start()
    until(lambda: device.calls.count("open") >= 4)
    assert device.told() == [(DeviceState.OFFLINE, "line_lost")]
    device.on_open = lambda: None
    until(lambda: device.status.usable)
    assert device.told() == [(DeviceState.OFFLINE, "line_lost"), (DeviceState.READY, "")]


def test_a_bug_is_logged_by_class_alone(device: Device, caplog: pytest.LogCaptureFixture) -> None:
    device.on_run = device.fail
    with caplog.at_level(logging.DEBUG):
        device.start()
        until(lambda: device.status.reason == "program_fault")
        assert device.stop()
    assert "ValueError" in caplog.text
    assert "9999" not in caplog.text


def test_a_listeners_bug_costs_nothing(device: Device, caplog: pytest.LogCaptureFixture) -> None:
    device.listen = lambda status: device.fail()  # type: ignore[method-assign]
    device._on_status = device.listen
    device.start()
    until(lambda: device.status.state is DeviceState.READY)
    assert device.calls == ["open", "run"]
    assert "9999" not in caplog.text


def test_a_run_that_returns_at_once_does_not_spin(device: Device) -> None:
    device.on_run = lambda: None
    device.start()
    until(lambda: len(device.times) >= 5)
    gaps = [after - before for before, after in zip(device.times, device.times[1:], strict=False)]
    assert min(gaps) >= 0.8 * FAST[0]


def test_the_wait_grows_to_its_cap(monkeypatch: pytest.MonkeyPatch, device: Device) -> None:
    monkeypatch.setattr("kiosk.devices.service.random.uniform", lambda low, high: 1.0)
    waits: list[float] = []
    really_wait = device.stopping.wait

    def noted_wait(seconds: float) -> bool:
        waits.append(seconds)
        return really_wait(seconds)

    def work_a_while() -> None:
        really_wait(3 * FAST[1])
        device.lose()

    monkeypatch.setattr(device.stopping, "wait", noted_wait)
    device.on_open = device.lose
    device.start()
    until(lambda: len(waits) >= 4)
    assert waits[:4] == [0.01, 0.02, 0.04, 0.04]
    device.on_open = lambda: None
    device.on_run = work_a_while
    seen = len(waits)
    until(lambda: len(waits) > seen + 1)
    assert waits[-1] == 0.01  # it had worked for a while


def test_attention_ends_a_pause(device: Device) -> None:
    turns: list[int] = []

    def work() -> None:
        while not device.stopping.is_set():
            device.pause(60.0)
            turns.append(len(turns))

    device.on_run = work
    device.start()
    until(lambda: "run" in device.calls)
    device.attention.set()
    until(lambda: len(turns) == 1)


def test_a_service_is_started_once(device: Device) -> None:
    device.start()
    with pytest.raises(RuntimeError):
        device.start()
