"""The other engine: YuNet finds, SFace recognises, out of ONNX files the operator supplies (docs/face.md says where from).

Both are loaded from the very bytes whose SHA-256 was checked. The 68 points of gates and liveness stay those of dlib's
predictor, which was trained on the boxes of its own detector: `hog_like_box` gives it such boxes.
Thresholds of the dlib engine mean nothing here, and the ones published with SFace come from LFW: calibrate.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import dlib
import numpy as np
import numpy.typing as npt

from kiosk.face.engine import Box, EngineUnavailable, Image, Points, Vector, Vectors
from kiosk.face.geometry import MOUTH_CORNERS, NOSE_TIP, eye_centres
from kiosk.face.models import LANDMARKS, dlib_model, read_verified
from kiosk.face.picture import check_picture

YUNET_SHA256 = (
    "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",  # face_detection_yunet_2023mar.onnx
    "ebafce4e3c118d6554634be5c27ab333b4c047a9a8c3faf1d7cf93101c22f0f0",  # face_detection_yunet_2026may.onnx
)
SFACE_SHA256 = ("0ba9fbfa01b5270c96627c4ef784da859931e02f04419c829e83484087c34e79",)  # face_recognition_sface_2021dec.onnx

_SCORE_MIN, _OVERLAP_MAX, _FACES_MAX = 0.6, 0.3, 50
_DIMENSIONS = 128
_CHIP = 112
_SIDE_PER_SPREAD = 3.55
"""Side of the HOG detector's box by the root mean square distance of the five points from their middle, and
how far below that middle the box has its own: medians of 90 renderings of two heads, yaw ±20°, pitch ±10°, roll ±12°.
Landmarks on such a box differ from those on the detector's own by a median of 0.014 eye distances."""
_BELOW_MIDDLE = 0.034
_REGION_PAD = 1.0
"""Box widths round a face that YuNet is shown to find its five points again."""
_REGION_FACE_PX = 160
"""Larger faces are shrunk for it; the aligned face has 78."""
_ELSEWHERE = 0.5
"""A face whose middle is more box widths away is not the one meant."""

Row = npt.NDArray[np.float32]
"""(15,): x, y, width, height; right eye, left eye, nose tip, right and left corner of the mouth (the person's own); score."""


