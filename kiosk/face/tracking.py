"""Follows the largest face from frame to frame, so that a try is known to be about one and the same face."""

from __future__ import annotations

import math

import cv2
import numpy as np

from kiosk.face.engine import Box, FaceEngine, Image
from kiosk.face.picture import shrunk

_REGION_PAD = 0.6
"""Face widths around the last box that are searched for it."""
_REGION_FACE_PX = 100
_FULL_SCAN_S = 0.5
"""How often the whole frame is searched although a face is followed: somebody else may have come."""
_FAR_AFTER_S = 2.0
"""With nobody found for this long the search goes finer, so that a distant person can be asked closer."""
_FAR_FACTOR = 1.5
_LOST_S = 0.5
_FAINT_S = 1.5
"""So long a turned head that the detector is not sure of is followed; then it has to be a face again."""
_JUMP_WIDTHS = 0.5


class FaceTracker:
    """`track` counts the faces followed: it grows when the face was gone for more than 0.5 s or its box jumped."""

    def __init__(self, engine: FaceEngine, detect_width: int) -> None:
        self._engine = engine
        self._detect_width = detect_width
        self.track = 0
        self._box: Box | None = None
        self._others: list[Box] = []
        self._seen_at = -math.inf
        self._scanned_at = -math.inf
        self._sure_at = -math.inf

    def find(self, rgb: Image, now: float) -> list[Box]:
        """The faces in the frame, the followed one first; empty when it is not in this frame."""
        fresh = self._box is not None and now - self._seen_at <= _LOST_S
        near = self._box if fresh else None
        found = None
        if near is not None and now - self._scanned_at < _FULL_SCAN_S:
            found = self._find_near(rgb, near)
        if found is None:
            found = self._find_anywhere(rgb, now)
        if found is not None:
            self._sure_at = now
        elif near is not None and now - self._sure_at <= _FAINT_S:
            found = self._find_near(rgb, near, faint=True)
        if found is None:
            return []
        if fresh and self._box is not None and not _jumped(self._box, found):
            found = _smoothed(self._box, found)
        else:
            self.track += 1
        self._box, self._seen_at = found, now
        return [found, *self._others]

    def _find_near(self, rgb: Image, box: Box, faint: bool = False) -> Box | None:
        pad = round(_REGION_PAD * box.width)
        left, top = max(0, box.left - pad), max(0, box.top - pad)
        region = rgb[top : box.bottom + pad, left : box.right + pad]
        boxes = self._detect_scaled(region, _REGION_FACE_PX / box.width, faint)
        if not boxes:
            return None
        return Box(boxes[0].left + left, boxes[0].top + top, boxes[0].right + left, boxes[0].bottom + top)

    def _find_anywhere(self, rgb: Image, now: float) -> Box | None:
        self._scanned_at = now
        width = self._detect_width * (_FAR_FACTOR if now - self._seen_at > _FAR_AFTER_S else 1.0)
        boxes = self._detect_scaled(rgb, min(1.0, width / rgb.shape[1]))
        self._others = boxes[1:]
        return boxes[0] if boxes else None

    def _detect_scaled(self, rgb: Image, scale: float, faint: bool = False) -> list[Box]:
        """Largest first, in pixels of the picture given."""
        scaled = shrunk(rgb, scale) if scale <= 1 else np.asarray(cv2.resize(rgb, None, fx=scale, fy=scale))
        boxes = self._engine.detect(np.ascontiguousarray(scaled, dtype=np.uint8), faint)
        back = [Box(*(round(edge / scale) for edge in (b.left, b.top, b.right, b.bottom))) for b in boxes]
        return sorted(back, key=lambda box: box.width, reverse=True)


def _jumped(old: Box, new: Box) -> bool:
    (x0, y0), (x1, y1) = old.centre, new.centre
    return math.hypot(x1 - x0, y1 - y0) > _JUMP_WIDTHS * old.width


def _smoothed(old: Box, new: Box) -> Box:
    """Halfway: the detector's boxes come in coarse steps and the points would shake with them."""
    return Box(
        round((old.left + new.left) / 2), round((old.top + new.top) / 2),
        round((old.right + new.right) / 2), round((old.bottom + new.bottom) / 2),
    )
