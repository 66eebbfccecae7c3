"""The misfortunes of cameras in other people's kiosks and photo booths, one by one."""

from __future__ import annotations

import re
import threading
import time
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest
from camera_watcher import STALE_S, Watcher, until

import kiosk.devices.camera
from kiosk.config import REPOSITORY, CameraConfig
from kiosk.devices.camera import service, source
from kiosk.devices.camera.frames import Format, FrameSource, Shot
from kiosk.devices.emulated.camera import CameraEmulator, Eye, Fault
from kiosk.devices.emulated.people import Person
from kiosk.devices.service import DeviceLost
from kiosk.face.site import rehearsal
from kiosk.face.site.rehearsal import ClipTrouble

CYCLES = 200


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


class Recorded:
    """A real source that writes down when it is opened and closed."""

    def __init__(self, spec: str, config: CameraConfig, log: list[str]) -> None:
        self._real = source.open_source(spec, config)
        self._log = log
        self.format, self.refused = self._real.format, self._real.refused
        log.append("open")

    def read(self) -> Shot:
        return self._real.read()

    def close(self) -> None:
        self._real.close()
        self._log.append("close")


class Stuck:
    """A driver that gives two frames and then does not return from reading until it is let go."""

    format, refused = Format("MJPG", 640, 480, 25.0), ()

    def __init__(self) -> None:
        self.opened = self.closed = 0
        self.let_go = threading.Event()
        self._frames = 0

    def open(self, spec: str, config: CameraConfig) -> FrameSource:
        self.opened += 1
        return self

    def read(self) -> Shot:
        self._frames += 1
        if self._frames > 2:
            self.let_go.wait()
            if self._frames > 100:
                time.sleep(0.02)
            else:
                self._frames = 100
                raise DeviceLost("stale")
        noise = np.random.default_rng(self._frames).integers(90, 110, (480, 640, 3), dtype=np.uint8)
        return Shot(noise, time.monotonic())

    def close(self) -> None:
        self.closed += 1


# ------------------------------------------------------------------------------ CA-01: not back after unplug or standby


def test_ca_01_unplugged_again_and_again(camera: CameraEmulator, watcher: Watcher) -> None:
    watcher.service.want("face")
    for _ in range(3):
        watcher.wait_state("ready")
        watcher.wait_filmed(0.1)
        camera.order(Fault.UNPLUGGED)
        watcher.wait(lambda: watcher.states[-1][0] == "offline")
        camera.order(Fault.NONE)
    watcher.wait_state("ready")
    watcher.wait_filmed(0.1)


def test_ca_01_pulled_out_while_it_rested_is_told_before_somebody_needs_it(tmp_path: Path) -> None:
    name, elsewhere = tmp_path / "camera", tmp_path / "box"
    name.mkdir()
    for i in range(3):
        cv2.imwrite(str(name / f"{i}.png"), np.full((480, 640, 3), 60 + i, np.uint8))
    watcher = Watcher(CameraConfig(source=str(name)))
    try:
        watcher.wait_state("ready")
        name.rename(elsewhere)
        watcher.wait_state("offline", "no_device")
        elsewhere.rename(name)
        watcher.wait_state("ready")
        assert watcher.frames == []
    finally:
        watcher.end()


def test_ca_01_replugged_elsewhere_under_its_name(tmp_path: Path) -> None:
    for port, grey in (("port-1", 60), ("port-2", 120)):
        (tmp_path / port).mkdir()
        for i in range(3):
            cv2.imwrite(str(tmp_path / port / f"{i}.png"), np.full((480, 640, 3), grey + i, np.uint8))
    name = tmp_path / "camera"
    name.symlink_to(tmp_path / "port-1")
    watcher = Watcher(CameraConfig(source=str(name)))
    try:
        watcher.service.want("face")
        watcher.wait(lambda: bool(watcher.frames))
        assert watcher.frames[-1][0].mean() < 100
        name.unlink()
        watcher.wait_state("offline", "no_device")
        name.symlink_to(tmp_path / "port-2")
        watcher.wait_state("ready")
        watcher.wait(lambda: watcher.frames[-1][0].mean() > 100)
    finally:
        watcher.end()


@pytest.mark.parametrize("fault", [Fault.UNPLUGGED, Fault.FROZEN, Fault.STALLED, Fault.REFUSED])
def test_ca_01_gone_wrong_while_it_rested(camera: CameraEmulator, watcher: Watcher, fault: Fault) -> None:
    """Nobody looks at night: the fault is found when it is wanted, and is gone when the camera is well."""
    watcher.wait_state("ready")
    until(lambda: camera.viewers == 0)
    camera.order(fault)
    assert watcher.states == [("ready", "")]
    watcher.service.want("face")
    watcher.wait(lambda: watcher.states[-1][0] == "offline")
    camera.order(Fault.NONE)
    watcher.wait_state("ready")
    watcher.wait_filmed(0.1)


