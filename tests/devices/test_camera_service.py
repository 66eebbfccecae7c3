"""The supervised camera against the emulated one: open only when wanted, every fault seen, always back again."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest

from kiosk.config import CameraConfig
from kiosk.devices.camera.grabber import Grabber
from kiosk.devices.camera.service import CameraService
from kiosk.devices.camera.source import Frame
from kiosk.devices.emulated.camera import CameraEmulator, Fault
from kiosk.devices.emulated.people import Person
from kiosk.devices.service import DeviceLost
from kiosk.domain.status import DeviceState, DeviceStatus


@pytest.fixture(scope="module")
def camera() -> Iterator[CameraEmulator]:
    camera = CameraEmulator(person=Person.NOBODY)
    yield camera
    camera.stop()


class Watcher:
    """A camera service with what it said and showed."""

    def __init__(self, source: str) -> None:
        self.states: list[tuple[str, str]] = []
        self.frames: list[tuple[Frame, float]] = []
        self._changed = threading.Condition()
        self.service = CameraService(CameraConfig(source=source, stale_s=0.8), self._status)
        self.service.subscribe(self._frame)
        self.service.start()

    def _status(self, status: DeviceStatus) -> None:
        with self._changed:
            self.states.append((status.state.value, status.reason))
            self._changed.notify_all()

    def _frame(self, frame: Frame, t: float) -> None:
        with self._changed:
            self.frames = [*self.frames[-9:], (frame, t)]
            self._changed.notify_all()

    def wait(self, condition: Callable[[], bool], seconds: float = 15.0) -> None:
        with self._changed:
            assert self._changed.wait_for(condition, seconds), self.states

    def wait_filmed(self, seconds: float) -> None:
        """Until frames of that much longer have come."""
        began = time.monotonic()
        self.wait(lambda: bool(self.frames) and self.frames[-1][1] > began + seconds)

    def wait_state(self, state: str, reason: str = "") -> None:
        self.wait(lambda: bool(self.states) and self.states[-1] == (state, reason))


@pytest.fixture
def watcher(camera: CameraEmulator) -> Iterator[Watcher]:
    camera.order(Fault.NONE)
    watcher = Watcher(camera.stream)
    yield watcher
    assert watcher.service.stop()
    assert watcher.service.status.state is DeviceState.UNKNOWN


def test_it_proves_itself_and_rests_until_wanted(camera: CameraEmulator, watcher: Watcher) -> None:
    watcher.wait_state("ready")
    assert watcher.frames == []
    deadline = time.monotonic() + 5
    while camera.viewers and time.monotonic() < deadline:
        time.sleep(0.02)
    assert camera.viewers == 0
    watcher.service.want("face")
    watcher.service.want("face")
    watcher.service.want("preview")
    watcher.wait(lambda: len(watcher.frames) > 3)
    assert camera.viewers == 1
    watcher.service.unwant("face")
    watcher.wait_filmed(0.2)
    watcher.service.unwant("preview")
    deadline = time.monotonic() + 5
    while camera.viewers and time.monotonic() < deadline:
        time.sleep(0.02)
    assert camera.viewers == 0
    assert watcher.states == [("ready", "")]


def test_frames_are_fresh_and_each_its_own(watcher: Watcher) -> None:
    others: list[float] = []
    watcher.service.subscribe(lambda frame, t: others.append(t))
    watcher.service.want("face")
    watcher.wait(lambda: len(watcher.frames) > 5)
    frame, t = watcher.frames[-1]
    assert time.monotonic() - t < 0.5
    assert frame.shape == (480, 640, 3) and frame is not watcher.frames[-2][0]
    assert others


def test_unplugged_and_back(camera: CameraEmulator, watcher: Watcher) -> None:
    watcher.service.want("face")
    watcher.wait_state("ready")
    camera.order(Fault.UNPLUGGED)
    watcher.wait_state("offline", "stale")
    watcher.wait_state("offline", "no_device")
    camera.order(Fault.NONE)
    watcher.wait_state("ready")
    watcher.wait_filmed(0.1)


def test_a_frozen_camera_is_lost_and_not_ready_again_before_it_moves(camera: CameraEmulator, watcher: Watcher) -> None:
    watcher.service.want("face")
    watcher.wait_state("ready")
    camera.order(Fault.FROZEN)
    watcher.wait_state("offline", "frozen")
    said = len(watcher.states)
    time.sleep(1.5)  # it is opened again meanwhile
    assert watcher.states[said:] == []
    camera.order(Fault.NONE)
    watcher.wait_state("ready")


def test_a_covered_lens_is_degraded(camera: CameraEmulator, watcher: Watcher) -> None:
    watcher.service.want("face")
    watcher.wait_state("ready")
    camera.order(Fault.BLACK)
    watcher.wait_state("degraded", "black")
    camera.order(Fault.NONE)
    watcher.wait_state("ready")


def test_a_dark_room_and_a_slow_camera_are_not_faults_of_the_camera(camera: CameraEmulator, watcher: Watcher) -> None:
    watcher.service.want("face")
    watcher.wait_state("ready")
    for fault in (Fault.DARK, Fault.SLOW):
        camera.order(fault)
        watcher.wait_filmed(1.2)
    assert watcher.states == [("ready", "")]


def test_a_missing_camera_is_said_and_found_when_it_comes(tmp_path: Path) -> None:
    folder = tmp_path / "camera"
    watcher = Watcher(str(folder))
    try:
        watcher.wait_state("offline", "no_device")
        partial = tmp_path / "partial"
        partial.mkdir()
        for i in range(3):
            cv2.imwrite(str(partial / f"{i}.png"), np.full((48, 64, 3), 60 * (i + 1), np.uint8))
        partial.rename(folder)
        watcher.wait_state("ready")
    finally:
        assert watcher.service.stop()


class _Stuck:
    """A driver that does not answer for a while."""

    def __init__(self) -> None:
        self.answer = threading.Event()
        self.closed = threading.Event()

    def read(self) -> Frame:
        self.answer.wait()
        raise DeviceLost("stale")

    def close(self) -> None:
        self.closed.set()


def test_a_driver_that_hangs_is_noticed_and_let_go_when_it_returns() -> None:
    stuck = _Stuck()
    grabber = Grabber(lambda: stuck)
    with pytest.raises(DeviceLost, match="stale"):
        grabber.read(0.1)
    assert grabber.close() is False and grabber.hangs
    stuck.answer.set()
    assert stuck.closed.wait(5)
    assert grabber.close() is True


def test_the_emulator_is_steered_over_http(camera: CameraEmulator) -> None:
    assert httpx.post(f"{camera.address}/fault/dark").status_code == 204
    assert camera.fault is Fault.DARK
    assert httpx.post(f"{camera.address}/fault/none").status_code == 204
    assert httpx.post(f"{camera.address}/person/nobody").status_code == 204
    wrong = httpx.post(f"{camera.address}/person/somebody")
    assert wrong.status_code == 404 and "cardholder" in wrong.text
    assert httpx.get(f"{camera.address}/").status_code == 404


def test_the_emulator_runs_by_itself_and_ends_in_order() -> None:
    command = [sys.executable, "-m", "kiosk.devices.emulated.camera", "--port", "0", "--person", "nobody"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert httpx.post(address.replace("/stream", "/fault/frozen")).status_code == 204
        process.terminate()
        assert process.wait(10) == 0
