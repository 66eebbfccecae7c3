"""The YuNet and SFace engine. OpenCV's own classes run here on networks of a few numbers (tiny_onnx.py).

The true files are not in the repository: with KIOSK_YUNET and KIOSK_SFACE naming them, the last tests run on them too.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from tiny_onnx import tiny_sface, tiny_yunet

import kiosk.face.opencv_engine as opencv_engine_module
from kiosk.config.face import FaceConfig
from kiosk.devices.emulated.people import Person, sample_photograph
from kiosk.domain.decision import Band, FaceBands
from kiosk.domain.roster import FaceTemplate
from kiosk.face.dlib_engine import DlibEngine
from kiosk.face.engine import Box, EngineUnavailable, FaceEngine, Image, Points, Vector
from kiosk.face.engines import make_engine
from kiosk.face.geometry import eye_distance
from kiosk.face.opencv_engine import OpencvEngine, five_of_68, hog_like_box
from kiosk.face.still import compare, template_from_image
from kiosk.face.tracking import FaceTracker

CELL = 8
OWN = {  # settings that belong to one engine; the numbers do not matter here
    "engine": "opencv", "pass_max": 0.5, "review_max": 0.6, "review_max_chip": 0.6, "threshold_set": "test",
    "liveness": {"same_face_max": 0.3}, "enrol": {"apart_max": 0.3, "lookalike_max": 0.3},
}


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def opencv_engine(yunet: Path, sface: Path) -> OpencvEngine:
    return OpencvEngine(yunet, sface, sha256(yunet), sha256(sface))


def head(person: Person) -> Image:
    """Without the clothes below, in which dlib's detector sees one more face at some angles."""
    return np.ascontiguousarray(sample_photograph(person)[:320])


@dataclass(frozen=True)
class Scene:
    """A photograph in which the tiny YuNet sees the face, by a red cell above the shoulder."""

    plain: Image
    marked: Image
    hog: Box
    five: Points
    marker: tuple[slice, slice]
    yunet: Path
    sface: Path

    @property
    def box(self) -> Box:
        return hog_like_box(self.five)


def directly(sface: Path, rgb: Image, five: Points) -> Vector:
    """The embedding by OpenCV's own calls on the whole picture, of length 1."""
    row = np.concatenate([np.zeros(4), five.ravel(), [1.0]]).astype(np.float32)
    recogniser = cv2.FaceRecognizerSF.create(str(sface), "")
    vector = recogniser.feature(recogniser.alignCrop(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), row))[0].astype(np.float64)
    return np.asarray(vector / np.linalg.norm(vector))


