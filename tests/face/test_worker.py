"""The face process as it runs: spawned, killed, stopped, without models; and what it leaves behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest

from kiosk.config.face import FaceConfig
from kiosk.devices.emulated.actor import Actor
from kiosk.devices.emulated.people import Person, living_portrait
from kiosk.devices.emulated.warp import FPS
from kiosk.domain.coaching import Coach, FlashPlan, Progress
from kiosk.domain.decision import FaceEvidence
from kiosk.domain.enrolment import EnrolmentEvidence
from kiosk.domain.enrolment import View as Side
from kiosk.domain.face_task import Enrol, Verify
from kiosk.domain.liveness import Check, CheckOutcome, Profile
from kiosk.domain.roster import FaceTemplate
from kiosk.domain.status import DeviceState, DeviceStatus
from kiosk.domain.trouble import FaceTrouble
from kiosk.face.base import FaceBase
from kiosk.face.client import Brings, FaceClient

Templates = tuple[FaceTemplate, ...]


class Room:
    """A client with its callbacks collected, and on demand a camera thread with somebody who does what is asked."""

    def __init__(self, config: FaceConfig, size: tuple[int, int] = (640, 480)) -> None:
        self.events: list[Brings] = []
        self.states: list[DeviceStatus] = []
        self.changed = threading.Condition()
        self.client = FaceClient(config, size, self._event, self._status)
        self._filming = threading.Event()
        self._camera: threading.Thread | None = None
        self._actor: Actor | None = None

    def _event(self, event: Brings) -> None:
        if self._actor is not None and isinstance(event, Coach):
            self._actor.hear(event.value, time.monotonic())
        with self.changed:
            self.events.append(event)
            self.changed.notify_all()

    def _status(self, status: DeviceStatus) -> None:
        with self.changed:
            self.states.append(status)
            self.changed.notify_all()

    def wait(self, condition: Callable[[], bool], seconds: float = 30.0) -> None:
        with self.changed:
            assert self.changed.wait_for(condition, seconds), (self.events, self.states)

    def wait_ready(self) -> None:
        self.wait(lambda: bool(self.states) and self.states[-1].state is DeviceState.READY)

    @property
    def ends(self) -> list[FaceEvidence | EnrolmentEvidence | FaceTrouble]:
        return [event for event in self.events if not isinstance(event, Coach | Progress | FlashPlan)]

    def film(self, person: Person = Person.CARDHOLDER, scale: float = 1.0, infrared: bool = False) -> None:
        self.stop_filming()
        self._actor = actor = Actor(living_portrait(person), np.random.default_rng(5))
        self._filming.set()

        def run() -> None:
            while self._filming.is_set():
                t = time.monotonic()
                rgb, ir = actor.pair(t) if infrared else (actor.frame(t), None)
                bgr = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), dtype=np.uint8)
                if scale != 1:
                    bgr = np.asarray(cv2.resize(bgr, None, fx=scale, fy=scale), dtype=np.uint8)
                self.client.offer(bgr, t, ir, t)
                time.sleep(max(0.0, t + 1 / FPS - time.monotonic()))

        self._camera = threading.Thread(target=run)
        self._camera.start()

    def stop_filming(self) -> None:
        self._filming.clear()
        if self._camera is not None:
            self._camera.join()

    def close(self) -> None:
        self.stop_filming()
        self.client.stop()


def workers(parent: int | None = None) -> list[psutil.Process]:
    return [child for child in psutil.Process(parent).children() if "spawn_main" in " ".join(child.cmdline())]


def segments(pid: int | str = "self") -> set[Path]:
    """The shared memory of one process; other tests have theirs at the same time."""
    maps = Path(f"/proc/{pid}/maps").read_text(encoding="utf-8")
    return {Path(line.split()[-1]) for line in maps.splitlines() if "/dev/shm/psm_" in line and "(deleted)" not in line}


def gone(paths: set[Path]) -> bool:
    return not any(path.exists() for path in paths)


@pytest.fixture
def room() -> Iterator[Room]:
    room = Room(FaceConfig(heartbeat_s=1.5))
    room.client.start()
    try:
        yield room
    finally:
        mine = segments()
        room.close()
    assert workers() == [] and gone(mine) and not segments()
    assert room.client.status.state is DeviceState.UNKNOWN


def test_evidence_arrives_and_a_killed_process_is_replaced(room: Room, templates: Templates) -> None:
    assert room.client.status.state is DeviceState.UNKNOWN
    room.wait_ready()
    room.film()
    room.client.begin(Verify(templates))
    room.wait(lambda: len(room.ends) == 1)
    evidence = room.ends[0]
    assert isinstance(evidence, FaceEvidence)
    assert evidence.report.suffices and evidence.distance < 0.15 and evidence.photos and evidence.clip
    assert any(isinstance(event, Progress) for event in room.events)
    assert room.events[-2] is Coach.WORKING

    heard = len(room.events)
    room.client.begin(Verify(templates))
    room.wait(lambda: Coach.HOLD_STILL in room.events[heard:])
    workers()[0].kill()
    room.wait(lambda: len(room.ends) == 2)
    assert room.ends[1] is FaceTrouble.UNAVAILABLE
    room.client.begin(Verify(templates))  # while there is no process: an answer at once, not silence
    room.wait(lambda: len(room.ends) == 3)
    assert room.ends[2] is FaceTrouble.UNAVAILABLE
    assert ("offline", "died") in [(status.state.value, status.reason) for status in room.states]

    room.wait_ready()
    room.client.begin(Verify(templates))
    room.wait(lambda: len(room.ends) == 4)
    assert isinstance(room.ends[3], FaceEvidence)


def test_a_stalled_process_is_replaced(room: Room, templates: Templates) -> None:
    room.wait_ready()
    room.film()
    room.client.begin(Verify(templates))
    room.wait(lambda: len(room.events) > 0)
    stalled = workers()[0]
    stalled.send_signal(signal.SIGSTOP)
    room.wait(lambda: room.ends == [FaceTrouble.UNAVAILABLE])
    assert (room.states[-1].state, room.states[-1].reason) == (DeviceState.OFFLINE, "stalled")
    room.wait_ready()
    assert not stalled.is_running()


def test_an_ended_try_is_not_heard_of_again_and_leaves_no_picture(templates: Templates) -> None:
    room = Room(FaceConfig())
    room.client.start()
    try:
        (segment,) = segments()
        room.client.begin(Verify(templates))  # before the models are loaded: waits
        room.film()
        room.wait(lambda: Coach.HOLD_STILL in room.events)
        assert any(segment.read_bytes())
        room.client.end()
        assert not any(segment.read_bytes())
        heard = len(room.events)
        time.sleep(0.5)  # offers go on, nobody listens
        assert len(room.events) == heard
        assert not any(segment.read_bytes())
    finally:
        room.close()


def test_frames_larger_than_agreed_are_shrunk(templates: Templates) -> None:
    room = Room(FaceConfig(), size=(640, 360))
    room.client.start()
    try:
        room.wait_ready()
        room.film(scale=2.0)
        room.client.begin(Verify(templates))
        room.wait(lambda: len(room.ends) == 1)
        assert isinstance(room.ends[0], FaceEvidence) and room.ends[0].distance < 0.25
    finally:
        room.close()


def test_both_halves_of_a_binocular_camera_arrive(room: Room, templates: Templates) -> None:
    room.wait_ready()
    room.film(infrared=True)
    room.client.begin(Verify(templates, Profile.INFRARED))
    room.wait(lambda: len(room.ends) == 1)
    evidence = room.ends[0]
    assert isinstance(evidence, FaceEvidence)
    assert evidence.report.of(Check.INFRARED).outcome is CheckOutcome.PASSED, evidence.report.checks


def test_an_enrolment_goes_the_same_way_and_knows_who_looks_alike(room: Room, templates: Templates) -> None:
    room.wait_ready()
    room.film()
    base = FaceBase.of(room.client.engine, [(), templates])
    room.client.begin(Enrol(), base, own=0)
    room.wait(lambda: len(room.ends) == 1, 60)
    evidence = room.ends[0]
    assert isinstance(evidence, EnrolmentEvidence)
    assert [one.view for one in evidence.captures] == [Side.FRONT, Side.LEFT, Side.RIGHT] and evidence.consistent
    assert [one.owner for one in evidence.lookalikes] == [1]
    heard = len(room.ends)
    room.film()  # looks ahead again
    room.client.begin(Enrol(), base, own=1)
    room.wait(lambda: len(room.ends) == heard + 1, 60)
    again = room.ends[-1]
    assert isinstance(again, EnrolmentEvidence) and again.lookalikes == ()


@pytest.mark.parametrize(
    ("file", "content", "reason"),
    [
        ("face_recognition_models/__init__.py", "", "models_missing"),
        ("pkg_resources.py", "raise ImportError", "library_broken"),  # there the library ends its process, status 0
    ],
)
def test_without_models_the_state_says_so_and_tries_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, content: str, reason: str
) -> None:
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text(content)
    monkeypatch.syspath_prepend(tmp_path)
    room = Room(FaceConfig())
    room.client.start()
    try:
        room.client.begin(Verify(()))
        room.wait(lambda: len(room.states) == 1)
        assert (room.states[0].state, room.states[0].reason) == (DeviceState.OFFLINE, reason)
        room.wait(lambda: room.ends == [FaceTrouble.UNAVAILABLE])
    finally:
        room.close()


def test_a_killed_terminal_takes_its_face_process_with_it() -> None:
    """Even one that does not read its pipe just then."""
    script = """
        import time
        from kiosk.config import FaceConfig
        from kiosk.face.client import FaceClient

        if __name__ == "__main__":
            FaceClient(FaceConfig(), (640, 480), lambda event: None, lambda status: print(status.state.value, flush=True)).start()
            time.sleep(60)
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as terminal:
        assert terminal.stdout is not None and terminal.stdout.readline() == b"ready\n"
        mine, children = segments(terminal.pid), psutil.Process(terminal.pid).children()
        assert mine
        for child in workers(terminal.pid):
            child.suspend()
        os.kill(terminal.pid, signal.SIGKILL)
    assert psutil.wait_procs(children, timeout=5)[1] == []
    deadline = time.monotonic() + 5  # the tracker of shared memory cleans up behind it
    while not gone(mine) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert gone(mine)
