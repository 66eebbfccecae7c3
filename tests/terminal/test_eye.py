"""Camera and face process as one port: who is read beside a task, and that no answer comes for somebody who has gone."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from kiosk.domain.enrolment import Lookalike, NamedLookalike
from kiosk.domain.face_task import Enrol, FaceTask, Verify
from kiosk.domain.status import DeviceKind, DeviceState, DeviceStatus
from kiosk.domain.trouble import FaceTrouble
from kiosk.face.base import FaceBase
from kiosk.flow import events as ev
from kiosk.terminal.eye import Eye

BASE = FaceBase.of("engine", [])
READY = DeviceStatus(DeviceKind.CAMERA, DeviceState.READY)
LOST = DeviceStatus(DeviceKind.CAMERA, DeviceState.OFFLINE, "no_device")


class Room:
    """Camera, face process and roster at once; notes what it is told. The roster answers when it is let."""

    def __init__(self) -> None:
        self.status = READY
        self.began: list[tuple[FaceTask, FaceBase | None, int | None]] = []
        self.ended = 0
        self.wanted = False
        self.base: FaceBase | Exception | None = BASE
        self.let = threading.Event()
        self.let.set()

    def begin(self, task: FaceTask, base: FaceBase | None = None, own: int | None = None) -> None:
        self.began.append((task, base, own))

    def end(self) -> None:
        self.ended += 1

    def want(self, holder: str) -> None:
        self.wanted = True

    def unwant(self, holder: str) -> None:
        self.wanted = False

    def wanted_for(self, task: FaceTask) -> bool:
        return isinstance(task, Enrol)

    def beside(self, task: FaceTask) -> tuple[FaceBase | None, int | None]:
        assert threading.current_thread() is not threading.main_thread(), "the screen would wait for the roster"
        self.let.wait(10)
        if isinstance(self.base, Exception):
            raise self.base
        return self.base, 3

    def names(self, lookalikes: tuple[Lookalike, ...]) -> tuple[NamedLookalike, ...]:
        return ()


class House:
    def __init__(self) -> None:
        self.room = Room()
        self.posted: list[ev.Event] = []
        self.eye = Eye(self.room, self.room, self.room, self.posted.append)  # type: ignore[arg-type]


@pytest.fixture
def house() -> Iterator[House]:
    house = House()
    yield house
    house.room.let.set()
    house.eye.stop()


def test_a_verification_begins_at_once_and_alone(house: House) -> None:
    task = Verify(())
    house.eye.begin(task)
    assert house.room.began == [(task, None, None)] and house.room.wanted


def test_an_enrolment_is_held_against_the_people_enrolled_here(house: House) -> None:
    task = Enrol("999901199003070017")
    house.eye.begin(task)
    house.eye.stop()
    assert house.room.began == [(task, BASE, 3)] and not house.posted


@pytest.mark.parametrize("base", [None, OSError("personal")])
def test_without_them_it_does_not_begin(house: House, base: Exception | None, caplog: pytest.LogCaptureFixture) -> None:
    """Nobody found alike because nobody was looked at would be a lie."""
    house.room.base = base
    house.room.let.clear()
    house.eye.begin(Enrol())
    house.room.let.set()
    house.eye._work.shutdown(wait=True)
    assert not house.room.began and house.posted == [ev.FaceFailed(FaceTrouble.UNAVAILABLE)]
    assert "personal" not in caplog.text


def test_who_has_gone_meanwhile_is_not_begun_with(house: House) -> None:
    house.room.let.clear()
    house.eye.begin(Enrol())
    house.eye.end()
    second = Verify(())
    house.eye.begin(second)
    house.room.let.set()
    house.eye._work.shutdown(wait=True)
    assert house.room.began == [(second, None, None)] and not house.posted


def test_a_camera_lost_before_or_in_a_try_ends_it_once(house: House) -> None:
    house.room.status = LOST
    house.eye.begin(Verify(()))
    assert house.posted == [ev.FaceFailed(FaceTrouble.CAMERA_LOST, "no_device")] and not house.room.began
    house.eye.on_camera(LOST)
    assert len(house.posted) == 1
    house.room.status = READY
    house.eye.begin(Verify(()))
    house.eye.on_camera(LOST)
    house.eye.on_camera(LOST)
    assert len(house.posted) == 2
    house.eye.end()
    house.eye.on_camera(LOST)
    assert len(house.posted) == 2 and not house.room.wanted
