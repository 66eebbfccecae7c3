"""A folder of rendered "volunteers": strangers made from the sample photographs. Worthless as evidence of accuracy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from kiosk.devices.emulated.figures import subjects
from kiosk.devices.emulated.people import Person
from kiosk.devices.emulated.portrait import Pose
from kiosk.face.site.folder import RENDERED

POSES = (Pose(), Pose(yaw=13), Pose(yaw=-13, pitch=-4), Pose(pitch=9, roll=4, zoom=0.8))
_OTHERS = tuple((base, seed, 1.6) for seed in (1, 2, 3) for base in (Person.CARDHOLDER, Person.STRANGER))


def render_people(people: int, poses: Sequence[Pose] = POSES) -> Iterator[list[bytes]]:
    """The PNG pictures of each, eight people at most."""
    rng = np.random.default_rng(0)
    for _, portrait in zip(range(people), subjects(_OTHERS), strict=False):
        frames = [portrait.render(pose) + rng.normal(0, 2.0, (480, 640, 3)) for pose in poses]
        bgr = [np.clip(frame, 0, 255).astype(np.uint8)[..., ::-1] for frame in frames]
        yield [cv2.imencode(".png", frame)[1].tobytes() for frame in bgr]


def write_folder(folder: Path, people: int) -> Path:
    for number, pictures in enumerate(render_people(people), start=1):
        home = folder / f"S{number:03}"
        home.mkdir(parents=True)
        for picture, data in enumerate(pictures):
            (home / f"{picture}.png").write_bytes(data)
    (folder / RENDERED).touch()
    return folder
