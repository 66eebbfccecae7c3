"""Embeds pictures on all cores; an interrupted run loses nothing that was done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from kiosk.config.face import FaceConfig
from kiosk.domain.roster import FaceTemplate
from kiosk.face.engine import FaceEngine
from kiosk.face.engines import make_engine
from kiosk.face.site.cache import Embedded, EmbeddingCache, digest_of
from kiosk.face.site.pool import on_all_cores
from kiosk.face.still import StillTrouble, image_from_bytes, template_from_image

_UNREADABLE = Embedded(None, StillTrouble.NOT_A_PICTURE)


def embed_all(
    pictures: Sequence[Path], config: FaceConfig, engine_id: str, work: Path, jobs: int, done: Callable[[], None]
) -> dict[Path, Embedded]:
    """Calls `done` after each picture. An unreadable one is a result like any other.

    The engine must be known to be available. Raises WorkerDied, or OSError when the work folder takes nothing.
    """
    made = on_all_cores(_embed, pictures, jobs, _begin, (config, engine_id, work), done)
    return dict(zip(pictures, made, strict=True))


class Embedder:
    """What a worker process keeps. The engine is loaded with the first picture that is not in the cache."""

    def __init__(self, config: FaceConfig, engine_id: str, work: Path) -> None:
        self._config = config
        self._cache = EmbeddingCache(work, engine_id)
        self._engine: FaceEngine | None = None

    def embed(self, path: Path) -> Embedded:
        try:
            data = path.read_bytes()
        except OSError:
            return _UNREADABLE
        digest = digest_of(data)
        known = self._cache.get(digest)
        if known is not None:
            return known
        made = self._from_bytes(data)
        self._cache.put(digest, made)
        return made

    def _from_bytes(self, data: bytes) -> Embedded:
        picture = image_from_bytes(data)
        if isinstance(picture, StillTrouble):
            return Embedded(None, picture)
        if self._engine is None:
            self._engine = make_engine(self._config)
        made = template_from_image(self._engine, picture)
        picture.fill(0)
        return Embedded(np.array(made.vector)) if isinstance(made, FaceTemplate) else Embedded(None, made)


_embedder: Embedder


def _begin(config: FaceConfig, engine_id: str, work: Path) -> None:
    global _embedder  # noqa: PLW0603  a pool hands its tasks nothing else
    _embedder = Embedder(config, engine_id, work)


def _embed(path: Path) -> Embedded:
    return _embedder.embed(path)
