"""Templates and comparisons from single pictures: roster import, enrolment, `kiosk face compare`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np

from kiosk.domain.decision import Band, FaceBands
from kiosk.domain.roster import FaceTemplate
from kiosk.face.engine import FaceEngine, Image
from kiosk.face.matching import chip_only, comparable, mean_distance

_WIDTH_MAX = 1280
"""Larger pictures are shrunk: the detector's time grows with the area and no face needs more."""


class StillTrouble(StrEnum):
    NOT_A_PICTURE = "not_a_picture"
    NO_FACE = "no_face"
    SEVERAL_FACES = "several_faces"


@dataclass(frozen=True, slots=True)
class Comparison:
    distance: float
    """Mean distance; NaN when no template is of the probe's engine."""
    templates: int
    """Compared with; those of other engines are not."""
    band: Band


def image_from_bytes(data: bytes) -> Image | StillTrouble:
    """An RGB picture from a JPEG, PNG, … file as it is, turned upright by its EXIF note."""
    try:
        decoded = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:  # empty, or larger than OpenCV accepts
        return StillTrouble.NOT_A_PICTURE
    if decoded is None:
        return StillTrouble.NOT_A_PICTURE
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), dtype=np.uint8)


def template_from_image(engine: FaceEngine, rgb: Image) -> FaceTemplate | StillTrouble:
    """The template of the one face in the picture."""
    scale = min(1.0, _WIDTH_MAX / max(rgb.shape[:2]))
    fitting = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    rgb = np.ascontiguousarray(fitting, dtype=np.uint8)
    faces = engine.detect(rgb)
    if not faces:
        return StillTrouble.NO_FACE
    if len(faces) > 1:
        return StillTrouble.SEVERAL_FACES
    return FaceTemplate(engine.id, tuple(float(value) for value in engine.embed(rgb, faces[0])))


def compare(
    engine: FaceEngine, probe: FaceTemplate, templates: Sequence[FaceTemplate], bands: FaceBands,
) -> Comparison:
    """One picture of this engine against enrolled templates. Templates of other engines do not count."""
    same = comparable(templates, engine.id) if probe.engine == engine.id else ()
    distance = mean_distance(engine, [np.asarray(probe.vector)], same)
    return Comparison(distance, len(same), bands.band(distance, len(same), chip_only(same)))
