"""Model files are used only when their SHA-256 is a known one: every distance depends on them."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Collection
from pathlib import Path

from kiosk.face.engine import EngineUnavailable

LANDMARKS = "shape_predictor_68_face_landmarks.dat"
RESNET = "dlib_face_recognition_resnet_model_v1.dat"
DLIB_SHA256 = {
    LANDMARKS: "fbdc2cb80eb9aa7a758672cbfdda32ba6300efe9b6e6c7a299ff7e736b11b92f",
    RESNET: "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
}
"""As distributed with face_recognition_models 0.3.0."""


def dlib_model(name: str) -> Path:
    """Where a file of DLIB_SHA256 lies. Raises EngineUnavailable unless it is the known one."""
    spec = importlib.util.find_spec("face_recognition_models")
    if spec is None or not spec.submodule_search_locations:
        raise EngineUnavailable("models_missing")
    path = Path(spec.submodule_search_locations[0]) / "models" / name
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        raise EngineUnavailable("models_missing") from None
    if found != DLIB_SHA256[name]:
        raise EngineUnavailable("models_changed")
    return path


def read_verified(path: Path, known: Collection[str]) -> tuple[bytes, str]:
    """The bytes of the file and their SHA-256 in lower case. Raises EngineUnavailable unless that is one of `known`."""
    try:
        data = path.read_bytes()
    except OSError:
        raise EngineUnavailable("models_missing") from None
    found = hashlib.sha256(data).hexdigest()
    if found not in {one.lower() for one in known}:
        raise EngineUnavailable("models_changed")
    return data, found
