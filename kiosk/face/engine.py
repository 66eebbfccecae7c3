"""What the face room needs from a recogniser, whichever it is: boxes, points, vectors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
"""(height, width, 3), C-contiguous. RGB unless a name says BGR; never mirrored."""
Points = npt.NDArray[np.float64]
"""(68, 2): iBUG 300-W order, x right and y down, in pixels of the frame."""
Vector = npt.NDArray[np.float64]
"""An embedding; compared by its engine's own distance, only with vectors of the same engine id."""
Vectors = npt.NDArray[np.float64]
"""(n, d): embeddings as rows."""


@dataclass(frozen=True, slots=True)
class Box:
    """A face in pixels of the frame; right and bottom are exclusive."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def centre(self) -> tuple[float, float]:
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2


class EngineUnavailable(Exception):
    """The engine cannot be used on this machine. `reason` is a stable code.

    `models_missing`: a model file is not there · `models_changed`: its SHA-256 is not the known one
    · `models_unusable`: the known file, but no network this engine can run · `library_broken`: the recognition library
    cannot be imported.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class FaceEngine(Protocol):
    @property
    def id(self) -> str:
        """Names engine, alignment and model hash: templates and evidence carry it."""

    def detect(self, rgb: Image, faint: bool = False) -> list[Box]:
        """The faces of a picture as it is given, without scaling it.

        `faint`: a face is known to be here; take also what would hardly pass for one alone, such as a turned head.
        """

    def landmarks(self, rgb: Image, box: Box) -> Points: ...

    def embed(self, rgb: Image, box: Box) -> Vector: ...

    def distances(self, live: Vectors, enrolled: Vectors) -> Vectors:
        """(n, m): how far each of n live embeddings is from each of m enrolled ones. 0 is equal."""
