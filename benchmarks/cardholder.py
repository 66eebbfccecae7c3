"""The emulated cardholder as both face figures need him: filmed into a folder, and enrolled."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from kiosk.config import CameraConfig
from kiosk.devices.emulated.people import FPS, Person, enrolment_portraits, loop
from kiosk.devices.emulated.portrait import SIZE
from kiosk.domain.roster import FaceTemplate
from kiosk.face.dlib_engine import DlibEngine
from kiosk.face.engine import Image
from kiosk.face.still import image_from_bytes, template_from_image


def frames() -> list[Image]:
    """RGB."""
    return [np.ascontiguousarray(frame) for frame in loop(Person.CARDHOLDER)]


def film(folder: Path, clip: list[Image]) -> CameraConfig:
    """A camera that shows the clip over and over."""
    folder.mkdir()
    for number, frame in enumerate(clip):
        cv2.imwrite(str(folder / f"{number:03d}.jpg"), cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    return CameraConfig(source=str(folder), width=SIZE[0], height=SIZE[1], fps=FPS)


def templates(engine: DlibEngine) -> tuple[FaceTemplate, ...]:
    """The three a roster brings."""
    made = []
    for data in enrolment_portraits(Person.CARDHOLDER):
        picture = image_from_bytes(data)
        assert isinstance(picture, np.ndarray)
        template = template_from_image(engine, picture)
        assert isinstance(template, FaceTemplate)
        made.append(template)
    return tuple(made)
