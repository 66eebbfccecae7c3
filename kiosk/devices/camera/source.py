"""Where frames come from: a V4L2 device by its stable name, a video file, a folder of pictures, or a stream."""

from __future__ import annotations

from pathlib import Path

from kiosk.config import CameraConfig
from kiosk.devices.camera.controls import wanted
from kiosk.devices.camera.files import Folder, VideoFile
from kiosk.devices.camera.frames import FrameSource
from kiosk.devices.camera.stream import open_stream
from kiosk.devices.camera.v4l2 import open_v4l2
from kiosk.devices.service import DeviceLost

_STREAMS = "http://", "https://"


def open_source(spec: str, config: CameraConfig) -> FrameSource:
    """Size, rate and settings are wishes: a device gives what it has, files and streams give what they are.

    Never by index: indexes move when a second camera or its metadata node appears.
    Raises DeviceLost("no_device") when there is nothing to open; open_v4l2 has further reasons.
    """
    settings = tuple(wanted(config))  # nothing but a device takes any
    if spec.startswith(_STREAMS):
        return open_stream(spec, settings)
    path = Path(spec)
    if path.is_char_device():
        return open_v4l2(path, config)
    if path.is_dir():
        return Folder(path, config.fps, settings)
    if path.is_file():
        return VideoFile(path, config.fps, settings)
    raise DeviceLost("no_device")


def is_there(spec: str) -> bool:
    """Whether its name exists; asked without opening it. Of a stream that cannot be told."""
    return spec.startswith(_STREAMS) or Path(spec).exists()
