"""The people who stand before the emulated camera: loops of frames without a seam, and enrolment portraits.

Faces are sample photographs out of the development dependencies (works of the US government); none is in the
repository, and every streamed frame is marked as a demonstration.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from enum import StrEnum
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import cv2
import dlib
import numpy as np
import numpy.typing as npt

from kiosk.devices.emulated.portrait import SIZE, LivingPortrait, Picture, Plane, Pose

Noise = npt.NDArray[np.float32]

FPS = 12.5
LOOP_FRAMES = 60
"""4.8 s."""
SWAY = Pose(yaw=0.8, pitch=0.8, roll=0.6, dx=1.5, dy=1.2, zoom=1.0)
"""Largest deflections of somebody who stands still."""
WAVE = Pose(yaw=45, pitch=25, roll=12, dx=40, dy=25, zoom=1.25)
"""Of a photograph waved by hand."""

_BLINKS_AT_S = (1.2, 3.6)
_BLINK_S = 0.32
_NOISE_GREY = 2.0
_FLICKER = 0.01
_ENROLMENT = (Pose(pitch=1.0), Pose(yaw=5.0), Pose(yaw=-5.0, pitch=-1.0))
_LANDMARKS = "shape_predictor_68_face_landmarks.dat"


class Person(StrEnum):
    CARDHOLDER = "cardholder"
    STRANGER = "stranger"
    PHOTO = "photo"
    """A print of the cardholder's face, held before the camera."""
    WAVED_PHOTO = "waved_photo"
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
            return film(living_portrait(Person.CARDHOLDER, flat=True), motion(limits, rng), still_eyes(), rng)
        case Person.TWO:
            pairs = zip(loop(Person.CARDHOLDER, seed), loop(Person.STRANGER, seed), strict=True)
            return [np.hstack([_middle(one), _middle(other)]) for one, other in pairs]
        case Person.NOBODY:
            blurred = cv2.GaussianBlur(living_portrait(Person.CARDHOLDER).render(Pose()), (0, 0), 40)
            noise = _noise(rng)
            return [_as_filmed(np.asarray(blurred, dtype=np.uint8), 1.0, next(noise)) for _ in range(LOOP_FRAMES)]


def enrolment_portraits(person: Person) -> list[bytes]:
    """Three PNG pictures as enrolment takes them: frontal, a little left, a little right; not frames of the loop."""
    noise = _noise(np.random.default_rng(7))
    living = living_portrait(person)
    frames = [_as_filmed(living.render(pose), 1.0, next(noise)) for pose in _ENROLMENT]
    return [cv2.imencode(".png", cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))[1].tobytes() for frame in frames]


@cache
def living_portrait(person: Person, flat: bool = False) -> LivingPortrait:
    """The head of a person with a sample photograph, or with `flat` the photograph as a sheet."""
    picture = sample_photograph(person)
    return LivingPortrait(picture, _landmarks(picture), flat)


def sample_photograph(person: Person) -> Picture:
    """Raises RuntimeError, saying what to install, when the development dependencies are not there."""
    package, relative, sha256 = _SAMPLES[person]
    data = (_folder(package) / relative).read_bytes()
    if hashlib.sha256(data).hexdigest() != sha256:
        raise RuntimeError(f"{package}: {relative} is not the picture this was measured with")
    return np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB), dtype=np.uint8)


def film(
    portrait: LivingPortrait, poses: Sequence[Pose], lids: Sequence[float], rng: np.random.Generator
) -> list[Picture]:
    """The clip of a camera: motion and blinks (0 open to 1 closed) per frame, noise and a slight flicker of the light."""
    cycles = round(0.7 * len(poses) / FPS)
    gains = [1 + _FLICKER * math.sin(2 * math.pi * cycles * i / len(poses)) for i in range(len(poses))]
    takes = zip(poses, lids, gains, _noise(rng), strict=False)  # the noise never ends
    return [_as_filmed(portrait.render(pose, lid), gain, noise) for pose, lid, gain, noise in takes]


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
    return math.sin(math.pi * since / _BLINK_S) if 0 < since < _BLINK_S else 0.0


def _drift(frames: int, rng: np.random.Generator) -> Plane:
    """White noise smoothed over a second round the seam, scaled to ±1."""
    window = np.hanning(round(FPS) + 2)
    noise = rng.standard_normal(frames)
    smooth = np.real(np.fft.ifft(np.fft.fft(noise) * np.fft.fft(window, frames)))
    smooth -= smooth.mean()
    return np.asarray(smooth / np.abs(smooth).max(), dtype=np.float64)


def _noise(rng: np.random.Generator) -> Iterator[Noise]:
    """Of the sensor, without end: four fields shifted at random look like fresh ones at a fraction of the time."""
    fields = _NOISE_GREY * rng.standard_normal((4, SIZE[1], SIZE[0], 3), dtype=np.float32)
    while True:
        yield np.roll(fields[rng.integers(len(fields))], int(rng.integers(SIZE[0])), axis=1)


def _as_filmed(frame: Picture, gain: float, noise: Noise) -> Picture:
    return np.asarray(np.clip(frame * gain + noise, 0, 255), dtype=np.uint8)


def _middle(frame: Picture) -> Picture:
    quarter = SIZE[0] // 4
    return frame[:, quarter : SIZE[0] - quarter]


def _landmarks(picture: Picture) -> Plane:
    face = dlib.get_frontal_face_detector()(picture, 0)[0]
    predictor = dlib.shape_predictor(str(_folder("face_recognition_models") / "models" / _LANDMARKS))
    return np.array([(point.x, point.y) for point in predictor(picture, face).parts()], dtype=np.float64)


def _folder(package: str) -> Path:
    """Where a package lies, without importing it."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError(f"{package} is not installed; the emulated camera needs the development dependencies")
    return Path(spec.submodule_search_locations[0])
