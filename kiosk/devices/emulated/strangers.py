"""More people than there are sample photographs: the features of one face pushed about.

How far from the original they end up differs from seed to seed, so a test picks its seeds by measured distance. They
say nothing about the accuracy of a recogniser.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from kiosk.devices.emulated.portrait import EYE_PX, FramedFace, in_units
from kiosk.devices.emulated.warp import HALF_X, HALF_Y, SIZE, Picture, Plane, drawn, spread

_STIFFNESS = 0.5 / EYE_PX**2
"""Smoothing of the thin plate: half a pixel squared."""
_FREE = 2.2, 2.6
"""Farther from the nasion than so many u, the picture is held."""


def estranged(face: FramedFace, seed: int, k: float) -> Picture:
    """(480, 640, 3): another face in the same place; k: 0 the same, 1 a relative, 2 somebody else."""
    rng = np.random.default_rng(seed)
    moved = _moved(rng, k)
    x, y = in_units(*face.points.T)
    at = np.stack([x, y], axis=1)
    held = _anchors()
    shift = _thin_plate(np.vstack([at + moved, held]), np.vstack([moved, np.zeros_like(held)]))
    here = np.stack(in_units(HALF_X, HALF_Y), axis=-1)
    picture = drawn(face.still, spread(-EYE_PX * shift(here)))
    return _toned(picture, rng)


def _moved(rng: np.random.Generator, k: float) -> Plane:
    """(68, 2), in u: how far each landmark goes."""
    by = np.zeros((68, 2))

    def some(most: float) -> float:
        return float(rng.uniform(-1, 1)) * k * most

    brows, nose, nostrils, corners = some(0.06), some(0.10), some(0.06), some(0.09)
    for eye in ([*range(17, 22), *range(36, 42)], [*range(22, 27), *range(42, 48)]):  # with its brow
        by[eye] += [some(0.07), some(0.05)]
    by[17:27, 1] += brows
    by[30:36, 1] += nose
    for side, pair, corner in ((-1, [31, 32], [48, 60]), (1, [34, 35], [54, 64])):
        by[pair, 0] += side * nostrils
        by[corner, 0] += side * corners
    by[48:68, 1] += some(0.08) + nose / 2
    jaw, chin = some(0.14), some(0.14)
    by[0:17, 0] += jaw * np.sign(np.arange(17) - 8) * np.sin(np.pi * np.arange(17) / 16)
    by[4:13, 1] += chin * np.sin(np.pi * np.arange(9) / 8)
    return by


def _anchors() -> Plane:
    """(n, 2), in u: places of the frame that stay."""
    x, y = in_units(*np.meshgrid(np.linspace(0, SIZE[0], 3), np.linspace(0, SIZE[1], 3)))
    far = (np.abs(x) > _FREE[0]) | (np.abs(y) > _FREE[1])
    return np.stack([x[far], y[far]], axis=1)


def _thin_plate(at: Plane, values: Plane) -> Callable[[Plane], Plane]:
    """The smoothest function (…, 2) → (…, 2) that nearly takes these values at these places, (n, 2) each."""
    n = len(at)
    flat = np.hstack([np.ones((n, 1)), at])
    system = np.block([[_bumps(at, at) + _STIFFNESS * np.eye(n), flat], [flat.T, np.zeros((3, 3))]])
    weights = np.linalg.solve(system, np.vstack([values, np.zeros((3, 2))]))

    def value(where: Plane) -> Plane:
        places = where.reshape(-1, 2)
        found = _bumps(places, at) @ weights[:n] + np.hstack([np.ones((len(places), 1)), places]) @ weights[n:]
        return np.asarray(found.reshape(where.shape), dtype=np.float64)

    return value


def _bumps(one: Plane, other: Plane) -> Plane:
    """(n, m): r² ln r of every distance."""
    squared = ((one[:, None] - other[None]) ** 2).sum(axis=2)
    return np.asarray(0.5 * squared * np.log(np.maximum(squared, 1e-12)), dtype=np.float64)


def _toned(picture: Picture, rng: np.random.Generator) -> Picture:
    """Another complexion and another camera."""
    gamma, gains = rng.uniform(0.8, 1.3), rng.uniform(0.88, 1.12, 3)
    tones = [np.clip(255 * gain * (np.arange(256) / 255) ** gamma, 0, 255) for gain in gains]
    return np.asarray(cv2.LUT(picture, np.stack(tones, axis=1).astype(np.uint8)[:, None]), dtype=np.uint8)
