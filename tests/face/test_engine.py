"""Facts of the engine that silent mistakes would change: colour order, mirroring, memory layout, models."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import ImageFile

from kiosk.devices.emulated.people import Person, sample_photograph
from kiosk.domain.decision import Band, FaceBands
from kiosk.domain.roster import FaceTemplate
from kiosk.face.dlib_engine import DlibEngine, verify_models
from kiosk.face.engine import Box, EngineUnavailable, Image, Vector
from kiosk.face.matching import mean_distance
from kiosk.face.still import StillTrouble, compare, image_from_bytes, template_from_image

BANDS = FaceBands(0.42, 0.50, 2)


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


def test_missing_and_changed_models_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match="models_missing"):
        verify_models(tmp_path)
    (tmp_path / "dlib_face_recognition_resnet_model_v1.dat").write_bytes(b"another model")
    with pytest.raises(EngineUnavailable, match="models_changed"):
        verify_models(tmp_path)


def test_templates_from_stills(engine: DlibEngine, elder: Image, younger: Image) -> None:
    one, other = template_from_image(engine, elder), template_from_image(engine, younger)
    assert isinstance(one, FaceTemplate) and isinstance(other, FaceTemplate)
    assert one.engine == engine.id and len(one.vector) == 128
    far = compare(one, (other, other), BANDS)
    assert far.band is Band.RETRY and far.distance == pytest.approx(0.700, abs=0.002) and far.templates == 2
    assert compare(one, (one, one), BANDS).band is Band.PASS
    assert compare(one, (one,), BANDS).band is Band.REVIEW


def test_templates_of_another_engine_do_not_count(engine: DlibEngine, elder: Image) -> None:
    mine = template_from_image(engine, elder)
    assert isinstance(mine, FaceTemplate)
    foreign = FaceTemplate("another-engine", mine.vector)
    nothing = compare(mine, (foreign, foreign), BANDS)
    assert nothing.templates == 0 and nothing.band is Band.RETRY and np.isnan(nothing.distance)


def test_stills_that_cannot_be_used(engine: DlibEngine, elder: Image) -> None:
    assert template_from_image(engine, np.full((400, 400, 3), 128, np.uint8)) is StillTrouble.NO_FACE
    assert template_from_image(engine, np.hstack([elder, elder])) is StillTrouble.SEVERAL_FACES
    assert image_from_bytes(b"") is StillTrouble.NOT_A_PICTURE
    assert image_from_bytes(b"not a picture") is StillTrouble.NOT_A_PICTURE


def test_a_large_still_is_shrunk_first(engine: DlibEngine, elder: Image) -> None:
    large = np.ascontiguousarray(np.repeat(np.repeat(elder, 4, axis=0), 4, axis=1))
    small, big = template_from_image(engine, elder), template_from_image(engine, large)
    assert isinstance(small, FaceTemplate) and isinstance(big, FaceTemplate)
    assert compare(big, (small,), BANDS).distance < 0.2


def test_the_score_is_the_mean_over_all_frames_and_templates() -> None:
    """Neither the nearest nor the distance of means: both let strangers nearer."""
    templates = [FaceTemplate("e", (0.0, 0.0)), FaceTemplate("e", (0.0, 4.0))]
    vectors = [np.array([3.0, 0.0]), np.array([-3.0, 4.0])]
    assert mean_distance(vectors, templates) == pytest.approx((3 + 5 + 5 + 3) / 4)
    assert np.isnan(mean_distance([], templates)) and np.isnan(mean_distance(vectors, []))


def test_box_measures() -> None:
    box = Box(10, 20, 30, 60)
    assert (box.width, box.height, box.centre) == (20, 40, (20.0, 40.0))
