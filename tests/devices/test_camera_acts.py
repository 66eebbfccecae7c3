"""The emulated camera over real HTTP: the person acts when told to, every picture is new, nobody watching costs nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator

import cv2
import httpx
import numpy as np
import psutil
import pytest
from camera_watcher import until

from kiosk.devices.emulated.camera import CameraEmulator
from kiosk.devices.emulated.people import Person
from kiosk.devices.emulated.warp import FPS, Picture

EYES = np.s_[195:222, 265:375]
FACE = np.s_[150:330, 240:400]


@pytest.fixture(scope="module")
def camera() -> Iterator[CameraEmulator]:
    camera = CameraEmulator()
    yield camera
    camera.stop()


class Stream:
    """Reads parts of a multipart stream, one JPEG at a time."""

    def __init__(self, address: str) -> None:
        self._response = httpx.stream("GET", address, timeout=20)
        self._bytes = self._response.__enter__().iter_bytes()
        self._held = b""

    def jpeg(self) -> bytes:
        while (begin := self._held.find(b"\xff\xd8")) < 0 or (end := self._held.find(b"\xff\xd9\r\n", begin)) < 0:
            self._held += next(self._bytes)
        picture, self._held = self._held[begin : end + 2], self._held[end + 2 :]
        return picture

    def picture(self) -> Picture:
        return np.asarray(cv2.imdecode(np.frombuffer(self.jpeg(), np.uint8), cv2.IMREAD_UNCHANGED), dtype=np.uint8)

    def close(self) -> None:
        self._response.__exit__(None, None, None)


@pytest.fixture
def stream(camera: CameraEmulator) -> Iterator[Stream]:
    stream = Stream(camera.stream)
    yield stream
    stream.close()
    until(lambda: camera.viewers == 0)


def act(camera: CameraEmulator, request: str) -> int:
    return httpx.post(f"{camera.address}/act/{request}").status_code


def strongest(stream: Stream, region: tuple[slice, slice], seconds: float) -> float:
    """The largest mean change of a region in grey levels, beside how it is now."""
    now = stream.picture().astype(int)[region]
    return max(float(np.abs(stream.picture().astype(int)[region] - now).mean()) for _ in range(round(seconds * FPS)))


def test_no_two_pictures_are_equal(stream: Stream) -> None:
    jpegs = [stream.jpeg() for _ in range(40)]
    assert len(set(jpegs)) == len(jpegs)
    one, other = (cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR).astype(int) for jpeg in jpegs[:2])
    assert np.abs(one - other)[:60, 560:].mean() > 0.5, "noise of its own, also where nothing moves"


@pytest.mark.parametrize(
    ("request_", "region", "least"), [("turn_left", FACE, 25), ("open_mouth", FACE, 14), ("blink", EYES, 17)],
)
def test_the_cardholder_does_what_is_asked(
    camera: CameraEmulator, stream: Stream, request_: str, region: tuple[slice, slice], least: float
) -> None:
    camera.show(Person.CARDHOLDER)
    stream.picture()
    stream.picture()
    for _ in range(3):  # a blink falls between two pictures when this machine is busy
        assert act(camera, request_) == 204
        if (moved := strongest(stream, region, 2.2)) > least:
            break
    assert moved > least


@pytest.mark.parametrize("person", [Person.STIFF, Person.PHOTO, Person.SCREEN])
def test_who_cannot_turn_does_not(camera: CameraEmulator, stream: Stream, person: Person) -> None:
    camera.show(person)
    stream.picture()
    stream.picture()
    assert act(camera, "turn_right") == 204
    assert strongest(stream, FACE, 2.2) < 22


def test_unknown_words_are_heard_and_not_acted_on_and_nonsense_is_refused(camera: CameraEmulator, stream: Stream) -> None:
    camera.show(Person.STIFF)
    assert [act(camera, word) for word in ("too_far", "look_ahead", "dance")] == [204, 204, 204]
    assert [act(camera, word) for word in ("", "Blink!", "a" * 41, "blink/blink")] == [404, 404, 404, 404]
    assert stream.picture().shape == (480, 640, 3)


def test_two_viewers_see_the_same_instant_and_infrared_beside_it(camera: CameraEmulator, stream: Stream) -> None:
    camera.show(Person.CARDHOLDER)
    other, infrared = Stream(camera.stream), Stream(camera.ir_stream)
    try:
        one, same = {stream.jpeg() for _ in range(25)}, {other.jpeg() for _ in range(25)}
        assert one & same
        assert infrared.picture().shape == (480, 640)
    finally:
        other.close()
        infrared.close()


def test_without_a_viewer_nothing_is_done(camera: CameraEmulator) -> None:
    until(lambda: camera.viewers == camera.ir_viewers == 0)
    before = psutil.Process().cpu_times()
    time.sleep(1.0)
    after = psutil.Process().cpu_times()
    assert after.user + after.system - before.user - before.system < 0.2
