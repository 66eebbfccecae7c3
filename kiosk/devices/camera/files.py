"""Frames out of files: a folder of pictures or a film, played over and over at an even pace."""

from __future__ import annotations

import time
from itertools import cycle
from pathlib import Path

import cv2
import numpy as np

from kiosk.devices.camera.frames import Format, Frame, Shot
from kiosk.devices.camera.stream import Live, opened, read_format
from kiosk.devices.service import DeviceLost

_PICTURES = frozenset({".jpg", ".jpeg", ".png", ".bmp"})


class _Pace:
    """Even steps on the monotonic clock; a late reader is not chased."""

    def __init__(self, fps: float) -> None:
        self._step = 1 / fps
        self._next = time.monotonic()

    def wait(self) -> None:
        now = time.monotonic()
        self._next = max(self._next + self._step, now)
        time.sleep(self._next - now)


class VideoFile:
    """Begins again at its end. Raises DeviceLost("no_device") when it is no film."""

    def __init__(self, path: Path, fps: float, refused: tuple[str, ...]) -> None:
        self._path = path
        self.refused = refused
        self._live = self._open()
        self.format = self._live.format
        self._pace = _Pace(fps)

    def read(self) -> Shot:
        self._pace.wait()
        try:
            return self._live.read()
        except DeviceLost:
            self._live.close()
        self._live = self._open()
        return self._live.read()

    def close(self) -> None:
        self._live.close()

    def _open(self) -> Live:
        capture = opened(cv2.VideoCapture(str(self._path), cv2.CAP_FFMPEG), "no_device")
        return Live(capture, read_format(capture, "file"), self.refused)


class Folder:
    """Its pictures by name. Raises DeviceLost("no_device") when there are none."""

    def __init__(self, folder: Path, fps: float, refused: tuple[str, ...]) -> None:
        pictures = sorted(path for path in folder.iterdir() if path.suffix.lower() in _PICTURES)
        if not pictures:
            raise DeviceLost("no_device")
        first = _picture(pictures[0])
        self.format = Format("folder", first.shape[1], first.shape[0], fps)
        self.refused = refused
        self._pictures = cycle(pictures)
        self._pace = _Pace(fps)

    def read(self) -> Shot:
        self._pace.wait()
        return Shot(_picture(next(self._pictures)), time.monotonic())

    def close(self) -> None:
        pass


def _picture(path: Path) -> Frame:
    frame = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if frame is None:
        raise DeviceLost("stale")
    return np.asarray(frame, dtype=np.uint8)