@pytest.fixture(scope="module")
def scene(engine: DlibEngine, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    rgb = head(Person.STRANGER)
    (hog,) = engine.detect(rgb)
    five = five_of_68(engine.landmarks(rgb, hog))
    box = hog_like_box(five)
    x, y = (box.left - box.width) % CELL, (box.top - box.width) % CELL
    rgb, five = np.ascontiguousarray(rgb[y:, x:]), five - (x, y)  # so that regions begin with a cell
    hog = Box(hog.left - x, hog.top - y, hog.right - x, hog.bottom - y)
    box = hog_like_box(five)
    left, top = box.right // CELL * CELL + 2 * CELL, box.top // CELL * CELL
    marker = (slice(top, top + CELL), slice(left, left + CELL))
    marked = rgb.copy()
    marked[marker] = (255, 0, 0)
    folder = tmp_path_factory.mktemp("models")
    points = five - (left + CELL / 2, top + CELL / 2)
    (folder / "yunet.onnx").write_bytes(tiny_yunet((90, 110), [(float(px), float(py)) for px, py in points]))
    (folder / "sface.onnx").write_bytes(tiny_sface())
    for picture in (rgb, marked):
        picture.setflags(write=False)
    return Scene(rgb, marked, hog, five, marker, folder / "yunet.onnx", folder / "sface.onnx")


@pytest.fixture(scope="module")
def opencv(scene: Scene) -> OpencvEngine:
    return opencv_engine(scene.yunet, scene.sface)


def test_a_face_is_found_as_the_box_dlib_would_give(opencv: OpencvEngine, scene: Scene) -> None:
    assert opencv.detect(scene.marked) == [scene.box]
    assert opencv.detect(scene.plain) == []
    for edge in ("left", "top", "right", "bottom"):
        assert abs(getattr(scene.box, edge) - getattr(scene.hog, edge)) < 0.15 * scene.hog.width


def test_yunet_is_given_bgr(opencv: OpencvEngine, scene: Scene) -> None:
    """The marker is red only if the channels arrive in OpenCV's order."""
    assert opencv.detect(np.ascontiguousarray(scene.marked[..., ::-1])) == []


def test_pictures_may_change_their_size(opencv: OpencvEngine, scene: Scene) -> None:
    assert opencv.detect(np.ascontiguousarray(scene.marked[:251, :470])) == [scene.box]
    assert opencv.detect(scene.marked) == [scene.box]


def test_boxes_end_with_the_picture(opencv: OpencvEngine, scene: Scene) -> None:
    box = scene.box
    gone = box.left // CELL * CELL + 3 * CELL
    (cut,) = opencv.detect(np.ascontiguousarray(scene.marked[:, gone:]))
    assert cut == Box(0, box.top, box.right - gone, box.bottom)


def test_views_are_refused(opencv: OpencvEngine, scene: Scene) -> None:
    """OpenCV itself would take a mirrored view and say nothing."""
    view = scene.marked[:, ::-1]
    for call in (opencv.detect, lambda rgb: opencv.landmarks(rgb, scene.box), lambda rgb: opencv.embed(rgb, scene.box)):
        with pytest.raises(ValueError, match="C-contiguous uint8"):
            call(view)


@pytest.mark.parametrize("person", [Person.CARDHOLDER, Person.STRANGER])
@pytest.mark.parametrize("angle", [-10, 0, 10])
def test_landmarks_on_such_boxes_are_those_on_the_detectors_own(
    engine: DlibEngine, opencv: OpencvEngine, person: Person, angle: float,
) -> None:
    rgb = head(person)
    height, width = rgb.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 3), angle, 0.9)
    rgb = np.asarray(cv2.warpAffine(rgb, turn, (width, height)), dtype=np.uint8)
    (hog,) = engine.detect(rgb)
    expected = engine.landmarks(rgb, hog)
    box = hog_like_box(five_of_68(expected))
    assert 0.8 < box.width / hog.width < 1.25
    found = opencv.landmarks(rgb, box)
    apart = np.linalg.norm(found - expected, axis=1) / eye_distance(expected)
    assert apart.mean() < 0.05


def test_the_face_is_aligned_by_yunets_points(opencv: OpencvEngine, scene: Scene) -> None:
    """Found again in a region round the box: the result has to be that of the whole picture."""
    found = opencv.embed(scene.marked, scene.box)
    assert found.shape == (128,) and np.linalg.norm(found) == pytest.approx(1)
    assert np.allclose(found, directly(scene.sface, scene.marked, scene.five), atol=1e-5)


def test_colours_mirroring_and_place_move_the_embedding(opencv: OpencvEngine, scene: Scene) -> None:
    right = opencv.embed(scene.plain, scene.box)
    bgr = opencv.embed(np.ascontiguousarray(scene.plain[..., ::-1]), scene.box)
    width, box = scene.plain.shape[1], scene.box
    mirror = opencv.embed(
        np.ascontiguousarray(scene.plain[:, ::-1]), Box(width - box.right, box.top, width - box.left, box.bottom))
    for wrong in (bgr, mirror):
        assert opencv.distances(right[None], wrong[None])[0, 0] > 0.02


def test_without_yunets_points_the_same_five_of_the_68_serve(opencv: OpencvEngine, scene: Scene) -> None:
    with_yunet, without = opencv.embed(scene.marked, scene.box), opencv.embed(scene.plain, scene.box)
    assert opencv.distances(with_yunet[None], without[None])[0, 0] < 0.002


def test_of_two_faces_the_one_asked_for_is_embedded(opencv: OpencvEngine, scene: Scene) -> None:
    """Both lie in the region that is searched."""
    box, beside = scene.box, 12 * CELL
    other = Box(box.left + beside, box.top, box.right + beside, box.bottom)
    both = scene.marked.copy()
    both[:, beside:][scene.marker] = (255, 0, 0)
    assert {one.left for one in opencv.detect(both)} == {box.left, other.left}
    for one, five in ((box, scene.five), (other, np.add(scene.five, (beside, 0)))):
        expected = directly(scene.sface, both, five)
        assert np.allclose(opencv.embed(both, one), expected, atol=1e-5)


