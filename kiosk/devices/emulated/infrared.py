"""How things look at 850 nm: skin is bright whatever its colour, printed ink nearly vanishes, a screen stays dark."""

from __future__ import annotations

import cv2
import numpy as np

from kiosk.devices.emulated.warp import Picture

_SKIN_GAMMA = 0.6
_PAPER_GREY, _INK_CONTRAST = 165.0, 0.4
_GLASS_GREY = 12.0
"""Of a screen: what its glass throws back."""


def skin(rgb: Picture) -> Picture:
    """(height, width): a living head and its surroundings."""
    return np.asarray(cv2.LUT(_grey(rgb), _BRIGHTER), dtype=np.uint8)


def paper(rgb: Picture) -> Picture:
    grey = _grey(rgb).astype(np.float32)
    return np.asarray(_PAPER_GREY + _INK_CONTRAST * (grey - grey.mean()), dtype=np.uint8)


def glass(rgb: Picture) -> Picture:
    return np.full(rgb.shape[:2], _GLASS_GREY, dtype=np.uint8)


def _grey(rgb: Picture) -> Picture:
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), dtype=np.uint8)


_BRIGHTER = np.asarray(255 * (np.arange(256) / 255) ** _SKIN_GAMMA, dtype=np.uint8)
