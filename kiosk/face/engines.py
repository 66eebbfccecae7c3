"""The configured engine: the face process, the office import and the tools all take theirs from here."""

from __future__ import annotations

from kiosk.config.face import Engine, FaceConfig
from kiosk.face.engine import EngineUnavailable, FaceEngine


def make_engine(config: FaceConfig) -> FaceEngine:
    """Loads the models: once per process. Raises EngineUnavailable."""
    match config.engine:
        case Engine.DLIB:
            from kiosk.face.dlib_engine import DlibEngine

            return DlibEngine()
        case Engine.OPENCV:
            from kiosk.face.opencv_engine import OpencvEngine

            if config.yunet is None or config.sface is None:
                raise EngineUnavailable("models_missing")
            return OpencvEngine(config.yunet, config.sface, config.yunet_sha256, config.sface_sha256)