def test_a_face_elsewhere_in_the_region_is_not_taken_for_it(opencv: OpencvEngine, scene: Scene) -> None:
    """It would align somebody else's face: then rather the landmarks of the box asked for."""
    box = scene.box
    aside = 8 * CELL
    beside = Box(box.left - aside, box.top, box.right - aside, box.bottom)
    assert aside > 0.5 * box.width and scene.marker[1].stop <= beside.right + box.width, "in the region"
    found = opencv.embed(scene.marked, beside)
    assert np.allclose(found, directly(scene.sface, scene.marked, five_of_68(opencv.landmarks(scene.marked, beside))), atol=1e-4)


def test_a_near_face_gives_the_embedding_of_a_far_one(opencv: OpencvEngine, scene: Scene) -> None:
    far, near = scene.plain, np.asarray(cv2.resize(scene.plain, None, fx=3, fy=3), dtype=np.uint8)
    edges = (3 * edge for edge in (scene.box.left, scene.box.top, scene.box.right, scene.box.bottom))
    found = opencv.embed(near, Box(*edges))
    assert opencv.distances(found[None], opencv.embed(far, scene.box)[None])[0, 0] < 0.005


def test_an_embedding_outlives_the_next_and_the_picture_its_embedding(opencv: OpencvEngine, scene: Scene) -> None:
    """OpenCV hands out its own memory; and what is overwritten after use must not be the caller's picture."""
    box = scene.box
    small = np.ascontiguousarray(scene.marked[: box.bottom + CELL, : box.right + 4 * CELL])
    before, first = small.copy(), opencv.embed(small, box)
    kept = first.copy()
    opencv.embed(255 - scene.plain, box)
    opencv.detect(small)
    assert np.array_equal(first, kept) and np.array_equal(small, before)


def test_distance_is_one_minus_the_cosine(opencv: OpencvEngine) -> None:
    live = np.array([[1.0, 0.0], [3.0, 3.0]])
    enrolled = np.array([[2.0, 0.0], [0.0, 5.0], [-1.0, 0.0]])
    half = 1 - 0.5**0.5
    assert np.allclose(opencv.distances(live, enrolled), [[0, 1, 2], [half, half, 2 - half]])
    assert opencv.distances(live, live).min() >= 0


def test_missing_changed_and_unusable_files_are_told_apart(scene: Scene, tmp_path: Path) -> None:
    yunet, sface = scene.yunet, scene.sface
    for files in ((tmp_path / "no.onnx", sface), (yunet, tmp_path), (tmp_path / "no.onnx", tmp_path / "no.onnx")):
        with pytest.raises(EngineUnavailable, match="models_missing"):
            OpencvEngine(*files, sha256(yunet), sha256(sface))
    for hashes in (("", ""), (sha256(yunet), ""), ("", sha256(sface)), (sha256(sface), sha256(sface))):
        with pytest.raises(EngineUnavailable, match="models_changed"):
            OpencvEngine(yunet, sface, *hashes)
    (tmp_path / "text.onnx").write_text("not a network")
    for files in ((sface, sface), (yunet, yunet), (tmp_path / "text.onnx", sface), (yunet, tmp_path / "text.onnx")):
        with pytest.raises(EngineUnavailable, match="models_unusable"):
            opencv_engine(*files)


def test_known_files_need_no_hash_and_a_hash_given_replaces_them(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opencv_engine_module, "YUNET_SHA256", ("0" * 64, sha256(scene.yunet)))
    monkeypatch.setattr(opencv_engine_module, "SFACE_SHA256", (sha256(scene.sface),))
    OpencvEngine(scene.yunet, scene.sface)
    for hashes in (("1" * 64, ""), ("", "1" * 64)):
        with pytest.raises(EngineUnavailable, match="models_changed"):
            OpencvEngine(scene.yunet, scene.sface, *hashes)


def test_a_hash_may_be_written_in_capitals(scene: Scene) -> None:
    OpencvEngine(scene.yunet, scene.sface, sha256(scene.yunet).upper(), sha256(scene.sface).upper())


def test_the_id_names_recogniser_and_aligning_detector(opencv: OpencvEngine, scene: Scene, tmp_path: Path) -> None:
    assert opencv.id == f"sface128-yunet5.{sha256(scene.yunet)[:8]}-{sha256(scene.sface)[:12]}"
    other = tmp_path / "other.onnx"
    other.write_bytes(tiny_sface(seed=1))
    assert opencv_engine(scene.yunet, other).id != opencv.id
    other.write_bytes(tiny_yunet((50, 50), [(0, 0), (9, 0), (5, 5), (0, 9), (9, 9)]))
    assert opencv_engine(other, scene.sface).id != opencv.id


