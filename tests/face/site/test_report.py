"""What the report shows, and what it must not."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from invented_people import flat_people, visiting_people

from kiosk.config.face import CohortConfig, FaceConfig
from kiosk.domain.decision import FaceBands
from kiosk.face.dlib_engine import DlibEngine
from kiosk.face.site.evaluation import Evaluation, evaluate
from kiosk.face.site.figures import Load, load
from kiosk.face.site.folder import Traits
from kiosk.face.site.pairs import MainPairs, Subgroup, main_pairs, relatives, within
from kiosk.face.site.report import Header, html_report
from kiosk.face.site.samples import Losses, Sample
from kiosk.face.site.statistics import Trials
from kiosk.face.site.tables import WITHHELD
from kiosk.face.still import StillTrouble

CONFIG = FaceConfig(cohort=CohortConfig(size_min=10, pass_max=-4.0, review_max=-2.0))
LOSSES = Losses(80, {StillTrouble.NO_FACE: 3}, 2, 1, 0, 40, 4)
HEADER = Header("dlib128", "start-2026", dt.date(2026, 7, 1), rendered=False, draws=50)


def evaluated(engine: DlibEngine, people: Sequence[Sample], frames: int = 5) -> Evaluation:
    return evaluate(engine, people, CONFIG, frames, draws=50)


def page(engine: DlibEngine, people: Sequence[Sample], header: Header = HEADER) -> str:
    return html_report(evaluated(engine, people), LOSSES, [one.traits for one in people], header)


def traits(people: int) -> list[Traits]:
    ages, sexes = ("60-69", "70-79", "80+"), ("男", "女")
    return [Traits(ages[i % 3], sexes[i % 2], "是" if i < 3 else "否", f"g{i // 2}" if i < 2 else "") for i in range(people)]


# ------------------------------------------------------------------------------------------ pairs


def test_main_pairs_are_of_one_sex_and_adjacent_age_bands_and_no_relatives() -> None:
    people = [Traits("60-69", "男"), Traits("70-79", "男"), Traits("80+", "男"), Traits("70-79", "女")]
    people += [Traits("70-79", "男", "", "g"), Traits("70-79", "男", "", "g")]
    mask, pairs = main_pairs(people)
    assert pairs is MainPairs.ALIKE and mask.diagonal().all() and (mask == mask.T).all()
    assert mask[0].tolist() == [True, True, False, False, True, True]
    assert not mask[3][:3].any() and not mask[4, 5] and mask[1, 2]


def test_without_known_traits_all_but_relatives_count() -> None:
    people = [Traits("60-69", "男", "", "g"), Traits("", "女", "", "g"), Traits("80+", "男")]
    mask, pairs = main_pairs(people)
    assert pairs is MainPairs.ALL and mask.tolist() == [[True, False, True], [False, True, True], [True, True, True]]
    assert relatives(people).sum() == 2 and not relatives([Traits(), Traits()]).any(), "nothing known is no relation"


def test_subgroups() -> None:
    people = [Traits("70-79", "f", "yes"), Traits("80+", "女", "no"), Traits("60-69", "男", "有"), Traits("85", "女", "", "g")]
    assert within(people, Subgroup.OLD).diagonal().tolist() == [True, True, False, True]
    assert within(people, Subgroup.WOMEN)[0].tolist() == [True, True, False, True]
    assert within(people, Subgroup.GLASSES).diagonal().tolist() == [True, False, True, False]
    assert within(people, Subgroup.MEN).sum() == 1


# ------------------------------------------------------------------------------------------ load


def test_load_counts_every_person_the_same_and_tries_again() -> None:
    claimed = np.array([0, 0, 0, 0, 1, 0])
    actual = np.array([0, 0, 0, 0, 1, 1])
    trials = Trials(2, claimed, actual, np.array([0.40, 0.42, 0.45, 0.60, 0.51, 0.10]))
    bands = FaceBands(0.42, 0.50, 2)
    assert load(trials, bands, 2) == Load(0.25, 0.125, 0.625)
    tries = 1 + 0.25 + 0.0625
    assert load(trials, bands, 2, attempts=3) == Load(0.25 * tries, 0.125 * tries, (0.25**3 + 1) / 2)
    assert load(trials, bands, 1) == Load(0.0, 0.375, 0.625), "one template never passes by itself"
    assert math.isnan(load(trials.only(~np.eye(2, dtype=np.bool_)), bands, 2).accept)


# ------------------------------------------------------------------------------------------ evaluation


def test_visits_are_evaluated_by_templates_frames_and_card_photograph(engine: DlibEngine) -> None:
    people = [replace(one, chip=one.gallery[:1]) for one in visiting_people(14, traits=traits(14))]
    found = evaluated(engine, people)
    assert [cell.templates for cell in found.by_templates] == [1, 2, 3] and found.headline is found.by_templates[2]
    assert [cell.frames for cell in found.by_frames] == [1, 3, 5] and found.apart and found.pairs is MainPairs.ALIKE
    assert [cell.templates for cell in found.normalised] == [1, 2, 3]
    assert found.chip is not None and found.chip.load[1].accept == 0 and found.relatives is not None
    assert found.relatives.people == 2 and found.subgroups[Subgroup.OLD].people == 9
    for cell in (*found.by_templates, found.chip):
        for edge in (0.42, 0.50):
            cell.curve.at(edge)
    assert len(found.impostor) < (14 * 13 * 2), "only neighbours"


def test_more_templates_and_more_frames_help(engine: DlibEngine) -> None:
    found = evaluated(engine, visiting_people(60, visits=(5, 5), apart=0.62, scatter=0.45))
    rates = [cell.curve.eer.rate for cell in found.by_templates]
    assert rates[0] > rates[1] > rates[2]
    assert found.by_frames[0].curve.eer.rate > found.by_frames[2].curve.eer.rate


def test_single_pictures_are_tries_of_their_own(engine: DlibEngine) -> None:
    found = evaluated(engine, flat_people(8, pictures=3))
    assert found.frames == 1 and found.by_frames == () and found.chip is None and found.normalised == ()
    assert found.headline.templates == 2, "with three pictures, three templates leave nothing to compare"


# ------------------------------------------------------------------------------------------ report


def test_the_report_stands_alone_and_says_who_nobody(engine: DlibEngine) -> None:
    people = visiting_people(24, traits=traits(24))
    text = page(engine, people)
    assert text.count("<svg") == 3 == text.count("</svg>")
    assert "<img" not in text and "<script" not in text and "url(http" not in text and 'src="' not in text
    assert not re.search(r'href="(?!#)', text), "links lead nowhere outside"
    assert not any(one.pseudonym in text for one in people) and "S00" not in text
    words = ("EER", "S-norm", "FAR @ pass_max", "FRR @ FAR 0.1 %", "dlib128", "start-2026", "0.42 / 0.5", "2026-07-01")
    assert all(word in text for word in words)
    assert "演示数据" not in text
    assert page(engine, people) == text, "the same data give the same report"


def test_a_report_of_rendered_pictures_says_so(engine: DlibEngine) -> None:
    text = page(engine, visiting_people(12), replace(HEADER, rendered=True))
    assert text.index("say nothing about accuracy") < text.index("FAR @ pass_max")


def test_small_cells_are_withheld(engine: DlibEngine) -> None:
    four, five = page(engine, flat_people(4)), page(engine, flat_people(5))
    assert "<svg" not in four and not re.search(r"<td>[\d.]+ % \[", four) and WITHHELD in four
    assert "<svg" in five and re.search(r"<td>[\d.]+ % \[", five)


def test_a_small_subgroup_is_not_named_with_its_figures(engine: DlibEngine) -> None:
    people = visiting_people(24, traits=traits(24))  # three with glasses, two relatives
    text = page(engine, people)
    row = next(row for row in re.findall(r"<tr>.*?</tr>", text) if "with glasses" in row)
    assert row.count(WITHHELD) == 5 and "%" not in row
    kin = next(row for row in re.findall(r"<tr>.*?</tr>", text) if "亲属 relatives<" in row)
    assert kin.count(WITHHELD) == 5
    rows = [row for row in re.findall(r"<tr>.*?</tr>", text) if "眼镜 glasses" in row]
    assert any("其他 others" in row and WITHHELD in row for row in rows) and not any("<td>是</td>" in row for row in rows)


@pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", "&<>\"'"])
def test_what_stands_in_subjects_csv_is_escaped(engine: DlibEngine, hostile: str) -> None:
    people = [replace(one, traits=Traits(age_band=hostile)) for one in flat_people(6)]
    text = page(engine, people)
    assert "<script" not in text and f"<td>{hostile}" not in text


def test_wrong_pictures_do_not_stop_a_report(engine: DlibEngine) -> None:
    nothing = np.empty((0, 0))
    people = [replace(one, gallery=nothing, probes=nothing, visits=()) for one in flat_people(6)]
    text = page(engine, people)
    assert "人脸比对评估报告" in text and WITHHELD in text
