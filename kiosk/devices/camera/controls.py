"""Exposure, brightness and their kin: the settings of a camera, by the numbers of the kernel's video interface.

They go to the driver directly, not through OpenCV, which has no name for the power-line frequency and does not
tell a refused value from a taken one. A camera keeps them until it is unplugged.
"""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Mapping
from typing import Protocol

from kiosk.config import CameraConfig

_BRIGHTNESS = 0x00980900
_AUTO_WHITE_BALANCE = 0x0098090C
_GAIN = 0x00980913
_POWER_LINE_FREQUENCY = 0x00980918
_EXPOSURE_AUTO = 0x009A0901
_EXPOSURE_ABSOLUTE = 0x009A0902

_MANUAL, _AUTO, _APERTURE_PRIORITY = 1, 0, 3
"""Of _EXPOSURE_AUTO. Most webcams know automatic exposure as aperture priority only."""
_EXPOSURE_UNIT_US = 100
_LINE_HZ = {0: 0, 50: 1, 60: 2}

_CONTROL = struct.Struct("=Ii")
"""struct v4l2_control: number, value."""
_GET, _SET = 0xC008561B, 0xC008561C
"""VIDIOC_G_CTRL, VIDIOC_S_CTRL."""


class Controls(Protocol):
    def get(self, number: int) -> int:
        """Raises OSError: no such control."""

    def set(self, number: int, value: int) -> None:
        """Raises OSError: the driver does not take it."""


class DeviceControls:
    """The controls of an open video device; it may be streaming elsewhere meanwhile."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def get(self, number: int) -> int:
        return int(_CONTROL.unpack(fcntl.ioctl(self._fd, _GET, _CONTROL.pack(number, 0)))[1])

    def set(self, number: int, value: int) -> None:
        fcntl.ioctl(self._fd, _SET, _CONTROL.pack(number, value))


def wanted(config: CameraConfig) -> Mapping[str, tuple[int, tuple[int, ...]]]:
    """Setting → its control and the values that mean it, the likelier first. What is None stays as the camera has it.

    In the order in which they are to be set: a driver takes an exposure only once it no longer chooses it itself.
    """
    exposure = None if config.exposure_us is None else config.exposure_us // _EXPOSURE_UNIT_US
    line = None if config.power_line_hz is None else _LINE_HZ[config.power_line_hz]
    every: list[tuple[str, int, int | None]] = [
        ("exposure_us", _EXPOSURE_ABSOLUTE, exposure),
        ("auto_white_balance", _AUTO_WHITE_BALANCE, config.auto_white_balance),
        ("brightness", _BRIGHTNESS, config.brightness),
        ("gain", _GAIN, config.gain),
        ("power_line_hz", _POWER_LINE_FREQUENCY, line),
    ]
    settings = {name: (number, (int(value),)) for name, number, value in every if value is not None}
    if config.auto_exposure is None:
        return settings
    modes = (_APERTURE_PRIORITY, _AUTO) if config.auto_exposure else (_MANUAL,)
    return {"auto_exposure": (_EXPOSURE_AUTO, modes), **settings}


def apply(controls: Controls, config: CameraConfig) -> tuple[str, ...]:
    """Sets what is wanted and reads it back. The names of the settings that did not become so."""
    settings = wanted(config).items()
    return tuple(name for name, (number, values) in settings if not any(_take(controls, number, value) for value in values))


def _take(controls: Controls, number: int, value: int) -> bool:
    try:
        controls.set(number, value)
        return controls.get(number) == value
    except OSError:
        return False


def open_quietly(path: str) -> int:
    """A file descriptor for questions and settings: opening waits for nothing and makes nobody's terminal."""
    return os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
