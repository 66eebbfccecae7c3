"""人脸比对说明: one page in plain words, its figures from one file that must be plausible."""

from __future__ import annotations

import json

import pytest
from django.test import Client
from django.urls import reverse
from pydantic import ValidationError

from kiosk.office import face_figures
from kiosk.office.face_figures import FaceFigures, Trials, load_figures

RUN = {
    "name": "自助方式", "attacks": [{"name": "平放的照片", "trials": 60, "wrong": 0, "upper": 0.049}],
    "living": [{"name": "能转头的人", "trials": 40, "wrong": 1, "upper": 0.132}],
}


@pytest.fixture
def figures(tmp_path, monkeypatch):
    """Replaces the file's content, wholly or in part."""
    def write(**changes: object) -> None:
        told = json.loads(face_figures._FILE.read_bytes()) | changes
        (tmp_path / "figures.json").write_text(json.dumps(told), encoding="utf-8")
        monkeypatch.setattr(face_figures, "_FILE", tmp_path / "figures.json")

    return write


def text_of(client: Client) -> str:
    answer = client.get(reverse("admin:office_face_notes"))
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_file_as_it_is_delivered() -> None:
    told = load_figures()
    assert bool(told.runs) == (told.measured_on is not None) == bool(told.conditions)
    assert told.recognition.rows and told.recognition.conditions


def test_what_the_page_says(officer, client, figures) -> None:
    figures(measured_on="2026-11-25", conditions=["渲染的片段。", "<b>不是真人。</b>"], runs=[RUN])
    text = text_of(client)
    for word in (
        "能挡住什么", "挡不住什么", "动画软件的平板", "立体面具", "双胞胎", "68 个点", "不允许商业使用", "红外双目摄像头",
        "2026年11月25日", "渲染的片段。", "假：平放的照片", "被接受 0", "0.0%", "4.9%", "真人：能转头的人", "未通过 1",
        "2.5%", "13.2%", "0.42", "0.01%", "11.4%",
    ):
        assert word in text, word
    assert "<b>不是真人" not in text


def test_before_anything_is_measured_it_says_so(officer, client, figures) -> None:
    figures(measured_on=None, conditions=[], runs=[])
    assert "这个版本还没有测量数据" in text_of(client)


def test_it_is_reached_from_queue_case_and_index(line, officer, client) -> None:
    address = reverse("admin:office_face_notes")
    case = reverse("admin:office_case_change", args=[line.hand_in()])
    for page in (reverse("admin:office_case_changelist"), case, reverse("admin:index")):
        assert f'href="{address}"' in client.get(page).content.decode(), page
    assert Client().get(address).status_code == 302


@pytest.mark.parametrize(
    "wrong",
    [
        {"trials": 0}, {"wrong": 61}, {"wrong": -1}, {"upper": 1.1}, {"wrong": 6, "upper": 0.09}, {"upper": float("nan")},
        {"rate": 0.1},
    ],
)
def test_implausible_figures_are_refused(wrong: dict[str, object]) -> None:
    good = {"name": "x", "trials": 60, "wrong": 0, "upper": 0.049}
    assert (Trials.model_validate(good).percent, Trials.model_validate(good).upper_percent) == (0, 4.9)
    with pytest.raises(ValidationError):
        Trials.model_validate(good | wrong)


def test_a_share_may_be_its_own_bound() -> None:
    assert Trials(name="x", trials=4, wrong=4, upper=1).percent == 100


def test_unknown_fields_are_mistakes() -> None:
    with pytest.raises(ValidationError):
        FaceFigures.model_validate({"measured_on": None, "conditions": (), "runs": (), "recognition": None, "more": 1})
