"""What the decision bands are held against."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.domain.roster import FaceTemplate, TemplateSource
from kiosk.face.dlib_engine import DlibEngine
from kiosk.face.matching import chip_only, comparable, foreign, mean_distance


def of(engine: DlibEngine, *vectors: tuple[float, ...]) -> list[FaceTemplate]:
    return [FaceTemplate(engine.id, vector) for vector in vectors]


def test_the_score_is_the_mean_over_all_frames_and_templates(engine: DlibEngine) -> None:
    """Neither the nearest nor the distance of means: both let strangers nearer."""
    vectors = [np.array([3.0, 0.0]), np.array([-3.0, 4.0])]
    assert mean_distance(engine, vectors, of(engine, (0.0, 0.0), (0.0, 4.0))) == pytest.approx((3 + 5 + 5 + 3) / 4)


def test_nothing_to_compare_is_no_number(engine: DlibEngine) -> None:
    templates, vectors = of(engine, (0.0, 0.0)), [np.zeros(2)]
    assert math.isnan(mean_distance(engine, [], templates)) and math.isnan(mean_distance(engine, vectors, []))
    assert math.isnan(mean_distance(engine, vectors, [FaceTemplate("another", (0.0, 0.0))]))


def test_templates_of_another_engine_alignment_or_model_are_refused_and_counted(engine: DlibEngine) -> None:
    """They may well have as many numbers: compared, they would give a distance that means nothing."""
    mine = of(engine, (0.0, 0.0))
    others = [FaceTemplate(engine.id.replace("align68", "align5"), (9.0, 0.0)), FaceTemplate(engine.id[:-1], (9.0, 0.0))]
    assert comparable([*others, *mine], engine.id) == tuple(mine)
    assert foreign([*others, *mine], engine.id) == 2 and foreign(mine, engine.id) == 0
    assert mean_distance(engine, [np.zeros(2)], [*others, *mine]) == 0


def test_a_chip_alone() -> None:
    chip, portrait = FaceTemplate("e", (), TemplateSource.CHIP), FaceTemplate("e", ())
    assert chip_only([chip, chip])
    assert not chip_only([chip, portrait]) and not chip_only([])


@given(st.lists(st.tuples(*[st.floats(-9, 9)] * 3), min_size=1, max_size=5),
       st.lists(st.tuples(*[st.floats(-9, 9)] * 3), min_size=1, max_size=4))
def test_the_order_of_frames_and_templates_does_not_matter(
    engine: DlibEngine, live: list[tuple[float, ...]], enrolled: list[tuple[float, ...]],
) -> None:
    there = mean_distance(engine, [np.array(one) for one in live], of(engine, *enrolled))
    back = mean_distance(engine, [np.array(one) for one in reversed(live)], of(engine, *reversed(enrolled)))
    swapped = mean_distance(engine, [np.array(one) for one in enrolled], of(engine, *live))
    assert there == pytest.approx(back) == pytest.approx(swapped)