class OpencvEngine:
    """Loads in less than a second; 68 points need about 100 MB."""

    def __init__(self, yunet: Path, sface: Path, yunet_sha256: str = "", sface_sha256: str = "") -> None:
        """A SHA-256 given replaces the known ones. Raises EngineUnavailable."""
        detector, detector_hash = read_verified(yunet, [yunet_sha256] if yunet_sha256 else YUNET_SHA256)
        recogniser, recogniser_hash = read_verified(sface, [sface_sha256] if sface_sha256 else SFACE_SHA256)
        self._id = f"sface{_DIMENSIONS}-yunet5.{detector_hash[:8]}-{recogniser_hash[:12]}"
        nothing = np.empty(0, np.uint8)
        size = (_REGION_FACE_PX, _REGION_FACE_PX)
        try:
            self._yunet = cv2.FaceDetectorYN.create(
                "onnx", np.frombuffer(detector, np.uint8), nothing, size, _SCORE_MIN, _OVERLAP_MAX, _FACES_MAX)
            self._sface = cv2.FaceRecognizerSF.create("onnx", np.frombuffer(recogniser, np.uint8), nothing)
            self._rows(np.zeros((*size, 3), np.uint8))
            fits = self._feature(np.zeros((_CHIP, _CHIP, 3), np.uint8)).shape == (_DIMENSIONS,)
        except cv2.error:  # another network, or one this OpenCV cannot run
            fits = False
        if not fits:
            raise EngineUnavailable("models_unusable")
        self._predictor = dlib.shape_predictor(str(dlib_model(LANDMARKS)))

    @property
    def id(self) -> str:
        """The aligning detector is named too: another one cuts faces out differently."""
        return self._id

    def detect(self, rgb: Image, faint: bool = False) -> list[Box]:
        """YuNet sees turned heads as it is: `faint` changes nothing."""
        check_picture(rgb)
        height, width = rgb.shape[:2]
        bgr = _bgr(rgb)
        boxes = [_within(hog_like_box(_five(row)), width, height) for row in self._rows(bgr)]
        bgr.fill(0)
        return [box for box in boxes if box.width > 0 and box.height > 0]

    def landmarks(self, rgb: Image, box: Box) -> Points:
        check_picture(rgb)
        shape = self._predictor(rgb, dlib.rectangle(box.left, box.top, box.right, box.bottom))
        return np.array([(point.x, point.y) for point in shape.parts()], dtype=np.float64)

    def embed(self, rgb: Image, box: Box) -> Vector:
        """Of length 1. Aligned by the five points YuNet finds there; if it does not, by the same five of the 68."""
        check_picture(rgb)
        pad = round(_REGION_PAD * box.width)
        left, top = max(0, box.left - pad), max(0, box.top - pad)
        scale = min(1.0, _REGION_FACE_PX / box.width)
        region = _shrunk(_bgr(rgb[top : box.bottom + pad, left : box.right + pad]), scale)
        sought = (np.array(box.centre) - (left, top)) * scale
        row = self._nearest(region, sought, _ELSEWHERE * box.width * scale)
        if row is None:
            row = _row((five_of_68(self.landmarks(rgb, box)) - (left, top)) * scale)
        chip = np.asarray(self._sface.alignCrop(region, row), dtype=np.uint8)
        vector = self._feature(chip)
        region.fill(0)
        chip.fill(0)
        return vector / np.linalg.norm(vector)

    def distances(self, live: Vectors, enrolled: Vectors) -> Vectors:
        """1 − cosine, 0 to 2."""
        ones, others = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True) for vectors in (live, enrolled))
        return np.asarray(np.clip(1 - ones @ others.T, 0, 2), dtype=np.float64)

    def _rows(self, bgr: Image) -> Sequence[Row]:
        self._yunet.setInputSize((bgr.shape[1], bgr.shape[0]))
        _, rows = self._yunet.detect(bgr)
        return () if rows is None else [np.asarray(row, dtype=np.float32) for row in rows]

    def _nearest(self, bgr: Image, sought: npt.NDArray[np.float64], reach: float) -> Row | None:
        """The face nearest to where one is sought, if it is within `reach` pixels."""
        rows = self._rows(bgr)
        far = [float(np.linalg.norm(np.array(hog_like_box(_five(row)).centre) - sought)) for row in rows]
        return rows[int(np.argmin(far))] if far and min(far) <= reach else None

    def _feature(self, chip: Image) -> Vector:
        """A copy: OpenCV writes the next one into the same memory."""
        return np.array(self._sface.feature(chip)[0], dtype=np.float64)


def hog_like_box(five: Points) -> Box:
    """five: (5, 2), as in Row. The square dlib's own detector would put round such a face, in whole pixels."""
    middle = five.mean(axis=0)
    spread = float(np.sqrt(((five - middle) ** 2).sum(axis=1).mean()))
    half = _SIDE_PER_SPREAD * spread / 2
    x, y = float(middle[0]), float(middle[1]) + _BELOW_MIDDLE * spread
    return Box(round(x - half), round(y - half), round(x + half), round(y + half))


def five_of_68(points: Points) -> Points:
    """(5, 2): the points of a Row out of the 68."""
    return np.array([*eye_centres(points), points[NOSE_TIP], *points[MOUTH_CORNERS]])


def _five(row: Row) -> Points:
    return np.asarray(row[4:14], dtype=np.float64).reshape(5, 2)


def _row(five: Points) -> Row:
    row = np.zeros(15, np.float32)
    row[4:14] = five.reshape(10)
    return row


def _bgr(rgb: Image) -> Image:
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), dtype=np.uint8)


def _shrunk(picture: Image, scale: float) -> Image:
    if scale == 1:
        return picture
    smaller = np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    picture.fill(0)
    return smaller


def _within(box: Box, width: int, height: int) -> Box:
    return Box(max(0, box.left), max(0, box.top), min(width, box.right), min(height, box.bottom))
