"""Embeddings kept between runs, so that an interrupted one goes on where it was. One small file per picture.

A file is named by the hash of the picture's content and lies in a folder named by the engine; it holds the vector or
the reason why there is none, nothing else. Vectors are biometric data: the folder is for its owner alone.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from kiosk.face.engine import Vector
from kiosk.face.still import StillTrouble

MARK = "KIOSK-EMBEDDINGS"
"""A file of this name says that a folder is ours and may be emptied."""
_PRIVATE = 0o700


@dataclass(frozen=True, slots=True)
class Embedded:
    """What became of one picture: a vector, or the reason why there is none."""

    vector: Vector | None = field(repr=False)
    trouble: StillTrouble | None = None


class NotOurFolder(Exception):
    """The work folder exists, is not empty, and no earlier run made it."""


class EmbeddingCache:
    """Several processes may write at the same time: files are replaced as a whole."""

    def __init__(self, folder: Path, engine_id: str) -> None:
        self._folder = folder / hashlib.sha256(engine_id.encode()).hexdigest()[:16]

    def get(self, digest: str) -> Embedded | None:
        """None: not there, or not readable any more; it is then made anew."""
        try:
            kept = json.loads((self._folder / digest).read_text("ascii"))
            if kept["trouble"] is not None:
                return Embedded(None, StillTrouble(kept["trouble"]))
            vector = np.array(kept["vector"], dtype=np.float64)
            return Embedded(vector) if vector.ndim == 1 and vector.size and np.isfinite(vector).all() else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def put(self, digest: str, made: Embedded) -> None:
        """Raises OSError when the disk does not take it."""
        self._folder.mkdir(_PRIVATE, exist_ok=True)
        content = {"trouble": made.trouble, "vector": None if made.vector is None else made.vector.tolist()}
        draft = self._folder / f"{digest}.{os.getpid()}"
        draft.write_text(json.dumps(content), "ascii")
        draft.replace(self._folder / digest)


def digest_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def prepare(folder: Path, resume: bool) -> None:
    """Makes the work folder; without `resume` what an earlier run left in it is removed.

    Raises NotOurFolder, or OSError.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise NotOurFolder
    if folder.exists() and not resume:
        shutil.rmtree(folder)
    folder.mkdir(_PRIVATE, parents=True, exist_ok=True)
    (folder / MARK).touch()
