"""The supervised camera against the emulated one: open only when wanted, every fault seen, always back again."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest
from camera_watcher import Watcher, until

from kiosk.config import CameraConfig
from kiosk.devices.emulated.camera import CameraEmulator, Eye, Fault
from kiosk.devices.emulated.people import Person


@pytest.fixture(scope="module")
def camera() -> Iterator[CameraEmulator]:
    camera = CameraEmulator(person=Person.NOBODY)
    yield camera
    camera.stop()


@pytest.fixture
def watcher(camera: CameraEmulator) -> Iterator[Watcher]:
    watcher = Watcher.of(camera)
    yield watcher
    watcher.end()


def test_it_proves_itself_and_rests_until_wanted(camera: CameraEmulator, watcher: Watcher) -> None:
    watcher.wait_state("ready")
    assert watcher.frames == []
    until(lambda: camera.viewers == 0)
    watcher.service.want("face")
    watcher.service.want("face")
    watcher.service.want("preview")
    watcher.wait(lambda: len(watcher.frames) > 3)
    assert camera.viewers == 1
    watcher.service.unwant("face")
    watcher.wait_filmed(0.2)
    watcher.service.unwant("preview")
    until(lambda: camera.viewers == 0)
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
    watcher = Watcher(CameraConfig(source=str(folder)))
    try:
        watcher.wait_state("offline", "no_device")
        partial = tmp_path / "partial"
        partial.mkdir()
        for i in range(3):
            cv2.imwrite(str(partial / f"{i}.png"), np.full((480, 640, 3), 60 * (i + 1), np.uint8))
        partial.rename(folder)
        watcher.wait_state("ready")
    finally:
        watcher.end()


@pytest.mark.parametrize("fault", [Fault.STALLED, Fault.NOISE, Fault.REFUSED])
def test_a_stream_that_says_nothing_or_nonsense(camera: CameraEmulator, watcher: Watcher, fault: Fault) -> None:
    watcher.service.want("face")
    watcher.wait_state("ready")
    camera.order(fault)
    watcher.wait_state("offline", "stale")
    watcher.wait_state("offline", "no_device")
    camera.order(Fault.NONE)
    watcher.wait_state("ready")
    watcher.wait_filmed(0.1)


def test_half_pictures_are_told(camera: CameraEmulator, watcher: Watcher) -> None:
    watcher.service.want("face")
    watcher.wait_state("ready")
    camera.order(Fault.TORN)
    watcher.wait_state("degraded", "torn")
    camera.order(Fault.NONE)
    watcher.wait_state("ready")
    assert [state for state, _ in watcher.states] == ["ready", "degraded", "ready"]


def test_a_spoiled_picture_now_and_then_is_skipped(camera: CameraEmulator, watcher: Watcher) -> None:
    watcher.service.want("face")
    watcher.wait_state("ready")
    camera.order(Fault.SPOILED)
    watcher.wait_filmed(2.0)
    assert watcher.states == [("ready", "")]


def test_pictures_of_changing_size_arrive_in_one(camera: CameraEmulator, watcher: Watcher) -> None:
    """FFmpeg scales what comes to the size it began with; a source that does not is judged in test_camera_picture."""
    watcher.service.want("face")
    watcher.wait_state("ready")
    camera.order(Fault.RESIZED)
    sizes = set()
    for _ in range(8):
        watcher.wait_filmed(0.2)
        sizes |= {frame.shape for frame, _ in watcher.frames}
    assert len(sizes) == 1 and watcher.states == [("ready", "")]


def test_the_emulator_is_steered_over_http(camera: CameraEmulator) -> None:
    assert httpx.post(f"{camera.address}/fault/dark").status_code == 204
    assert camera.fault is Fault.DARK and camera.fault_of(Eye.IR) is Fault.NONE
    assert httpx.post(f"{camera.address}/ir/fault/torn").status_code == 204
    assert camera.fault is Fault.DARK and camera.fault_of(Eye.IR) is Fault.TORN
    assert httpx.post(f"{camera.address}/ir/fault/none").status_code == 204
    assert httpx.post(f"{camera.address}/fault/none").status_code == 204
    assert httpx.post(f"{camera.address}/person/nobody").status_code == 204
    wrong = httpx.post(f"{camera.address}/person/somebody")
    assert wrong.status_code == 404 and "cardholder" in wrong.text
    assert httpx.get(f"{camera.address}/").status_code == 404


def test_the_emulator_runs_by_itself_and_ends_in_order() -> None:
    command = [sys.executable, "-m", "kiosk", "emulate", "camera", "--person", "nobody"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert httpx.post(address.replace("/stream", "/fault/frozen")).status_code == 204
        process.terminate()
        assert process.wait(10) == 0
