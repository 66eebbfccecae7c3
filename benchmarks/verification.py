"""Comparing five frames in the face process, beside the bare calls of face_recognition on five such frames.

Ours is what the terminal waits for: from the worker's word that it has its frames to the evidence, camera still on.
Before it lies a whole challenge, done by somebody who acts. Both run at the same niceness, in turns. Processor time
is told too: on a machine that has other things to do it is the one to be compared.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

import numpy as np
import psutil  # type: ignore[import-untyped]
from cardholder import Subject, frames, subject, templates
from figures import Figure, hand_over, median_and_range, tell

from kiosk.config.face import FaceConfig
from kiosk.devices.camera.service import CameraService
from kiosk.devices.emulated.portrait import SIZE
from kiosk.domain.coaching import Coach
from kiosk.domain.decision import FaceEvidence
from kiosk.domain.face_task import Verify
from kiosk.domain.status import DeviceState, DeviceStatus
from kiosk.domain.trouble import FaceTrouble
from kiosk.face.client import Brings, FaceClient
from kiosk.face.dlib_engine import DlibEngine
from kiosk.face.engine import Image
from kiosk.face.messages import Advice

_ROUNDS = 7
_UNFINISHED = 7
"""So many challenges may come to nothing: on a busy machine frames are lost and a motion may not be seen."""
_PATIENCE_S = 60.0
_HOLDER = "benchmark"

@dataclass(frozen=True, slots=True)
class Cost:
    """In ms."""

    wall: float
    processor: float

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.wall + other.wall, self.processor + other.processor)

    def __sub__(self, other: Cost) -> Cost:
        return Cost(self.wall - other.wall, self.processor - other.processor)


@dataclass(frozen=True, slots=True)
class Heard:
    what: Brings | DeviceState
    at: Cost
    """Clock, and what the face process had used by then."""


class Listener:
    """Notes everything the face client brings, and lets the person before the camera hear it."""

    def __init__(self, somebody: Subject) -> None:
        self._somebody = somebody
        self._heard: SimpleQueue[Heard] = SimpleQueue()
        self._worker: psutil.Process | None = None

    def on_event(self, what: Brings) -> None:
        """In the face client's thread."""
        self._heard.put(Heard(what, self._now()))
        self._somebody.hear(what)

    def on_status(self, status: DeviceStatus) -> None:
        """In the face client's thread."""
        self._worker = _spawned() if status.state is DeviceState.READY else None
        self._heard.put(Heard(status.state, self._now()))

    def next(self) -> Heard:
        return self._heard.get(timeout=_PATIENCE_S)

    def wait_for(self, *wanted: Brings | DeviceState) -> Heard:
        """Skips what is said and shown before."""
        while True:
            heard = self.next()
            if heard.what in wanted:
                return heard
            if not isinstance(heard.what, Advice):
                raise RuntimeError(f"{type(heard.what).__name__} instead of {wanted[0]}")

    def _now(self) -> Cost:
        used = sum(self._worker.cpu_times()[:2]) if self._worker else 0.0
        return Cost(1000 * time.monotonic(), 1000 * used)


def _spawned() -> psutil.Process:
    (process,) = (one for one in psutil.Process().children() if "spawn_main" in " ".join(one.cmdline()))
    return process


def measure(folder: Path) -> list[Figure]:
    config = FaceConfig(nice=0)
    pictures = frames(config.frames)
    task = Verify(templates(DlibEngine()))
    ours, bare, with_search = [], [], []
    with subject() as somebody:
        listener = Listener(somebody)
        face = FaceClient(config, SIZE, listener.on_event, listener.on_status)
        camera = CameraService(somebody.camera, lambda status: None)
        camera.subscribe(face.offer)
        face.start()
        camera.start()
        try:
            camera.want(_HOLDER)
            listener.wait_for(DeviceState.READY)
            for _ in range(_ROUNDS):
                ours.append(_worker(face, listener, task, config.frames))
                encoding, searching = _library(pictures, task)
                bare.append(encoding)
                with_search.append(encoding + searching)
        finally:
            camera.stop()
            face.stop()
    name = f"comparing {config.frames} frames, {_ROUNDS} tries"
    costs = ours, bare, with_search
    return [_figure(name, "wall", *costs), _figure("the same, processor time", "processor", *costs)]


def _figure(name: str, kind: str, ours: list[Cost], bare: list[Cost], with_search: list[Cost]) -> Figure:
    mine, library, both = ([getattr(cost, kind) for cost in costs] for costs in (ours, bare, with_search))
    beside = {"library": float(np.median(library)), "with search for faces": float(np.median(both))}
    return Figure(name, "ms", median_and_range(mine), beside, float(np.median(mine)) / beside["library"])


def _worker(face: FaceClient, listener: Listener, task: Verify, wanted: int) -> Cost:
    for _ in range(_UNFINISHED):
        face.begin(task)
        began = listener.wait_for(Coach.WORKING, FaceTrouble.NO_ACTION, FaceTrouble.TIMEOUT)
        if began.what is Coach.WORKING:
            ended = listener.next()
            if not isinstance(ended.what, FaceEvidence):
                raise RuntimeError("the try did not end in a comparison")
            if (ended.what.frames, ended.what.templates) == (wanted, len(task.templates)):
                return ended.at - began.at
        tell("a challenge came to nothing; once more …")
    raise RuntimeError("no try was a comparison of all frames")


def _library(pictures: list[Image], task: Verify) -> tuple[Cost, Cost]:
    """Encoding and comparing, and the search for the faces before it."""
    import face_recognition

    known = [np.asarray(template.vector) for template in task.templates]
    began = _here()
    found = [face_recognition.face_locations(picture, number_of_times_to_upsample=0, model="hog") for picture in pictures]
    searched = _here()
    for picture, boxes in zip(pictures, found, strict=True):
        (vector,) = face_recognition.face_encodings(picture, known_face_locations=boxes, num_jitters=1, model="large")
        face_recognition.face_distance(known, vector)
    return _here() - searched, searched - began


def _here() -> Cost:
    """Of this thread."""
    return Cost(1000 * time.monotonic(), 1000 * time.thread_time())


if __name__ == "__main__":
    hand_over(measure)
