"""Where frames come from: a V4L2 device by its stable name, a video file, a folder of pictures, or a stream.

All calls block for at most a few seconds and belong to one thread. Frames are BGR, as OpenCV delivers them.
"""

from __future__ import annotations

import time
from itertools import cycle
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from kiosk.devices.service import DeviceLost

Frame = npt.NDArray[np.uint8]
"""(height, width, 3), BGR, not mirrored. Every frame is an array of its own."""

_OPEN_MS = 3000
_READ_MS = 3000
_PICTURES = frozenset({".jpg", ".jpeg", ".png", ".bmp"})


class FrameSource(Protocol):
    def read(self) -> Frame:
        """The next frame, when it is time for it. Raises DeviceLost."""

    def close(self) -> None: ...


def open_source(spec: str, width: int, height: int, fps: float) -> FrameSource:
    """Size and rate are wishes: a device gives what it has, files and streams give what they are.

    Never by index: indexes move when a second camera or its metadata node appears.
    Raises DeviceLost("no_device") when there is nothing to open.
    """
    if spec.startswith(("http://", "https://")):
        timeouts = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, _OPEN_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, _READ_MS]
        return _Capture(cv2.VideoCapture(spec, cv2.CAP_FFMPEG, timeouts))
    path = Path(spec)
    if path.is_char_device():
        return _Capture(_v4l2(spec, width, height, fps))
    if path.is_dir():
        return _Folder(path, fps)
    if path.is_file():
        return _VideoFile(spec, fps)
    raise DeviceLost("no_device")


def _v4l2(spec: str, width: int, height: int, fps: float) -> cv2.VideoCapture:
    capture = cv2.VideoCapture(spec, cv2.CAP_V4L2)
    capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))  # raw 720p does not fit USB 2 at 25 fps
    capture.set(cv2.CAP_PROP_FRAME_WIDTH, width)
    capture.set(cv2.CAP_PROP_FRAME_HEIGHT, height)
    capture.set(cv2.CAP_PROP_FPS, fps)
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    return capture


class _Capture:
    """A live source: paces itself."""

    def __init__(self, capture: cv2.VideoCapture) -> None:
        if not capture.isOpened():
            capture.release()
            raise DeviceLost("no_device")
        self._capture = capture

    def read(self) -> Frame:
        got, frame = self._capture.read()
        if not got:
            raise DeviceLost("stale")
        return np.asarray(frame, dtype=np.uint8)

    def close(self) -> None:
        self._capture.release()


class _Pace:
    """Even steps on the monotonic clock; a late reader is not chased."""

    def __init__(self, fps: float) -> None:
        self._step = 1 / fps
        self._next = time.monotonic()

    def wait(self) -> None:
        now = time.monotonic()
        self._next = max(self._next + self._step, now)
        time.sleep(self._next - now)


class _VideoFile:
    """Begins again at its end."""

    def __init__(self, path: str, fps: float) -> None:
        self._path = path
        self._live = _Capture(cv2.VideoCapture(path, cv2.CAP_FFMPEG))
        self._pace = _Pace(fps)

    def read(self) -> Frame:
        self._pace.wait()
        try:
            return self._live.read()
        except DeviceLost:
            self._live.close()
        self._live = _Capture(cv2.VideoCapture(self._path, cv2.CAP_FFMPEG))
        return self._live.read()

    def close(self) -> None:
        self._live.close()


class _Folder:
    """Its pictures by name, over and over."""

    def __init__(self, folder: Path, fps: float) -> None:
        pictures = sorted(path for path in folder.iterdir() if path.suffix.lower() in _PICTURES)
        if not pictures:
            raise DeviceLost("no_device")
        self._pictures = cycle(pictures)
        self._pace = _Pace(fps)

    def read(self) -> Frame:
        self._pace.wait()
        frame = cv2.imread(str(next(self._pictures)), cv2.IMREAD_COLOR)
        if frame is None:
            raise DeviceLost("stale")
        return np.asarray(frame, dtype=np.uint8)

    def close(self) -> None:
        pass
