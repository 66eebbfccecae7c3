"""The people who stand before the emulated camera: loops of frames without a seam, and enrolment portraits.

Faces are sample photographs out of the development dependencies (works of the US government); none is in the
repository, and every streamed frame is marked as a demonstration.
"""

from __future__ import annotations

import hashlib
import math
import threading
from collections.abc import Sequence
from enum import StrEnum
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import cv2
import dlib
import numpy as np

from kiosk.devices.emulated.actor import BLINK_S, Body
from kiosk.devices.emulated.drift import SWAY, WAVE
from kiosk.devices.emulated.light import Light, Sensor
from kiosk.devices.emulated.portrait import LivingPortrait, Pose
from kiosk.devices.emulated.sheets import Sheet
from kiosk.devices.emulated.warp import FPS, SIZE, Picture, Plane

LOOP_FRAMES = 60
"""4.8 s."""

_BLINKS_AT_S = (1.2, 3.6)
_ENROLMENT = (Pose(pitch=1.0), Pose(yaw=5.0), Pose(yaw=-5.0, pitch=-1.0))
_LANDMARKS = "shape_predictor_68_face_landmarks.dat"
_DLIB = threading.Lock()
"""Its detector is not for two threads at once."""


class Person(StrEnum):
    CARDHOLDER = "cardholder"
    STRANGER = "stranger"
    PHOTO = "photo"
    """A print of the cardholder's face, held before the camera."""
    WAVED_PHOTO = "waved_photo"
    BENT_PHOTO = "bent_photo"
    CUT_EYES = "cut_eyes"
    """The print, with the eyes of whoever holds it behind holes."""
    SCREEN = "screen"
    """A telephone that shows the cardholder."""
    STIFF = "stiff"
    """The cardholder, who blinks but cannot turn the head."""
    TWO = "two"
    NOBODY = "nobody"


_SAMPLES = {
    Person.CARDHOLDER: (
        "matplotlib", "mpl-data/sample_data/grace_hopper.jpg",
        "a8ca6d734765703b09728ab47fe59f473d93ae3967fc24c7c0288c3c7adb7130",
    ),
    Person.STRANGER: (
        "skimage", "data/astronaut.png",
        "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
    ),
}


def loop(person: Person, seed: int = 0) -> list[Picture]:
    """LOOP_FRAMES frames (RGB, SIZE) to be shown at FPS; the last goes on into the first. About 15 ms each."""
    rng = np.random.default_rng(seed)
    match person:
        case Person.CARDHOLDER | Person.STRANGER:
            return film(living_portrait(person), motion(SWAY, rng), blinking(), rng)
        case Person.PHOTO | Person.WAVED_PHOTO:
            limits = WAVE if person is Person.WAVED_PHOTO else SWAY
            return film(Sheet(living_portrait(Person.CARDHOLDER).face), motion(limits, rng), still_eyes(), rng)
        case Person.TWO:
            pairs = zip(loop(Person.CARDHOLDER, seed), loop(Person.STRANGER, seed), strict=True)
            return [np.hstack([middle(one), middle(other)]) for one, other in pairs]
        case Person.NOBODY:
            sensor = Sensor(Light.EVEN, rng)
            return [sensor.film(empty_room(), 0.0) for _ in range(LOOP_FRAMES)]
        case _:
            raise ValueError(f"{person.value} acts and is no loop")


def enrolment_portraits(person: Person) -> list[bytes]:
    """Three PNG pictures as enrolment takes them: frontal, a little left, a little right; not frames of the loop."""
    sensor = Sensor(Light.EVEN, np.random.default_rng(7))
    living = living_portrait(person)
    frames = [sensor.film(living.render(pose), 0.0) for pose in _ENROLMENT]
    return [cv2.imencode(".png", cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))[1].tobytes() for frame in frames]


@cache
def living_portrait(person: Person) -> LivingPortrait:
    """The head of a person with a sample photograph."""
    picture = sample_photograph(person)
    points = landmarks(picture)
    if points is None:
        raise RuntimeError(f"no face is found in the sample photograph of the {person.value}")
    return LivingPortrait(picture, points)


@cache
def empty_room() -> Picture:
    """(480, 640, 3): nobody, and nothing in focus."""
    return np.asarray(cv2.GaussianBlur(living_portrait(Person.CARDHOLDER).face.still, (0, 0), 40), dtype=np.uint8)


def sample_photograph(person: Person) -> Picture:
    """Raises RuntimeError, saying what to install, when the development dependencies are not there."""
    package, relative, sha256 = _SAMPLES[person]
    data = (_folder(package) / relative).read_bytes()
    if hashlib.sha256(data).hexdigest() != sha256:
        raise RuntimeError(f"{package}: {relative} is not the picture this was measured with")
    return np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB), dtype=np.uint8)


def film(portrait: Body, poses: Sequence[Pose], lids: Sequence[float], rng: np.random.Generator) -> list[Picture]:
    """The clip of a camera: motion and blinks (0 open to 1 closed) per frame, and noise."""
    sensor = Sensor(Light.EVEN, rng)
    return [sensor.film(portrait.render(pose, lid), 0.0) for pose, lid in zip(poses, lids, strict=True)]


def motion(limits: Pose, rng: np.random.Generator, frames: int = LOOP_FRAMES) -> list[Pose]:
    """Slow random motion within the limits that ends where it began."""
    yaw, pitch, roll, dx, dy, zoom = (_drift(frames, rng) for _ in range(6))
    return [
        Pose(
            limits.yaw * yaw[i], limits.pitch * pitch[i], limits.roll * roll[i],
            limits.dx * dx[i], limits.dy * dy[i], 1 + (limits.zoom - 1) * zoom[i],
        )
        for i in range(frames)
    ]


def blinking(frames: int = LOOP_FRAMES) -> list[float]:
    times = [i / FPS for i in range(frames)]
    return [max(_lid(t - start) for start in _BLINKS_AT_S) for t in times]


def still_eyes(frames: int = LOOP_FRAMES) -> list[float]:
    return [0.0] * frames


def _lid(since: float) -> float:
    return math.sin(math.pi * since / BLINK_S) if 0 < since < BLINK_S else 0.0


def _drift(frames: int, rng: np.random.Generator) -> Plane:
    """White noise smoothed over a second round the seam, scaled to ±1."""
    window = np.hanning(round(FPS) + 2)
    noise = rng.standard_normal(frames)
    smooth = np.real(np.fft.ifft(np.fft.fft(noise) * np.fft.fft(window, frames)))
    smooth -= smooth.mean()
    return np.asarray(smooth / np.abs(smooth).max(), dtype=np.float64)


def middle(frame: Picture) -> Picture:
    """Half of its width: room for one of two people."""
    quarter = SIZE[0] // 4
    return frame[:, quarter : SIZE[0] - quarter]


def landmarks(picture: Picture) -> Plane | None:
    """(68, 2) of the first face in the picture, in its pixels; None without a face."""
    with _DLIB:
        faces = _detector()(picture, 0)
        parts = _predictor()(picture, faces[0]).parts() if faces else ()
    return np.array([(point.x, point.y) for point in parts], dtype=np.float64) if faces else None


@cache
def _detector() -> dlib.fhog_object_detector:
    return dlib.get_frontal_face_detector()


@cache
def _predictor() -> dlib.shape_predictor:
    return dlib.shape_predictor(str(_folder("face_recognition_models") / "models" / _LANDMARKS))


def _folder(package: str) -> Path:
    """Where a package lies, without importing it."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError(f"{package} is not installed; the emulated camera needs the development dependencies")
    return Path(spec.submodule_search_locations[0])
