"""Whether a frame can be used, and if not, the one thing to ask the person for (checked in the order of the code).

Cheap measures come first, and what decides stops the rest: colours of mask and glasses are looked at only in a
picture that is fine otherwise, because under bad light or from the side they mean nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from kiosk.config.face import GateConfig
from kiosk.domain.coaching import Coach
from kiosk.face.align import Grey
from kiosk.face.coverings import cover_of
from kiosk.face.engine import Box, Image, Points
from kiosk.face.quality import Bearing, Cover, Light, Place, Quality, bearing_of, light_of, place_of

SPOILS_CHALLENGE = frozenset({Coach.NO_FACE, Coach.MULTI, Coach.DARK, Coach.MASK, Coach.SUNGLASSES})
"""What a running liveness challenge cannot go on with. All other gates are moved by the very actions asked for: a
turned head is turned, half lit and out of the middle, moving eyes blur, a blink shuts them."""

_DARK_ROOM = 0.5
"""No face and a mean grey under this share of `grey_min`: the light is what is missing, not the person."""

_CUT_MAX = 0.1
"""More of the face outside the frame than this: nearer to the lens than it can see, whatever the size."""
_LIPS_SHOW = 3.0
"""On drawn masks at most 0.7, on the bare sample faces 5.5 and 8.3."""


def without_face(grey: Grey, config: GateConfig) -> Quality:
    dark = float(grey[::8, ::8].mean()) < _DARK_ROOM * config.grey_min
    return Quality(Coach.DARK if dark else Coach.NO_FACE)


def assess(
    rgb: Image,
    grey: Grey,
    faces: Sequence[Box],
    points: Points,
    config: GateConfig,
    forgiven: frozenset[Coach] = frozenset(),
) -> Quality:
    """`points` belong to the first of the faces, which is the one to be used; `forgiven`: what is let be."""
    face = faces[0]
    place = place_of(face, grey.shape[1], grey.shape[0])
    coach = _company(faces, config) or _place(place, config)
    if coach is not None:
        return Quality(coach, place)
    light = light_of(grey, face, points)
    coach = _first(_light(light, config), forgiven)
    if coach is not None:
        return Quality(coach, place, light)
    bearing = bearing_of(points)
    coach = _first(_bearing(bearing, config), forgiven)
    if coach is not None:
        return Quality(coach, place, light, bearing)
    cover = cover_of(rgb, points)
    return Quality(_cover(cover, config) or _eyes(bearing, config), place, light, bearing, cover)


def _company(faces: Sequence[Box], config: GateConfig) -> Coach | None:
    face, others = faces[0], faces[1:]
    crowded = bool(others) if config.alone else any(other.width * config.second_face > face.width for other in others)
    return Coach.MULTI if crowded else None


def _place(place: Place, config: GateConfig) -> Coach | None:
    if place.width < config.width_min:
        return Coach.TOO_FAR
    if place.height > config.height_max or place.cut > _CUT_MAX:
        return Coach.TOO_NEAR
    if abs(place.offset) > config.offset_max:
        return Coach.OFF_LEFT if place.offset > 0 else Coach.OFF_RIGHT  # the frame is not mirrored
    return None


def _first(wrong: Iterable[Coach], forgiven: frozenset[Coach]) -> Coach | None:
    return next((coach for coach in wrong if coach not in forgiven), None)


def _light(light: Light, config: GateConfig) -> Iterator[Coach]:
    """Before a bright window the camera makes the face dark: the room is not what lacks light, its direction is wrong."""
    from_behind = light.back > config.back_max
    if light.brightness < config.grey_min:
        if from_behind:
            yield Coach.SIDE_LIT
        yield Coach.DARK
    if light.brightness > config.grey_max:
        yield Coach.BRIGHT
    if light.glare > config.glare_max:
        yield Coach.GLARE
    if from_behind or light.side > config.side_max:
        yield Coach.SIDE_LIT
    if light.sharpness < config.sharpness_min:
        yield Coach.BLUR


def _bearing(bearing: Bearing, config: GateConfig) -> Iterator[Coach]:
    if abs(bearing.yaw) > config.yaw_max:
        yield Coach.TURNED
    if bearing.pitch > config.pitch_max:
        yield Coach.RAISE_HEAD
    if bearing.pitch < config.pitch_min:
        yield Coach.LOWER_HEAD
    if abs(bearing.roll) > config.roll_max:
        yield Coach.TILTED


def _cover(cover: Cover, config: GateConfig) -> Coach | None:
    """Where lips are to be seen there is no mask, whatever the brow looks like: dark glasses reach between the brows, and
    some foreheads have another colour than the chin."""
    if cover.mask > config.mask_max and cover.lips <= _LIPS_SHOW:
        return Coach.MASK
    return Coach.SUNGLASSES if cover.eyes < config.sunglasses_min else None


def _eyes(bearing: Bearing, config: GateConfig) -> Coach | None:
    return Coach.EYES_CLOSED if bearing.eyes < config.eyes_min else None
