"""What is plugged into this computer, and the udev rule that gives a socket its stable name."""

from __future__ import annotations

import os
from pathlib import Path

from serial.tools import list_ports

from kiosk.domain.status import DeviceKind

_UDEV_DATABASE = Path("/run/udev/data")
_CAMERAS = Path("/dev/v4l/by-path")


def serial_ports() -> dict[str, str]:
    """Path and what the system calls it, by path. Opens nothing."""
    return {port.device: port.description for port in sorted(list_ports.comports()) if port.device}


def cameras(folder: Path = _CAMERAS) -> list[str]:
    """The picture nodes of the cameras by their socket; the others of a camera carry metadata."""
    return sorted(str(path) for path in folder.glob("*-video-index0"))


def socket_of(path: str, database: Path = _UDEV_DATABASE) -> str | None:
    """ID_PATH of a device node: the way through hubs to its socket, the same after every replug. None: udev knows none."""
    try:
        number = os.stat(path).st_rdev
        entries = (database / f"c{os.major(number)}:{os.minor(number)}").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    return next((entry.removeprefix("E:ID_PATH=") for entry in entries if entry.startswith("E:ID_PATH=")), None)


def udev_rule(kind: DeviceKind, socket: str) -> str:
    """The line for /etc/udev/rules.d that calls whatever is in that socket /dev/kiosk/<kind>."""
    if kind is DeviceKind.CAMERA:
        where = f'SUBSYSTEM=="video4linux", ATTR{{index}}=="0", ENV{{ID_PATH}}=="{socket}"'
        return f'{where}, SYMLINK+="kiosk/camera", GROUP="video", MODE="0660"'
    where = f'SUBSYSTEM=="tty", ENV{{ID_PATH}}=="{socket}"'
    return f'{where}, SYMLINK+="kiosk/{kind.value}", GROUP="dialout", MODE="0660", ENV{{ID_MM_DEVICE_IGNORE}}="1"'
