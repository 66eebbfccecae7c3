"""The people enrolled here, as arrays."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.domain.roster import FaceTemplate, TemplateSource
from kiosk.face.base import FaceBase
from kiosk.face.dlib_engine import DlibEngine


def person(engine: DlibEngine, *vectors: tuple[float, ...]) -> list[FaceTemplate]:
    return [FaceTemplate(engine.id, vector) for vector in vectors]


def test_lookalikes_are_those_within_the_limit_nearest_first(engine: DlibEngine) -> None:
    base = FaceBase.of(engine.id, [
        person(engine, (3.0, 0.0), (5.0, 0.0)), person(engine, (1.0, 0.0)), [], person(engine, (0.0, 0.0)),
        person(engine, (0.0, 2.0), (0.0, 6.125)), person(engine, (0.5, 0.0), (9.0, 0.0)),
    ])
    assert base.size == 5
    found = base.lookalikes(engine, [np.zeros(2)], exclude_owner=3, limit=4.0)
    assert [(one.owner, one.distance) for one in found] == [(1, 1.0), (0, 4.0)], "the mean of all templates, never the nearest"
    everybody = base.lookalikes(engine, [np.zeros(2)], exclude_owner=None, limit=4.0)
    assert [one.owner for one in everybody] == [3, 1, 0]


def test_every_capture_counts(engine: DlibEngine) -> None:
    base = FaceBase.of(engine.id, [person(engine, (0.0, 0.0))])
    (one,) = base.lookalikes(engine, [np.array([1.0, 0.0]), np.array([3.0, 0.0])], None, 9.0)
    assert one.distance == 2.0


def test_other_engines_and_chips_are_not_in_it(engine: DlibEngine) -> None:
    base = FaceBase.of(engine.id, [
        [FaceTemplate("another", (0.0, 0.0))], [FaceTemplate(engine.id, (0.0, 0.0), TemplateSource.CHIP)],
        [FaceTemplate(engine.id, (1.0, 0.0), TemplateSource.ENROLLED), FaceTemplate("another", (0.0, 0.0))],
    ])
    assert base.vectors.dtype == np.float32 and base.vectors.tolist() == [[1.0, 0.0]] and base.owners.tolist() == [2]


def test_an_empty_base_knows_nobody(engine: DlibEngine) -> None:
    for base in (FaceBase.of(engine.id, []), FaceBase.of("", [person(engine, (1.0,))])):
        assert base.size == 0 and base.lookalikes(engine, [np.zeros(128)], None, 9.0) == ()


def test_without_captures_nobody_is_near(engine: DlibEngine) -> None:
    assert FaceBase.of(engine.id, [person(engine, (0.0, 0.0))]).lookalikes(engine, [], None, 9.0) == ()


def test_another_engine_is_a_mistake_of_the_caller(engine: DlibEngine) -> None:
    base = FaceBase.of("another", [[FaceTemplate("another", (0.0, 0.0))]])
    with pytest.raises(ValueError, match="engine that made"):
        base.lookalikes(engine, [np.zeros(2)], None, 9.0)


def test_it_travels_to_the_face_process_and_is_wiped(engine: DlibEngine) -> None:
    base = FaceBase.of(engine.id, [person(engine, (7.0, 0.0))])
    there = pickle.loads(pickle.dumps(base))
    assert there.engine_id == engine.id and np.array_equal(there.vectors, base.vectors)
    assert "7" not in repr(base).replace(engine.id, "")
    base.wipe()
    assert not base.vectors.any() and there.vectors.any()


@given(st.integers(0, 2**32 - 1), st.integers(1, 60), st.integers(1, 3), st.integers(1, 4))
def test_distances_are_those_of_every_pair(engine: DlibEngine, seed: int, people: int, captures: int, most: int) -> None:
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, most + 1, people)
    templates = [rng.normal(size=(count, 4)).astype(np.float32) for count in counts]
    live = rng.normal(size=(captures, 4))
    base = FaceBase.of(engine.id, [person(engine, *map(tuple, rows.tolist())) for rows in templates])
    owners, far = base.nearness(engine, live)
    assert owners.tolist() == [i for i, count in enumerate(counts) if count]
    for owner, distance in zip(owners, far, strict=True):
        pairs = [np.linalg.norm(one - other) for one in live for other in templates[owner]]
        assert distance == pytest.approx(np.mean(pairs))


def test_many_are_compared_block_by_block(engine: DlibEngine) -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(5000, 8)).astype(np.float32)
    base = FaceBase(engine.id, vectors, np.repeat(np.arange(2500), 2))
    _, far = base.nearness(engine, np.zeros((1, 8)))
    assert np.allclose(far, np.linalg.norm(vectors, axis=1).reshape(-1, 2).mean(axis=1))