def test_switching_is_configuration_and_new_templates(engine: DlibEngine, scene: Scene) -> None:
    """Neither engine takes the other's templates, although both have 128 numbers."""
    config = FaceConfig.model_validate(OWN | {
        "yunet": scene.yunet, "yunet_sha256": sha256(scene.yunet), "sface": scene.sface, "sface_sha256": sha256(scene.sface),
    })
    made: list[tuple[FaceEngine, FaceTemplate]] = []
    for one in (engine, make_engine(config)):
        template = template_from_image(one, scene.marked)
        assert isinstance(template, FaceTemplate)
        made.append((one, template))
    bands = FaceBands(0.3, 0.4, 2)
    for (one, own), (_, others) in zip(made, reversed(made), strict=True):
        assert compare(one, own, (own, own), bands).band is Band.PASS
        refused = compare(one, own, (others, others), bands)
        assert refused.templates == 0 and refused.band is Band.RETRY


def test_an_opencv_engine_needs_files_and_figures_of_its_own() -> None:
    with pytest.raises(ValueError, match="needs the files"):
        FaceConfig.model_validate(OWN)
    for key in ("pass_max", "review_max_chip", "threshold_set", "liveness", "enrol"):
        settings = {name: value for name, value in OWN.items() if name != key}
        with pytest.raises(ValueError, match="needs its own"):
            FaceConfig.model_validate(settings | {"yunet": "y.onnx", "sface": "s.onnx"})


def test_the_tracker_follows_its_boxes(opencv: OpencvEngine, scene: Scene) -> None:
    tracker = FaceTracker(opencv, scene.marked.shape[1])
    assert tracker.find(scene.marked, 0.0) == [scene.box]
    assert tracker.find(scene.plain, 0.1) == []


# ------------------------------------------------------------------------------------------ the true files

TRUE_FILES = [os.environ.get(name, "") for name in ("KIOSK_YUNET", "KIOSK_SFACE")]
with_true_files = pytest.mark.skipif(
    not all(TRUE_FILES),
    reason="the true YuNet and SFace were NOT tried: set KIOSK_YUNET and KIOSK_SFACE to face_detection_yunet_2023mar.onnx "
    "(or _2026may) and face_recognition_sface_2021dec.onnx of the OpenCV model zoo",
)


@pytest.fixture(scope="module")
def true_engine() -> OpencvEngine:
    return OpencvEngine(*map(Path, TRUE_FILES))


@with_true_files
@pytest.mark.parametrize("person", [Person.CARDHOLDER, Person.STRANGER])
def test_true_yunet_finds_what_dlib_finds(engine: DlibEngine, true_engine: OpencvEngine, person: Person) -> None:
    rgb = sample_photograph(person)
    (hog,), (box,) = engine.detect(rgb), true_engine.detect(rgb)
    assert 0.75 < box.width / hog.width < 1.33
    assert np.linalg.norm(np.subtract(box.centre, hog.centre)) < 0.2 * hog.width
    expected = engine.landmarks(rgb, hog)
    apart = np.linalg.norm(true_engine.landmarks(rgb, box) - expected, axis=1) / eye_distance(expected)
    assert apart.mean() < 0.06


@with_true_files
def test_true_sface_tells_two_people_apart(true_engine: OpencvEngine) -> None:
    vectors = []
    for person in (Person.CARDHOLDER, Person.STRANGER):
        rgb = sample_photograph(person)
        (box,) = true_engine.detect(rgb)
        darker = np.asarray(cv2.convertScaleAbs(rgb, alpha=0.8), dtype=np.uint8)
        vectors += [true_engine.embed(rgb, box), true_engine.embed(darker, box)]
    far = true_engine.distances(np.array(vectors), np.array(vectors))
    assert max(far[0, 1], far[2, 3]) < 0.2 and far[:2, 2:].min() > 0.5


@with_true_files
def test_true_yunets_points_and_those_of_the_68_align_alike(true_engine: OpencvEngine) -> None:
    rgb = sample_photograph(Person.STRANGER)
    (box,) = true_engine.detect(rgb)
    hidden = true_engine.landmarks(rgb, box)
    assert np.linalg.norm(np.subtract(hog_like_box(five_of_68(hidden)).centre, box.centre)) < 0.1 * box.width
