"""Embeddings kept between runs: torn files, foreign folders, several engines."""

from __future__ import annotations

import stat
from pathlib import Path

import numpy as np
import pytest

from kiosk.face.site.cache import Embedded, EmbeddingCache, NotOurFolder, prepare
from kiosk.face.still import StillTrouble

VECTOR = np.random.default_rng(0).standard_normal(128)


def only_file(folder: Path) -> Path:
    (file,) = (path for path in folder.rglob("*") if path.is_file() and path.parent != folder)
    return file


def test_what_is_kept_comes_back_to_the_last_bit(tmp_path: Path) -> None:
    prepare(tmp_path / "work", resume=False)
    cache = EmbeddingCache(tmp_path / "work", "dlib")
    cache.put("one", Embedded(VECTOR))
    cache.put("two", Embedded(None, StillTrouble.NO_FACE))
    one, two = cache.get("one"), cache.get("two")
    assert one is not None and one.vector is not None and (one.vector == VECTOR).all() and one.trouble is None
    assert two == Embedded(None, StillTrouble.NO_FACE)
    assert cache.get("three") is None and EmbeddingCache(tmp_path / "work", "other").get("one") is None
    assert stat.S_IMODE((tmp_path / "work").stat().st_mode) == 0o700 and "0." not in repr(one)


@pytest.mark.parametrize("spoil", [
    lambda data: data[: len(data) // 2], lambda data: b"", lambda data: b"\xff\xfe", lambda data: b"[1, 2]",
    lambda data: b'{"trouble": "unheard_of", "vector": null}', lambda data: b'{"trouble": null, "vector": [1, NaN]}',
    lambda data: b'{"trouble": null, "vector": null}', lambda data: b'{"trouble": null, "vector": []}', lambda data: b"{}",
])
def test_a_torn_file_is_as_if_not_there(tmp_path: Path, spoil: object) -> None:
    cache = EmbeddingCache(tmp_path, "dlib")
    cache.put("one", Embedded(VECTOR))
    file = only_file(tmp_path)
    file.write_bytes(spoil(file.read_bytes()))  # type: ignore[operator]
    assert cache.get("one") is None
    cache.put("one", Embedded(VECTOR))
    assert cache.get("one") is not None and only_file(tmp_path) == file, "made anew in its place"


def test_a_run_begins_anew_unless_it_resumes(tmp_path: Path) -> None:
    prepare(tmp_path / "work", resume=True)
    EmbeddingCache(tmp_path / "work", "dlib").put("one", Embedded(VECTOR))
    prepare(tmp_path / "work", resume=True)
    assert EmbeddingCache(tmp_path / "work", "dlib").get("one") is not None
    prepare(tmp_path / "work", resume=False)
    assert EmbeddingCache(tmp_path / "work", "dlib").get("one") is None


@pytest.mark.parametrize("resume", [True, False])
def test_no_other_folder_is_emptied_or_filled(tmp_path: Path, resume: bool) -> None:
    (tmp_path / "letter").touch()
    with pytest.raises(NotOurFolder):
        prepare(tmp_path, resume)
    assert [path.name for path in tmp_path.iterdir()] == ["letter"]
