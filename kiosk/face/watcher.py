"""Makes a Sight of each frame: faces found and followed, points, gate."""

from __future__ import annotations

from collections.abc import Sequence

from kiosk.config.face import GateConfig
from kiosk.face.align import Grey, to_grey
from kiosk.face.engine import Box, FaceEngine, Image, Points
from kiosk.face.gate import assess, without_face
from kiosk.face.patience import Patience
from kiosk.face.quality import Quality
from kiosk.face.sight import Sight
from kiosk.face.tracking import FaceTracker


class Watcher:
    def __init__(self, engine: FaceEngine, gate: GateConfig, detect_width: int) -> None:
        self._engine = engine
        self._gate = gate
        self._patience = Patience(gate.patience_s)
        self._tracker = FaceTracker(engine, detect_width)

    def look(self, now: float, rgb: Image, ir: Grey | None = None, t_ir: float = 0.0) -> Sight:
        """`now`: monotonic time of the frame. The sight refers to the very arrays given, which are the caller's."""
        grey = to_grey(rgb)
        faces = tuple(self._tracker.find(rgb, now))
        points = self._engine.landmarks(rgb, faces[0]) if faces else None
        quality = self._assess(rgb, grey, faces, points)
        self._patience.see(now, quality.coach)
        return Sight(now, rgb, grey, faces, points, quality, self._tracker.track, ir, t_ir)

    def _assess(self, rgb: Image, grey: Grey, faces: Sequence[Box], points: Points | None) -> Quality:
        if points is None:
            return without_face(grey, self._gate)
        return assess(rgb, grey, faces, points, self._gate, self._patience.forgiven)
