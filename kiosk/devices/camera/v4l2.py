"""A camera of the kernel's video interface: is it one, what format does it agree to, does it take its settings.

Not run on hardware: this was written without a camera at hand. What could run is tested: devices that are no
cameras, the answer of the driver byte by byte, the negotiation and the settings against their Protocols.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2

from kiosk.config import CameraConfig
from kiosk.devices.camera.controls import DeviceControls, apply, open_quietly
from kiosk.devices.camera.negotiation import negotiate
from kiosk.devices.camera.stream import Live, opened
from kiosk.devices.service import DeviceLost

os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "3")  # seconds; by itself OpenCV waits 10 for a frame

_VIDEO_MAJOR = 81
_CAPABILITY = struct.Struct("=16s32s32sIII12x")
"""struct v4l2_capability: driver, card, bus, version, what the whole device can, what this node can."""
_QUERY_CAPABILITY = 0x80685600
"""VIDIOC_QUERYCAP."""
_VIDEO_CAPTURE, _VIDEO_CAPTURE_MPLANE = 0x1, 0x1000
_NODE_ANSWERS = 0x80000000
"""V4L2_CAP_DEVICE_CAPS: the node's own abilities are told apart from the device's."""
_OPEN_REASONS = {errno.EACCES: "port_denied", errno.EPERM: "port_denied"}


@dataclass(frozen=True, slots=True)
class Capability:
    """How a video node describes itself."""

    driver: str
    card: str
    bus: str
    """`usb-…` and the plug for a USB camera."""
    captures: bool
    """This node gives pictures. A USB camera has a second node that gives only data about them."""

    @property
    def on_usb(self) -> bool:
        return self.bus.startswith("usb-")


def parse_capability(answer: bytes) -> Capability:
    """The 104 bytes of VIDIOC_QUERYCAP."""
    driver, card, bus, _, device, node = _CAPABILITY.unpack(answer)
    abilities = node if device & _NODE_ANSWERS else device
    return Capability(_text(driver), _text(card), _text(bus), bool(abilities & (_VIDEO_CAPTURE | _VIDEO_CAPTURE_MPLANE)))


def open_v4l2(path: Path, config: CameraConfig) -> Live:
    """Raises DeviceLost:

    `no_device` no video device · `port_denied` no permission · `wrong_device` a node that gives no pictures, such as
    the metadata node of a camera · `virtual_camera` not on USB: software can feed it anything · `not_opened` in use
    elsewhere, or nothing OpenCV can read · `no_format` only pictures too small for a face.
    """
    with _asked(path) as fd:
        capability = _capability(fd)
        if not capability.captures:
            raise DeviceLost("wrong_device")
        if not capability.on_usb:
            raise DeviceLost("virtual_camera")
        capture = opened(cv2.VideoCapture(str(path), cv2.CAP_V4L2), "not_opened")
        try:
            format = negotiate(capture, config)
            capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # the newest frame, not the oldest of four
            return Live(capture, format, apply(DeviceControls(fd), config), stamped=True)
        except BaseException:
            capture.release()
            raise


@contextlib.contextmanager
def _asked(path: Path) -> Iterator[int]:
    """An open descriptor of a video device. Anything else is not even opened: it may be the printer's line."""
    if not _is_video(path):
        raise DeviceLost("no_device")
    try:
        fd = open_quietly(str(path))
    except OSError as error:
        raise DeviceLost(_OPEN_REASONS.get(error.errno or 0, "no_device")) from None
    try:
        yield fd
    finally:
        os.close(fd)


def _is_video(path: Path) -> bool:
    try:
        return os.major(path.stat().st_rdev) == _VIDEO_MAJOR
    except OSError:
        return False


def _capability(fd: int) -> Capability:
    try:
        return parse_capability(fcntl.ioctl(fd, _QUERY_CAPABILITY, bytes(_CAPABILITY.size)))
    except OSError:
        raise DeviceLost("no_device") from None


def _text(field: bytes) -> str:
    return field.split(b"\0", 1)[0].decode("ascii", "replace")
