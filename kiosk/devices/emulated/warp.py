"""From where points of a picture move to, to where every pixel of the frame comes from; computed at half resolution."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
"""(height, width, 3), RGB; a grey one is (height, width)."""
Plane = npt.NDArray[np.floating[Any]]
"""Numbers per point or pixel; single precision where it is done for every frame."""

SIZE = (640, 480)
"""Width and height of every frame."""
FPS = 12.5
"""Of every clip and stream."""
_HALF = (SIZE[0] // 2, SIZE[1] // 2)
_LARGE_PX, _MANY_STEPS, _FEW_STEPS = 8.0, 8, 3
"""A small motion is inverted well before the large one is."""


def _grid(width: int, height: int) -> Plane:
    return np.dstack(np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)))


_AT, _AT_FULL = _grid(*_HALF), _grid(*SIZE)
HALF_X, HALF_Y = 2 * _AT[..., 0], 2 * _AT[..., 1]
"""Pixel places of the half grid, in pixels of the frame."""


def sources(moved_x: Plane, moved_y: Plane, aside: float = 0.0) -> Plane:
    """(480, 640, 2): for every pixel where it comes from, in pixels.

    moved_x, moved_y: how far the points HALF_X, HALF_Y of the picture move, in pixels; aside: how far everything moves
    to the left after that. Found by damped steps, which settle where neighbours keep their order; in a fold of the
    picture they end somewhere on its rim.
    """
    flow = np.dstack([moved_x, moved_y]).astype(np.float32) / 2
    source = _AT - flow
    for _ in range(_MANY_STEPS if float(np.abs(flow).max()) * 2 > _LARGE_PX else _FEW_STEPS):
        moved = _remapped(flow, source)
        source = np.asarray(cv2.addWeighted(source, 0.3, _AT - moved, 0.7, 0))
    return spread(2 * (source - _AT), aside)


def spread(offset: Plane, aside: float = 0.0) -> Plane:
    """(480, 640, 2): places in pixels from offsets in pixels on the half grid (240, 320, 2), all `aside` to the right."""
    place = np.array([[0.5, 0, aside / 2], [0, 0.5, 0]])  # of a pixel of the frame on the half grid
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    full = cv2.warpAffine(offset.astype(np.float32), place, SIZE, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(_AT_FULL + np.array([aside, 0], dtype=np.float32) + full, dtype=np.float32)


def drawn(picture: Picture, source: Plane) -> Picture:
    """The picture with every pixel taken from its source. Beyond the rim the rim goes on: a mirror shows a second face."""
    return np.asarray(_remapped(picture, source), dtype=np.uint8)


def _remapped(what: npt.NDArray[Any], source: Plane) -> npt.NDArray[Any]:
    flags = {"interpolation": cv2.INTER_LINEAR, "borderMode": cv2.BORDER_REPLICATE}
    return np.asarray(cv2.remap(what, source, None, **flags))  # type: ignore[call-overload]
