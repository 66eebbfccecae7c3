"""Whether a frame can be used, and if not, the one thing to ask the person for (checked in the order of the code).

Bad pictures hardly ever let a stranger in; they cost the honest person a try. The gate is for the person's sake.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2

from kiosk.config import FaceConfig
from kiosk.domain.coaching import Coach
from kiosk.face import geometry
from kiosk.face.align import Grey, cut_face
from kiosk.face.engine import Box, Points

_REFERENCE_WIDTH = 1280
"""The frame width that `width_min` refers to."""
_SECOND_FACE = 1.5
"""The person must be this many times as wide as the next face."""
_DARK_ROOM = 0.5
"""No face and a mean grey under this share of `grey_min`: the light is what is missing, not the person."""
_EYE_PX, _EYES_AT, _CHIP = 57.5, (43.75, 12.0), (90, 90)
"""Brows to chin of the 150 px chip the recogniser sees."""


@dataclass(frozen=True, slots=True)
class Quality:
    coach: Coach | None
    """None: usable."""
    sharpness: float = 0.0
    """Laplacian variance of the face."""


def without_face(grey: Grey, config: FaceConfig) -> Quality:
    dark = float(grey.mean()) < _DARK_ROOM * config.grey_min
    return Quality(Coach.DARK if dark else Coach.NO_FACE)


def assess(grey: Grey, faces: Sequence[Box], points: Points, config: FaceConfig) -> Quality:
    """`points` belong to the first of the faces, which is the one to be used."""
    face = faces[0]
    if any(other.width * _SECOND_FACE > face.width for other in faces[1:]):
        return Quality(Coach.MULTI)
    place = _place(face, grey.shape[1], grey.shape[0], config)
    if place is not None:
        return Quality(place)
    chip = cut_face(grey, points, _EYE_PX, _EYES_AT, _CHIP)
    brightness = float(chip.mean())
    sharpness = float(cv2.Laplacian(cv2.medianBlur(chip, 3), cv2.CV_64F).var())  # noise alone must not look sharp
    if brightness < config.grey_min:
        return Quality(Coach.DARK, sharpness)
    if brightness > config.grey_max:
        return Quality(Coach.BRIGHT, sharpness)
    if sharpness < config.sharpness_min:
        return Quality(Coach.BLUR, sharpness)
    if abs(geometry.yaw_ratio(points)) > config.yaw_max:
        return Quality(Coach.TURNED, sharpness)
    if abs(geometry.roll(points)) > config.roll_max:
        return Quality(Coach.TILTED, sharpness)
    return Quality(None, sharpness)


def _place(face: Box, frame_width: int, frame_height: int, config: FaceConfig) -> Coach | None:
    if face.width * _REFERENCE_WIDTH / frame_width < config.width_min:
        return Coach.TOO_FAR
    if face.height / frame_height > config.height_max:
        return Coach.TOO_NEAR
    offset = face.centre[0] / frame_width - 0.5
    if abs(offset) > config.offset_max:
        return Coach.OFF_LEFT if offset > 0 else Coach.OFF_RIGHT  # the frame is not mirrored
    return None


class SteadyPrompt:
    """Lets one sentence be heard out: a prompt stays, and only what lasts replaces it."""

    HOLD_S = 1.5
    SETTLE_S = 0.3

    def __init__(self) -> None:
        self.current: Coach | None = None
        self._shown_at = 0.0
        self._wanted: Coach | None = None
        self._wanted_since = 0.0

    def show(self, wanted: Coach, now: float) -> Coach | None:
        """The new prompt, when it changes now."""
        if wanted is not self._wanted:
            self._wanted, self._wanted_since = wanted, now
        if wanted is self.current:
            return None
        if self.current is not None and (now - self._shown_at < self.HOLD_S or now - self._wanted_since < self.SETTLE_S):
            return None
        self.current, self._shown_at = wanted, now
        return wanted
