"""Sources of frames: a folder, a film, a stream, and what is not there."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from kiosk.config import CameraConfig
from kiosk.devices.camera.frames import Format, Frame
from kiosk.devices.camera.source import open_source
from kiosk.devices.emulated.camera import CameraEmulator, Fault
from kiosk.devices.emulated.people import Person
from kiosk.devices.service import DeviceLost

QUICK = CameraConfig(fps=60)


def picture(grey: int) -> Frame:
    return np.full((48, 64, 3), grey, dtype=np.uint8)


@pytest.fixture(scope="module")
def camera() -> Iterator[CameraEmulator]:
    camera = CameraEmulator(person=Person.NOBODY)
    yield camera
    camera.stop()


def lost(spec: str) -> str:
    with pytest.raises(DeviceLost) as caught:
        open_source(spec, QUICK)
    return caught.value.reason


def test_a_folder_is_played_by_name_and_again(tmp_path: Path) -> None:
    for name, grey in (("b.png", 200), ("a.png", 100)):
        cv2.imwrite(str(tmp_path / name), picture(grey))
    (tmp_path / "notes.txt").write_text("no picture")
    source = open_source(str(tmp_path), QUICK)
    assert [int(source.read().frame[0, 0, 0]) for _ in range(5)] == [100, 200, 100, 200, 100]
    source.close()


def test_a_folder_keeps_its_pace(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), picture(100))
    source = open_source(str(tmp_path), CameraConfig(fps=50))
    began = time.monotonic()
    for _ in range(10):
        source.read()
    assert time.monotonic() - began >= 0.19


def test_a_broken_picture_in_a_folder_is_not_a_frame(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), picture(100))
    (tmp_path / "b.png").write_bytes(b"not a picture")
    source = open_source(str(tmp_path), QUICK)
    source.read()
    with pytest.raises(DeviceLost, match="stale"):
        source.read()
    (tmp_path / "a.png").unlink()
    assert lost(str(tmp_path)) == "stale"


def test_a_film_begins_again(tmp_path: Path) -> None:
    path = tmp_path / "film.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10.0, (64, 48))
    for grey in (40, 120, 200):
        writer.write(picture(grey))
    writer.release()
    source = open_source(str(path), QUICK)
    greys = [round(float(source.read().frame.mean()), -1) for _ in range(7)]
    assert greys == [40, 120, 200, 40, 120, 200, 40]
    source.close()


def test_a_stream_is_opened_like_a_camera(camera: CameraEmulator) -> None:
    source = open_source(camera.stream, QUICK)
    began = time.monotonic()
    shots = [source.read() for _ in range(3)]
    source.close()
    frames = [shot.frame for shot in shots]
    assert began < shots[0].t < shots[1].t < shots[2].t
    assert source.format == Format("stream", 640, 480, source.format.fps)
    assert all(frame.shape == (480, 640, 3) and frame.dtype == np.uint8 for frame in frames)
    assert not np.array_equal(frames[0], frames[1])


def test_a_stream_that_ends_is_lost(camera: CameraEmulator) -> None:
    source = open_source(camera.stream, QUICK)
    source.read()
    camera.order(Fault.UNPLUGGED)
    try:
        with pytest.raises(DeviceLost, match="stale"):
            for _ in range(100):
                source.read()
        assert lost(camera.stream) == "no_device"
    finally:
        camera.order(Fault.NONE)
        source.close()


@pytest.mark.parametrize("spec", ["/dev/kiosk-no-such-camera", "0", "no/such/film.avi", "http://127.0.0.1:9/stream"])
def test_what_is_not_there_and_no_index(spec: str) -> None:
    assert lost(spec) == "no_device"


def test_a_character_device_that_is_no_camera() -> None:
    assert lost("/dev/null") == "no_device"


def test_an_empty_folder_and_a_file_that_is_no_film(tmp_path: Path) -> None:
    assert lost(str(tmp_path)) == "no_device"
    (tmp_path / "film.avi").write_bytes(b"not a film")
    assert lost(str(tmp_path / "film.avi")) == "no_device"