# ------------------------------------------------------------------------------ CA-02: one error for everything


def reasons() -> set[str]:
    """Every reason the code can give, found in the code."""
    text = "".join(path.read_text() for path in Path(kiosk.devices.camera.__file__).parent.glob("*.py"))
    named = re.findall(r'(?:DeviceLost\(|opened\([^"\n]+|errno\.\w+: )"(\w+)"', text)
    return {*named, "stale", "black", "torn", "ir_lost", "settings_refused", "program_fault"}


def test_ca_02_each_fault_has_its_own_code_and_sentence() -> None:
    texts = tomllib.loads((REPOSITORY / "assets" / "texts" / "zh_CN.toml").read_text(encoding="utf-8"))
    sentences = {reason: entry["text"] for reason, entry in texts["staff"]["camera"].items()}
    assert len(reasons()) == 16
    assert set(sentences) == reasons()
    assert len(set(sentences.values())) == len(sentences)


def test_ca_02_different_faults_are_told_apart(camera: CameraEmulator, watcher: Watcher) -> None:
    watcher.service.want("face")
    seen = set()
    for fault in (Fault.FROZEN, Fault.BLACK, Fault.UNPLUGGED, Fault.TORN):
        watcher.wait_state("ready")
        before = len(watcher.states)
        camera.order(fault)
        watcher.wait(lambda before=before: len(watcher.states) > before)  # type: ignore[misc]
        seen.add(watcher.states[before])
        camera.order(Fault.NONE)
    assert len(seen) == 4


# ------------------------------------------------------------------------------ CA-03: saving settings kills the stream


def test_ca_03_settings_wait_for_the_next_opening(camera: CameraEmulator, watcher: Watcher) -> None:
    watcher.service.want("face")
    watcher.wait_state("ready")
    openings = camera.openings[Eye.RGB]
    watcher.service.configure(CameraConfig(source=camera.stream, stale_s=STALE_S, brightness=10))
    watcher.wait_filmed(1.0)
    assert camera.openings[Eye.RGB] == openings and watcher.states == [("ready", "")]

    watcher.service.unwant("face")
    until(lambda: camera.viewers == 0)
    watcher.service.want("face")
    watcher.wait_state("degraded", "settings_refused")  # a stream has no brightness to set; it is used nevertheless
    assert watcher.service.refused == ("brightness",)
    watcher.wait_filmed(0.2)
    watcher.service.configure(CameraConfig(source=camera.stream, stale_s=STALE_S))
    watcher.service.unwant("face")
    until(lambda: camera.viewers == 0)
    watcher.service.want("face")
    watcher.wait_state("ready")


# ------------------------------------------------------------------------------ CA-04: only one may open it


def test_ca_04_everybody_shares_one_opening(camera: CameraEmulator, watcher: Watcher) -> None:
    watcher.wait_state("ready")
    until(lambda: camera.viewers == 0)
    openings = camera.openings[Eye.RGB]
    for holder in ("face", "preview", "diagnostics"):
        watcher.service.want(holder)
    watcher.wait_filmed(0.2)
    assert camera.viewers == 1 and camera.openings[Eye.RGB] == openings + 1
    assert watcher.service.format is not None and (watcher.service.format.width, watcher.service.format.height) == (640, 480)


def test_ca_04_nothing_else_in_the_program_opens_a_camera() -> None:
    """What plays recordings to the liveness checks is left out here: the next test is about it."""
    room = Path(kiosk.devices.camera.__file__).parent
    others = [path for path in (REPOSITORY / "kiosk").rglob("*.py") if room not in path.parents]
    users = {path for path in others if "VideoCapture" in path.read_text(encoding="utf-8")}
    assert users == {Path(rehearsal.__file__)}


def test_ca_04_the_player_of_recordings_opens_no_device_and_no_stream(camera: CameraEmulator, tmp_path: Path) -> None:
    """They are not there for it; what it has opened in vain it calls no clip."""
    linked = tmp_path / "camera"
    linked.symlink_to("/dev/null")
    openings = camera.openings[Eye.RGB]
    for name in ("/dev/null", str(linked), "/dev/video0", "0", camera.stream):
        assert rehearsal.read_clip(Path(name), 25.0) is ClipTrouble.MISSING
    assert camera.openings[Eye.RGB] == openings


# ------------------------------------------------------------------------------ CA-05: leaks


def grabbers() -> list[str]:
    return [thread.name for thread in threading.enumerate() if "grabber" in thread.name]


def held() -> tuple[int, int]:
    """Open file descriptors and threads of this process, those inside libraries included."""
    return psutil.Process().num_fds(), psutil.Process().num_threads()


