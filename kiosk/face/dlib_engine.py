"""The default engine: face_recognition (dlib HOG detector, 68 points, 128-D ResNet) with explicit arguments.

The package's own defaults differ from ours (5 points, one upsampling, tolerance 0.6) and are never relied on.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from PIL import ImageFile

from kiosk.face.engine import Box, EngineUnavailable, Image, Points, Vector, Vectors
from kiosk.face.models import DLIB_SHA256, LANDMARKS, RESNET, dlib_model
from kiosk.face.picture import check_picture

_FAINT = -0.4
"""Added to the detector's threshold. Turned heads in dim light come out between -0.4 and 0."""


class DlibEngine:
    """Loads for about a second and needs about 150 MB: once per process, in the face worker or a command line tool."""

    def __init__(self) -> None:
        """Raises EngineUnavailable."""
        for name in (RESNET, LANDMARKS):
            dlib_model(name)
        self._library = _import_library()

    @property
    def id(self) -> str:
        return f"dlib128-align68-{DLIB_SHA256[RESNET][:12]}"

    def detect(self, rgb: Image, faint: bool = False) -> list[Box]:
        check_picture(rgb)
        if faint:  # the package has no call that takes a threshold
            found, _, _ = self._library.api.face_detector.run(rgb, 0, _FAINT)
            return [Box(one.left(), one.top(), one.right(), one.bottom()) for one in found]
        boxes = self._library.face_locations(rgb, number_of_times_to_upsample=0, model="hog")
        return [Box(left, top, right, bottom) for top, right, bottom, left in boxes]

    def landmarks(self, rgb: Image, box: Box) -> Points:
        import dlib

        check_picture(rgb)  # the package itself has no call that returns the 68 points in order
        rectangle = dlib.rectangle(box.left, box.top, box.right, box.bottom)
        shape = self._library.api.pose_predictor_68_point(rgb, rectangle)
        return np.array([(point.x, point.y) for point in shape.parts()], dtype=np.float64)

    def embed(self, rgb: Image, box: Box) -> Vector:
        check_picture(rgb)
        where = (box.top, box.right, box.bottom, box.left)
        vectors = self._library.face_encodings(rgb, known_face_locations=[where], num_jitters=1, model="large")
        return np.asarray(vectors[0], dtype=np.float64)

    def distances(self, live: Vectors, enrolled: Vectors) -> Vectors:
        """L2, as the network was trained for."""
        return np.asarray(np.linalg.norm(live[:, None, :] - enrolled[None, :, :], axis=2), dtype=np.float64)


def _import_library() -> Any:
    """The import itself: the package ends the process when pkg_resources is missing, and relaxes Pillow for all."""
    strict = ImageFile.LOAD_TRUNCATED_IMAGES
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pkg_resources announces its own end
            import face_recognition
    except (ImportError, RuntimeError, SystemExit) as error:
        raise EngineUnavailable("library_broken") from error
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = strict
    return face_recognition
