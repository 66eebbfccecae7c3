"""Attack clips as files, one per task of a worker process. Every frame is marked."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from kiosk.devices.emulated.attacks import Species, render_species
from kiosk.devices.emulated.warp import FPS
from kiosk.face.engine import Image, Points

_MARK, _MARK_AT = "DEMO {}", (12, 468)
_JPEG_QUALITY = 95
_CODECS = {".avi": "MJPG", ".mp4": "mp4v"}


@dataclass(frozen=True, slots=True)
class ClipTask:
    species: str
    seed: int
    clip: Path
    """Its suffix says how it is stored; without one it is a folder of JPEG pictures."""


_given: tuple[Image, Points, float]


def begin(still: Image, points: Points, seconds: float) -> None:
    global _given  # noqa: PLW0603  a pool hands its tasks nothing else
    _given = still, points, seconds


def render(task: ClipTask) -> None:
    """Under a hidden name until it is complete. Raises OSError."""
    still, points, seconds = _given
    kind = Species(task.species)
    frames = (_marked(frame, kind) for frame in render_species(still, points, kind, task.seed, seconds))
    draft = task.clip.with_name(f".{task.clip.name}")
    if task.clip.suffix:
        _write_film(draft, frames, _CODECS[task.clip.suffix])
    else:
        _write_folder(draft, frames)
    draft.rename(task.clip)


def _marked(rgb: Image, species: Species) -> Image:
    """BGR."""
    bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    cv2.putText(bgr, _MARK.format(species.value), _MARK_AT, cv2.FONT_HERSHEY_SIMPLEX, 0.8, (200, 200, 200), 2)
    return np.asarray(bgr, dtype=np.uint8)


def _write_folder(folder: Path, frames: Iterable[Image]) -> None:
    shutil.rmtree(folder, ignore_errors=True)  # of a run that was killed
    folder.mkdir(0o700)
    for number, frame in enumerate(frames):
        data = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1].tobytes()
        (folder / f"{number:05}.jpg").write_bytes(data)


def _write_film(path: Path, frames: Iterable[Image], codec: str) -> None:
    film = cv2.VideoWriter()
    for frame in frames:
        if not film.isOpened():
            size = frame.shape[1], frame.shape[0]
            if not film.open(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*codec), FPS, size):
                raise OSError(0, f"{codec} cannot be encoded here")
        film.write(frame)
    film.release()