def test_ca_05_two_hundred_openings_leave_nothing_behind(camera: CameraEmulator, watcher: Watcher) -> None:
    watcher.wait_state("ready")
    for i in range(CYCLES + 5):
        watcher.service.want("face")
        watcher.wait_filmed(0.0)
        watcher.service.unwant("face")
        until(lambda: camera.viewers == 0 and not grabbers())
        if i == 4:
            before, memory = held(), psutil.Process().memory_info().rss
    until(lambda: all(now <= then for now, then in zip(held(), before, strict=True)))
    assert psutil.Process().memory_info().rss - memory < 50e6
    assert camera.openings[Eye.RGB] >= CYCLES and watcher.states == [("ready", "")]


# ------------------------------------------------------------------------------ CA-06: opened again without closing


def test_ca_06_close_precedes_every_open(camera: CameraEmulator, monkeypatch: pytest.MonkeyPatch) -> None:
    log: list[str] = []
    monkeypatch.setattr(service, "open_source", lambda spec, config: Recorded(spec, config, log))
    watcher = Watcher.of(camera)
    try:
        watcher.service.want("face")
        for fault in (Fault.UNPLUGGED, Fault.FROZEN, Fault.STALLED):
            watcher.wait_state("ready")
            camera.order(fault)
            watcher.wait(lambda: watcher.states[-1][0] == "offline")
            camera.order(Fault.NONE)
        watcher.wait_state("ready")
        watcher.service.unwant("face")
        until(lambda: log[-1] == "close")
        watcher.service.want("face")
        until(lambda: log[-1] == "open")
    finally:
        watcher.end()
    until(lambda: log[-1] == "close")
    assert log == ["open", "close"] * (len(log) // 2) and len(log) >= 8


def test_ca_06_a_driver_that_hangs_is_never_opened_a_second_time(monkeypatch: pytest.MonkeyPatch) -> None:
    stuck = Stuck()
    monkeypatch.setattr(service, "open_source", stuck.open)
    monkeypatch.setattr(service, "_HANGS_S", 2.0)
    watcher = Watcher(CameraConfig(stale_s=0.3))
    try:
        watcher.service.want("face")
        watcher.wait_state("offline", "driver_hangs")
        assert stuck.opened == 1 and stuck.closed == 0
        (name,) = watcher.service.left_behind
        assert name in {thread.name for thread in threading.enumerate()} and name.startswith("camera-grabber-")
        stuck.let_go.set()
        watcher.wait_state("ready")
        assert stuck.opened == 2 and stuck.closed == 1 and watcher.service.left_behind == ()
    finally:
        stuck.let_go.set()
        watcher.end()


# ------------------------------------------------------------------------------ AT-09 and stopping


def test_at_09_at_rest_it_is_closed_and_costs_nothing(camera: CameraEmulator, watcher: Watcher) -> None:
    watcher.wait_state("ready")
    until(lambda: camera.viewers == 0)
    (thread,) = (thread for thread in threading.enumerate() if thread.name == "device-camera")
    before = cpu_s(thread)
    time.sleep(2)
    assert cpu_s(thread) - before <= 0.02
    assert not grabbers()


def cpu_s(thread: threading.Thread) -> float:
    (times,) = (times for times in psutil.Process().threads() if times.id == thread.native_id)
    return float(times.user_time + times.system_time)


def rests(watcher: Watcher) -> None:
    watcher.wait_state("ready")


def films(watcher: Watcher) -> None:
    watcher.service.want("face")
    watcher.wait(lambda: bool(watcher.frames))


def is_lost(watcher: Watcher) -> None:
    watcher.service.want("face")
    watcher.wait(lambda: watcher.states[-1:] != [] and watcher.states[-1][0] == "offline")


@pytest.mark.parametrize(("fault", "state"), [
    (Fault.NONE, rests), (Fault.NONE, films), (Fault.UNPLUGGED, is_lost), (Fault.FROZEN, is_lost), (Fault.STALLED, is_lost),
])
def test_it_stops_at_once_in_every_state(camera: CameraEmulator, fault: Fault, state: Callable[[Watcher], None]) -> None:
    """Within 100 ms; the best of some tries, since this machine may be busy."""
    took = []
    while not took or (min(took) > 0.1 and len(took) < 4):
        watcher = Watcher.of(camera)
        camera.order(fault)
        state(watcher)
        began = time.monotonic()
        watcher.end()
        took.append(time.monotonic() - began)
    assert min(took) <= 0.1
    camera.order(Fault.NONE)


def test_it_stops_at_once_while_a_driver_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    took = []
    while not took or (min(took) > 0.1 and len(took) < 4):
        stuck = Stuck()
        monkeypatch.setattr(service, "open_source", stuck.open)
        watcher = Watcher(CameraConfig(stale_s=30))
        films(watcher)
        time.sleep(0.1)
        began = time.monotonic()
        watcher.end()
        took.append(time.monotonic() - began)
        assert len(watcher.service.left_behind) == 1
        stuck.let_go.set()
        until(lambda: watcher.service.left_behind == ())  # noqa: B023
    assert min(took) <= 0.1
