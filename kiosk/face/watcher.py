"""Makes a Sight of each frame: faces found and followed, points, gate."""

from __future__ import annotations

from kiosk.config.face import GateConfig
from kiosk.face.align import Grey, to_grey
from kiosk.face.engine import FaceEngine, Image
from kiosk.face.gate import assess, without_face
from kiosk.face.sight import Sight
from kiosk.face.tracking import FaceTracker


class Watcher:
    def __init__(self, engine: FaceEngine, gate: GateConfig, detect_width: int) -> None:
        self._engine = engine
        self._gate = gate
        self._tracker = FaceTracker(engine, detect_width)

    def look(self, now: float, rgb: Image, ir: Grey | None = None, t_ir: float = 0.0) -> Sight:
        """`now`: monotonic time of the frame. The sight refers to the very arrays given, which are the caller's."""
        grey = to_grey(rgb)
        faces = tuple(self._tracker.find(rgb, now))
        points = self._engine.landmarks(rgb, faces[0]) if faces else None
        quality = without_face(grey, self._gate) if points is None else assess(rgb, grey, faces, points, self._gate)
        return Sight(now, rgb, grey, faces, points, quality, self._tracker.track, ir, t_ir)
