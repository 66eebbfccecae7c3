"""The default engine: face_recognition (dlib HOG detector, 68 points, 128-D ResNet) with explicit arguments.

The package's own defaults differ from ours (5 points, one upsampling, tolerance 0.6) and are never relied on.
"""

from __future__ import annotations

import hashlib
import importlib.util
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from PIL import ImageFile

from kiosk.face.engine import Box, EngineUnavailable, Image, Points, Vector

_RESNET_SHA256 = "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30"
_MODELS = {
    "dlib_face_recognition_resnet_model_v1.dat": _RESNET_SHA256,
    "shape_predictor_68_face_landmarks.dat": "fbdc2cb80eb9aa7a758672cbfdda32ba6300efe9b6e6c7a299ff7e736b11b92f",
}
"""The two files every distance depends on, as distributed with face_recognition_models 0.3.0."""
_CHANNELS = 3


class DlibEngine:
    """Loads for about a second and needs about 150 MB: once per process, in the face worker or a command line tool."""

    def __init__(self) -> None:
        """Raises EngineUnavailable."""
        verify_models(_model_folder())
        self._library = _import_library()

    @property
    def id(self) -> str:
        return f"dlib128-align68-{_RESNET_SHA256[:12]}"

    def detect(self, rgb: Image) -> list[Box]:
        _check(rgb)
        found = self._library.face_locations(rgb, number_of_times_to_upsample=0, model="hog")
        return [Box(left, top, right, bottom) for top, right, bottom, left in found]

    def landmarks(self, rgb: Image, box: Box) -> Points:
        import dlib

        _check(rgb)  # the package itself has no call that returns the 68 points in order
        rectangle = dlib.rectangle(box.left, box.top, box.right, box.bottom)
        shape = self._library.api.pose_predictor_68_point(rgb, rectangle)
        return np.array([(point.x, point.y) for point in shape.parts()], dtype=np.float64)

    def embed(self, rgb: Image, box: Box) -> Vector:
        _check(rgb)
        where = (box.top, box.right, box.bottom, box.left)
        vectors = self._library.face_encodings(rgb, known_face_locations=[where], num_jitters=1, model="large")
        return np.asarray(vectors[0], dtype=np.float64)


def _check(rgb: Image) -> None:
    """dlib finds no face at all in a view with strides, without a word: that would look like an empty room."""
    if rgb.dtype != np.uint8 or rgb.ndim != _CHANNELS or rgb.shape[2] != _CHANNELS or not rgb.flags.c_contiguous:
        raise ValueError("a picture must be a C-contiguous uint8 array of shape (height, width, 3)")


def _model_folder() -> Path:
    spec = importlib.util.find_spec("face_recognition_models")
    if spec is None or not spec.submodule_search_locations:
        raise EngineUnavailable("models_missing")
    return Path(spec.submodule_search_locations[0]) / "models"


def verify_models(folder: Path) -> None:
    """Raises EngineUnavailable unless the model files in `folder` are the known ones."""
    for name, known in _MODELS.items():
        try:
            with (folder / name).open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError:
            raise EngineUnavailable("models_missing") from None
        if found != known:
            raise EngineUnavailable("models_changed")


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
