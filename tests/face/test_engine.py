"""Facts of the engine that silent mistakes would change: colour order, mirroring, memory layout, models."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import ImageFile

from kiosk.config.face import FaceConfig
from kiosk.devices.emulated.people import Person, sample_photograph
from kiosk.face.dlib_engine import DlibEngine
from kiosk.face.engine import Box, EngineUnavailable, Image, Vector
from kiosk.face.engines import make_engine
from kiosk.face.models import LANDMARKS, dlib_model


def embedding(engine: DlibEngine, rgb: Image) -> Vector:
    (face,) = engine.detect(rgb)
    return engine.embed(rgb, face)


@pytest.fixture(scope="module")
def elder() -> Image:
    return sample_photograph(Person.CARDHOLDER)


@pytest.fixture(scope="module")
def younger() -> Image:
    return sample_photograph(Person.STRANGER)


def test_norms_and_distance_of_the_sample_faces(engine: DlibEngine, elder: Image, younger: Image) -> None:
    one, other = embedding(engine, elder), embedding(engine, younger)
    assert np.linalg.norm(one) == pytest.approx(1.403, abs=0.001)
    assert np.linalg.norm(other) == pytest.approx(1.452, abs=0.001)
    assert np.linalg.norm(one - other) == pytest.approx(0.700, abs=0.002)


@pytest.mark.parametrize(("person", "swapped", "mirrored"), [(Person.CARDHOLDER, 0.139, 0.143), (Person.STRANGER, 0.166, 0.199)])
def test_wrong_colours_and_mirroring_move_the_embedding(
    engine: DlibEngine, person: Person, swapped: float, mirrored: float
) -> None:
    """So that a test fails, should the pipeline ever feed BGR or the mirrored preview."""
    rgb = sample_photograph(person)
    right = embedding(engine, rgb)
    bgr = embedding(engine, np.ascontiguousarray(rgb[..., ::-1]))
    mirror = embedding(engine, np.ascontiguousarray(rgb[:, ::-1]))
    assert np.linalg.norm(right - bgr) == pytest.approx(swapped, abs=0.005)
    assert np.linalg.norm(right - mirror) == pytest.approx(mirrored, abs=0.005)


def test_a_view_with_strides_is_refused_instead_of_looking_empty(engine: DlibEngine, elder: Image) -> None:
    for wrong in (elder[:, ::-1], elder.astype(np.float32), elder[..., 0]):
        with pytest.raises(ValueError, match="C-contiguous uint8"):
            engine.detect(wrong)  # type: ignore[arg-type]


def test_landmarks_lie_in_the_face(engine: DlibEngine, elder: Image) -> None:
    (face,) = engine.detect(elder)
    points = engine.landmarks(elder, face)
    assert points.shape == (68, 2)
    assert face.left < points[30, 0] < face.right and face.top < points[30, 1] < face.bottom


def test_id_names_engine_alignment_and_model(engine: DlibEngine) -> None:
    assert engine.id == "dlib128-align68-55533b28a958"


def test_importing_the_library_leaves_pillow_strict(engine: DlibEngine) -> None:
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False


def test_missing_and_changed_models_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "face_recognition_models"
    (package / "models").mkdir(parents=True)
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "face_recognition_models", raising=False)
    with pytest.raises(EngineUnavailable, match="models_missing"):
        dlib_model(LANDMARKS)
    (package / "models" / LANDMARKS).write_bytes(b"another model")
    with pytest.raises(EngineUnavailable, match="models_changed"):
        dlib_model(LANDMARKS)


def test_the_default_configuration_makes_this_engine(engine: DlibEngine) -> None:
    assert make_engine(FaceConfig()).id == engine.id


def test_the_same_picture_gives_the_same_numbers(engine: DlibEngine, elder: Image) -> None:
    """No random jitter: frames are kept and embedded later."""
    (face,) = engine.detect(elder)
    assert np.array_equal(engine.embed(elder, face), engine.embed(elder.copy(), face))


def test_distance_is_l2(engine: DlibEngine) -> None:
    live, enrolled = np.array([[0.0, 0.0], [3.0, 4.0]]), np.array([[3.0, 4.0], [0.0, 0.0], [6.0, 8.0]])
    assert np.allclose(engine.distances(live, enrolled), [[5, 0, 10], [0, 5, 5]])


def test_box_measures() -> None:
    box = Box(10, 20, 30, 60)
    assert (box.width, box.height, box.centre) == (20, 40, (20.0, 40.0))
