"""The kernel's video interface without a camera: what is none, what a driver answers, what is asked of it.

No camera was at hand: these tests show our logic, not what any hardware does.
"""

from __future__ import annotations

import os
import struct
import time
from pathlib import Path

import cv2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from kiosk.config import CameraConfig, ConfigError, load_config
from kiosk.devices.camera import controls, v4l2
from kiosk.devices.camera.controls import DeviceControls, apply, open_quietly, wanted
from kiosk.devices.camera.frames import Format
from kiosk.devices.camera.negotiation import negotiate
from kiosk.devices.camera.source import open_source
from kiosk.devices.camera.v4l2 import parse_capability
from kiosk.devices.service import DeviceLost

CAPTURE, METADATA, STREAMING, NODE = 0x1, 0x00800000, 0x04000000, 0x80000000


def answer(driver: str, bus: str, device: int, node: int) -> bytes:
    return struct.pack("=16s32s32sIII12x", driver.encode(), b"Camera", bus.encode(), 0x060100, device, node)


# ------------------------------------------------------------------------------ what is no camera


@pytest.mark.parametrize("device", ["/dev/null", "/dev/zero", "/dev/tty"])
def test_other_devices_are_not_even_opened(tmp_path: Path, device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(v4l2, "open_quietly", lambda path: pytest.fail("opened"))
    link = tmp_path / "camera"
    link.symlink_to(device)
    began = time.monotonic()
    with pytest.raises(DeviceLost, match="no_device"):
        open_source(str(link), CameraConfig())
    assert time.monotonic() - began < 5


def test_a_serial_line_cabled_as_camera_hears_nothing(tmp_path: Path) -> None:
    master, slave = os.openpty()
    try:
        link = tmp_path / "camera"
        link.symlink_to(os.ttyname(slave))
        os.set_blocking(master, False)
        with pytest.raises(DeviceLost, match="no_device"):
            open_source(str(link), CameraConfig())
        with pytest.raises(BlockingIOError):
            os.read(master, 1)
    finally:
        os.close(master)
        os.close(slave)


# ------------------------------------------------------------------------------ what a node says of itself


def test_the_two_nodes_of_a_usb_camera() -> None:
    """`device` is equal for both, so only the node's own abilities tell them apart."""
    device = CAPTURE | METADATA | STREAMING | NODE
    bus = "usb-0000:00:14.0-3"
    pictures = parse_capability(answer("uvcvideo", bus, device, CAPTURE | STREAMING))
    metadata = parse_capability(answer("uvcvideo", bus, device, METADATA | STREAMING))
    assert pictures.captures and not metadata.captures
    assert pictures.on_usb and pictures.driver == "uvcvideo" and pictures.bus == bus


def test_an_old_driver_tells_only_of_the_device() -> None:
    assert parse_capability(answer("uvcvideo", "usb-1", CAPTURE, 0)).captures


def test_a_loop_back_device_is_not_on_usb() -> None:
    said = answer("v4l2 loopback", "platform:v4l2loopback-000", CAPTURE | NODE, CAPTURE)
    assert not parse_capability(said).on_usb


@given(st.binary(min_size=104, max_size=104))
def test_any_answer_is_read(said: bytes) -> None:
    capability = parse_capability(said)
    assert len(capability.driver) <= 16 and len(capability.bus) <= 32


# ------------------------------------------------------------------------------ the format


Mode = tuple[int, int, float]


class Camera:
    """Behaves like OpenCV on a device with these formats: yes to everything, and then the nearest it has."""

    def __init__(self, **formats: list[Mode]) -> None:
        self._formats = formats
        self._name = next(iter(formats))
        self._width = 0.0
        self.asked: list[str] = []

    def set(self, prop: int, value: float, /) -> bool:
        if prop == cv2.CAP_PROP_FOURCC:
            name = int(value).to_bytes(4, "little").decode()
            self.asked.append(name)
            self._name = name if name in self._formats else next(iter(self._formats))
        elif prop == cv2.CAP_PROP_FRAME_WIDTH:
            self._width = value
        return True

    def get(self, prop: int, /) -> float:
        width, height, fps = min(self._formats[self._name], key=lambda mode: abs(mode[0] - self._width))
        return {
            cv2.CAP_PROP_FOURCC: cv2.VideoWriter.fourcc(*self._name), cv2.CAP_PROP_FPS: fps,
            cv2.CAP_PROP_FRAME_WIDTH: width, cv2.CAP_PROP_FRAME_HEIGHT: height,
        }[prop]


RAW: list[Mode] = [(1280, 720, 8), (640, 480, 30)]
SMALL: list[Mode] = [(320, 240, 30)]


@pytest.mark.parametrize(("camera", "given"), [
    (Camera(YUYV=RAW, MJPG=[(1280, 720, 25), (640, 480, 30)]), Format("MJPG", 1280, 720, 25)),
    (Camera(MJPG=[(1920, 1080, 30)]), Format("MJPG", 1920, 1080, 30)),
    (Camera(YUYV=RAW), Format("YUYV", 640, 480, 30)),
    (Camera(MJPG=SMALL, YUYV=RAW), Format("YUYV", 640, 480, 30)),
    (Camera(GREY=[(1280, 800, 60)]), Format("GREY", 1280, 800, 60)),
    (Camera(NV12=[(640, 360, -1)]), Format("NV12", 640, 360, 0)),
])
def test_what_is_agreed_is_what_the_camera_gives(camera: Camera, given: Format) -> None:
    assert negotiate(camera, CameraConfig()) == given
    assert camera.asked[0] == "MJPG"


@pytest.mark.parametrize("camera", [Camera(MJPG=SMALL), Camera(YUYV=[(352, 288, 15)]), Camera(GREY=[(640, 200, 30)])])
def test_pictures_too_small_for_a_face_are_refused(camera: Camera) -> None:
    with pytest.raises(DeviceLost, match="no_format"):
        negotiate(camera, CameraConfig())


@given(st.integers(0, 2**32 - 1), st.integers(0, 5000), st.integers(0, 5000), st.floats(allow_nan=False))
def test_whatever_a_driver_answers_is_a_format_or_none(fourcc: int, width: int, height: int, fps: float) -> None:
    class Odd:
        def set(self, prop: int, value: float, /) -> bool:
            return False

        def get(self, prop: int, /) -> float:
            return {cv2.CAP_PROP_FOURCC: fourcc, cv2.CAP_PROP_FPS: fps, cv2.CAP_PROP_FRAME_WIDTH: width}.get(prop, height)

    try:
        assert negotiate(Odd(), CameraConfig()).large_enough
    except DeviceLost as lost:
        assert lost.reason == "no_format"


# ------------------------------------------------------------------------------ the settings


class Knobs:
    """The controls of a camera as the kernel presents them: unknown ones fail, values are kept within a range."""

    def __init__(self, ranges: dict[int, range]) -> None:
        self.ranges = ranges
        self.values = {number: values[0] for number, values in ranges.items()}
        self.order: list[int] = []

    def get(self, number: int) -> int:
        if number not in self.values:
            raise OSError
        return self.values[number]

    def set(self, number: int, value: int) -> None:
        self.order.append(number)
        if number == controls._EXPOSURE_AUTO and value not in self.ranges[number]:
            raise OSError  # a choice that is not on the menu
        if number not in self.ranges:
            raise OSError
        self.values[number] = min(max(value, self.ranges[number][0]), self.ranges[number][-1])


ALL = {
    controls._EXPOSURE_AUTO: range(1, 4, 2), controls._EXPOSURE_ABSOLUTE: range(3, 2048), controls._GAIN: range(101),
    controls._BRIGHTNESS: range(-64, 65), controls._AUTO_WHITE_BALANCE: range(2), controls._POWER_LINE_FREQUENCY: range(3),
}
BY_HAND = CameraConfig(
    auto_exposure=False, exposure_us=15000, brightness=-10, gain=20, auto_white_balance=False, power_line_hz=50,
)


def test_nothing_is_touched_that_is_not_configured() -> None:
    knobs = Knobs(ALL)
    assert apply(knobs, CameraConfig()) == () and knobs.order == []


def test_settings_are_taken_and_automatic_exposure_ends_before_an_exposure_is_set() -> None:
    knobs = Knobs(ALL)
    assert apply(knobs, BY_HAND) == ()
    assert knobs.order[:2] == [controls._EXPOSURE_AUTO, controls._EXPOSURE_ABSOLUTE]
    assert knobs.values == {
        controls._EXPOSURE_AUTO: 1, controls._EXPOSURE_ABSOLUTE: 150, controls._GAIN: 20,
        controls._BRIGHTNESS: -10, controls._AUTO_WHITE_BALANCE: 0, controls._POWER_LINE_FREQUENCY: 1,
    }


def test_automatic_exposure_in_the_way_the_camera_knows_it() -> None:
    webcam, other = Knobs(ALL), Knobs({controls._EXPOSURE_AUTO: range(2)})
    assert apply(webcam, CameraConfig(auto_exposure=True)) == () and webcam.values[controls._EXPOSURE_AUTO] == 3
    assert apply(other, CameraConfig(auto_exposure=True)) == () and other.values[controls._EXPOSURE_AUTO] == 0


def test_what_is_not_there_or_cut_to_its_range_is_named() -> None:
    knobs = Knobs({controls._BRIGHTNESS: range(11), controls._GAIN: range(101)})
    assert apply(knobs, CameraConfig(brightness=200, gain=7, power_line_hz=50)) == ("brightness", "power_line_hz")


def test_a_device_without_controls_refuses_each_in_words() -> None:
    fd = open_quietly("/dev/null")
    try:
        assert apply(DeviceControls(fd), BY_HAND) == tuple(wanted(BY_HAND))
    finally:
        os.close(fd)


def test_an_exposure_needs_the_automatic_off() -> None:
    with pytest.raises(ValidationError, match="auto_exposure = false"):
        CameraConfig(exposure_us=10000)
    with pytest.raises(ValidationError, match="multiple of 100"):
        CameraConfig(auto_exposure=False, exposure_us=10050)


@pytest.mark.parametrize("line", ['source = "/dev/video0"', 'ir_source = "/dev/video2"', 'ir_source = "http://127.0.0.1/ir"'])
def test_production_takes_stable_names_of_devices_only(tmp_path: Path, line: str) -> None:
    file = tmp_path / "terminal.toml"
    file.write_text(f"[camera]\n{line}\n")
    with pytest.raises(ConfigError, match="in production only"):
        load_config(file)
    file.write_text('[camera]\nsource = "/dev/v4l/by-path/pci-0000:00:14.0-usb-0:3:1.0-video-index0"\n')
    assert load_config(file).camera.source.endswith("index0")
