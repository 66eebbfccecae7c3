"""Templates and comparisons from single pictures."""

from __future__ import annotations

import numpy as np
import pytest

from kiosk.devices.emulated.people import Person, sample_photograph
from kiosk.domain.decision import Band, FaceBands
from kiosk.domain.roster import FaceTemplate, TemplateSource
from kiosk.face.dlib_engine import DlibEngine
from kiosk.face.engine import Image
from kiosk.face.still import StillTrouble, compare, image_from_bytes, template_from_image

BANDS = FaceBands(0.42, 0.50, 2, 0.52)


@pytest.fixture(scope="module")
def elder() -> Image:
    return sample_photograph(Person.CARDHOLDER)


@pytest.fixture(scope="module")
def mine(engine: DlibEngine, elder: Image) -> FaceTemplate:
    made = template_from_image(engine, elder)
    assert isinstance(made, FaceTemplate)
    return made


def test_templates_from_stills(engine: DlibEngine, mine: FaceTemplate) -> None:
    other = template_from_image(engine, sample_photograph(Person.STRANGER))
    assert isinstance(other, FaceTemplate)
    assert mine.engine == engine.id and len(mine.vector) == 128
    far = compare(engine, mine, (other, other), BANDS)
    assert far.band is Band.RETRY and far.distance == pytest.approx(0.700, abs=0.002) and far.templates == 2
    assert compare(engine, mine, (mine, mine), BANDS).band is Band.PASS
    assert compare(engine, mine, (mine,), BANDS).band is Band.REVIEW


def test_photographs_of_a_chip_never_pass_alone(engine: DlibEngine, mine: FaceTemplate) -> None:
    chip = FaceTemplate(engine.id, mine.vector, TemplateSource.CHIP)
    assert compare(engine, mine, (chip, chip), BANDS).band is Band.REVIEW
    assert compare(engine, mine, (chip, mine), BANDS).band is Band.PASS


def test_templates_of_another_engine_do_not_count(engine: DlibEngine, mine: FaceTemplate) -> None:
    foreign = FaceTemplate("another-engine", mine.vector)
    for nothing in (compare(engine, mine, (foreign, foreign), BANDS), compare(engine, foreign, (foreign, mine), BANDS)):
        assert nothing.templates == 0 and nothing.band is Band.RETRY and np.isnan(nothing.distance)


def test_stills_that_cannot_be_used(engine: DlibEngine, elder: Image) -> None:
    assert template_from_image(engine, np.full((400, 400, 3), 128, np.uint8)) is StillTrouble.NO_FACE
    assert template_from_image(engine, np.hstack([elder, elder])) is StillTrouble.SEVERAL_FACES
    assert image_from_bytes(b"") is StillTrouble.NOT_A_PICTURE
    assert image_from_bytes(b"not a picture") is StillTrouble.NOT_A_PICTURE


def test_a_large_still_is_shrunk_first(engine: DlibEngine, elder: Image, mine: FaceTemplate) -> None:
    large = np.ascontiguousarray(np.repeat(np.repeat(elder, 4, axis=0), 4, axis=1))
    big = template_from_image(engine, large)
    assert isinstance(big, FaceTemplate)
    assert compare(engine, big, (mine,), BANDS).distance < 0.2
