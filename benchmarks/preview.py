"""What one frame of 1280 x 720 costs the face process while somebody acts before it, beside the bare library calls.

Ours is a whole try with everything that looks on, from the first frame to the last action, without the embeddings at
its end; each frame taken out of the shared memory, looked at and overwritten. Beside: face_recognition's search over
the frame at 640 pixels width and its landmarks, which is the least anybody would do. One thread, in turns.
"""

from __future__ import annotations

import time
from pathlib import Path

import cv2
import numpy as np
from figures import Figure, hand_over

from kiosk.config.face import FaceConfig
from kiosk.devices.emulated.actor import Actor
from kiosk.devices.emulated.people import Person, living_portrait
from kiosk.domain.coaching import Coach
from kiosk.domain.decision import FaceEvidence
from kiosk.domain.face_task import Verify
from kiosk.domain.trouble import FaceTrouble
from kiosk.face.attempt import VerifyAttempt
from kiosk.face.dlib_engine import DlibEngine
from kiosk.face.engine import Image
from kiosk.face.ring import FrameRing

_SIZE = 1280, 720
_FPS = 25.0
_TRIES = 3
_EVERY = 5
"""Every so manyth frame is given to the bare calls too."""


def measure(folder: Path) -> list[Figure]:
    cv2.setNumThreads(1)
    engine, ring = DlibEngine(), FrameRing.create(*_SIZE)
    ours: list[float] = []
    bare: list[float] = []
    try:
        for seed in range(_TRIES):
            _film_one_try(engine, ring, seed, ours, bare)
    finally:
        ring.destroy()
    frame_ms = float(np.mean(ours))
    return [
        Figure(
            "a frame of 1280 x 720 in a try", "ms",
            {"mean": frame_ms, "p50": float(np.percentile(ours, 50)), "p95": float(np.percentile(ours, 95))},
            {"library": float(np.mean(bare))}, frame_ms / float(np.mean(bare)),
        ),
        Figure("one core, at 25 frames a second", "%", {"share": frame_ms * _FPS / 10}),
        Figure("frames a second possible", "fps", {"mean": 1000 / frame_ms}),
    ]


def _film_one_try(engine: DlibEngine, ring: FrameRing, seed: int, ours: list[float], bare: list[float]) -> None:
    """Appends the processor time of each frame, ms."""
    actor = Actor(living_portrait(Person.CARDHOLDER), np.random.default_rng(seed))
    attempt = VerifyAttempt(engine, FaceConfig(), Verify(()), 0.0)
    for number in range(round(120 * _FPS)):
        t = number / _FPS
        if attempt.working:
            if isinstance(attempt.step(t), FaceEvidence):
                break
            continue
        bgr = _wide(actor.frame(t))
        ring.write(0, bgr)
        began = time.process_time()
        rgb = ring.read(0, bgr.shape[:2])
        said = attempt.step(t, rgb)
        rgb.fill(0)
        ours.append(1000 * (time.process_time() - began))
        if isinstance(said, FaceTrouble):
            raise RuntimeError(f"the try ended as {said.value}")
        if isinstance(said, Coach):
            actor.hear(said.value, t)
        if number % _EVERY == 0:
            frame = ring.read(0, bgr.shape[:2])
            began = time.process_time()
            _library(frame)
            bare.append(1000 * (time.process_time() - began))
    attempt.wipe()


def _library(frame: Image) -> None:
    import face_recognition

    small = cv2.resize(frame, (640, 360), interpolation=cv2.INTER_AREA)
    boxes = face_recognition.face_locations(small, number_of_times_to_upsample=0, model="hog")
    face_recognition.face_landmarks(frame, face_locations=[tuple(2 * edge for edge in box) for box in boxes])


def _wide(rgb: Image) -> Image:
    """BGR, as cameras give it."""
    large = cv2.cvtColor(cv2.resize(rgb, (1280, 960)), cv2.COLOR_RGB2BGR)
    return np.ascontiguousarray(large[120:840], dtype=np.uint8)


if __name__ == "__main__":
    hand_over(measure)
