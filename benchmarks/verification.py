"""Comparing five frames in the face process, beside the bare calls of face_recognition on five such frames.

Ours is what the terminal waits for: from the worker's word that it has its frames to the evidence, camera still on.
Both run at the same niceness, in turns.
"""

from __future__ import annotations

import time
from pathlib import Path
from queue import SimpleQueue

import numpy as np
from cardholder import film, frames, templates
from figures import Figure, hand_over, median_and_range

from kiosk.config import FaceConfig
from kiosk.devices.camera.service import CameraService
from kiosk.devices.emulated.portrait import SIZE
from kiosk.domain.coaching import Coach
from kiosk.domain.decision import FaceEvidence
from kiosk.domain.roster import FaceTemplate
from kiosk.domain.status import DeviceState
from kiosk.face.client import Brings, FaceClient
from kiosk.face.dlib_engine import DlibEngine
from kiosk.face.engine import Image

_ROUNDS = 7
_PATIENCE_S = 60.0
_HOLDER = "benchmark"

Timed = SimpleQueue[tuple[float, Brings | DeviceState]]


def measure(folder: Path) -> list[Figure]:
    config = FaceConfig(nice=0)
    clip = frames()
    enrolled = templates(DlibEngine())
    heard: Timed = SimpleQueue()
    face = FaceClient(
        config, SIZE, lambda what: heard.put((time.monotonic(), what)),
        lambda status: heard.put((time.monotonic(), status.state)),
    )
    camera = CameraService(film(folder / "film", clip), lambda status: None)
    camera.subscribe(face.offer)
    ours, bare, with_search = [], [], []
    face.start()
    camera.start()
    try:
        camera.want(_HOLDER)
        _await(heard, DeviceState.READY)
        for _ in range(_ROUNDS):
            ours.append(_worker(face, heard, enrolled, config.frames))
            encoding, searching = _library(clip[:: len(clip) // config.frames][: config.frames], enrolled)
            bare.append(encoding)
            with_search.append(encoding + searching)
    finally:
        camera.stop()
        face.stop()
    beside = {"library": float(np.median(bare)), "with search for faces": float(np.median(with_search))}
    ratio = float(np.median(ours) / np.median(bare))
    return [Figure(f"comparing {config.frames} frames, {_ROUNDS} tries", "ms", median_and_range(ours), beside, ratio)]


def _worker(face: FaceClient, heard: Timed, enrolled: tuple[FaceTemplate, ...], wanted: int) -> float:
    """In ms."""
    face.begin(enrolled)
    began, _ = _await(heard, Coach.WORKING)
    ended, evidence = heard.get(timeout=_PATIENCE_S)
    if not isinstance(evidence, FaceEvidence) or (evidence.frames, evidence.templates) != (wanted, len(enrolled)):
        raise RuntimeError("the try was not a comparison of all frames")
    return 1000 * (ended - began)


def _library(pictures: list[Image], enrolled: tuple[FaceTemplate, ...]) -> tuple[float, float]:
    """Encoding and comparing, and the search for the faces before it, in ms."""
    import face_recognition

    known = [np.asarray(template.vector) for template in enrolled]
    began = time.monotonic()
    found = [face_recognition.face_locations(picture, number_of_times_to_upsample=0, model="hog") for picture in pictures]
    searched = time.monotonic()
    for picture, boxes in zip(pictures, found, strict=True):
        (vector,) = face_recognition.face_encodings(picture, known_face_locations=boxes, num_jitters=1, model="large")
        face_recognition.face_distance(known, vector)
    return 1000 * (time.monotonic() - searched), 1000 * (searched - began)


def _await(heard: Timed, wanted: Coach | DeviceState) -> tuple[float, Brings | DeviceState]:
    """Skips everything before."""
    while True:
        t, what = heard.get(timeout=_PATIENCE_S)
        if what is wanted:
            return t, what
        if not isinstance(what, Coach):
            raise RuntimeError(f"{type(what).__name__} instead of {wanted}")


if __name__ == "__main__":
    hand_over(measure)
