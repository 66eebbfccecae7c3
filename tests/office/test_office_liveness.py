"""What the officer sees of a try: each check in plain words, the clip, and when somebody should be enrolled anew."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re

import pytest
from django.urls import reverse
from drafts import ENGINE, JPEG, NOW, NUMBER, clip, evidence, report
from machine import Machine
from townhall import Line, body

from kiosk.config import REPOSITORY
from kiosk.domain.case import CaseDraft, Item
from kiosk.domain.consent import Consent, ConsentScope
from kiosk.domain.decision import FaceEvidence, Outcome
from kiosk.domain.document import CardKind, IdCard
from kiosk.domain.liveness import Check, CheckOutcome, CheckResult, Liveness, Profile
from kiosk.office import intake
from kiosk.office.desk.liveness_words import CHECKS, OUTCOMES, PROFILES, REASONS
from kiosk.office.models import AttemptClipFrame, AuditEntry, Case, FaceAttempt, PersonTemplate, Photo, Portrait
from kiosk.office.renewal import why_enrol_again
from kiosk.sync.wire.face import AttemptBody, CheckBody, ReportBody

TODAY = dt.date(2026, 11, 23)


def draft(*attempts: FaceEvidence, outcome: Outcome = Outcome.MANUAL_REVIEW, may_send: bool = True) -> CaseDraft:
    scopes = {ConsentScope.MATCH} | ({ConsentScope.SEND_PHOTO} if may_send else set())
    return CaseDraft(
        item=Item.CERTIFICATION, card=IdCard(CardKind.RESIDENT, NUMBER, "张测试"), outcome=outcome,
        consent=Consent(frozenset(scopes), "2026-11", NOW), attempts=attempts, captured_at=NOW, in_roster=True,
        category="居保", due=None,
    )


def case_page(client, case_id: str) -> str:
    answer = client.get(reverse("admin:office_case_change", args=[case_id]))
    assert answer.status_code == 200
    return answer.content.decode()


def rows(text: str) -> list[list[str]]:
    """Cells of the tables of checks, without markup."""
    tables = re.findall(r'<table class="checks">.*?<tbody>(.*?)</tbody>', text, re.S)
    lines = [line for table in tables for line in re.findall(r"<tr.*?</tr>", table, re.S)]
    return [[re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<td.*?</td>", line, re.S)] for line in lines]


def test_every_check_outcome_and_profile_has_words() -> None:
    assert set(CHECKS) == set(Check) and set(OUTCOMES) == set(CheckOutcome) and set(PROFILES) == set(Profile)


def test_every_reason_of_the_checks_has_words() -> None:
    sources = [path.read_text(encoding="utf-8") for path in (REPOSITORY / "kiosk" / "face" / "liveness").glob("*.py")]
    raised = {
        reason for source in sources
        for call in re.findall(r"CheckResult\([^\n]*|_fail\([^\n]*|return [^\n]*\"[a-z0-9_]+\"$", source, re.M)
        for reason in re.findall(r"\"([a-z0-9_]+)\"", call)
    }
    assert {"loop", "frozen", "dark", "not_3d", "another_face", "wrong_colours"} <= raised
    assert raised <= set(REASONS)


def test_the_checks_of_a_try_in_plain_words(machine: Machine, officer, client) -> None:
    older_try = evidence(report=report(CheckOutcome.FAILED))
    newest_try = evidence(frames=clip(3), threshold_set="start-2026", raw_distance=0.444)
    text = case_page(client, machine.hand_in(draft(older_try, newest_try)))
    newest, older = rows(text)[:11], rows(text)[11:]
    assert [row[0] for row in newest] == [
        "眨眼", "向左转头", "向右转头", "张嘴", "同一人", "画面新鲜", "边框", "立体感", "屏幕闪光", "红外", "双目立体",
    ]
    assert newest[1] == ["向左转头", "通过", "0.35 / 0.3"] and newest[3] == ["张嘴", "未做", "—"]
    assert newest[6] == ["边框", "看不清", "—　画面太少"] and newest[7] == ["立体感", "通过", "0.0152 / 0.155"]
    assert older[7] == ["立体感", "未通过", "0.0152 / 0.155"]
    seen = (
        "自助：左右转头加一个动作", "要求的动作：向右转头、眨眼、向左转头，用时 8.3 秒", ENGINE, "start-2026", "归一前 0.44",
        ">0.30", "第 2 次动作检测：已完成", "第 1 次动作检测：未通过",
    )
    assert [word for word in seen if word not in text] == []


def test_the_clip_is_a_strip_and_one_look(machine: Machine, officer, client) -> None:
    text = case_page(client, machine.hand_in(draft(evidence(frames=clip(3)))))
    frames = list(AttemptClipFrame.objects.all())
    for one in frames:
        assert f'src="{reverse("admin:office_clip_frame", args=[one.pk])}" data-ms="{one.t_ms}"' in text
    assert 'static/office/clip.js" defer' in text and "<script>" not in text
    for one in frames:
        answer = client.get(reverse("admin:office_clip_frame", args=[one.pk]))
        assert (answer.content, answer.headers["Content-Type"]) == (bytes(one.jpeg), "image/jpeg")
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.detail) == ("wang", "clip_seen", {"clip": 1})


def test_the_clip_of_another_try_or_another_hour_is_another_look(machine: Machine, officer, client, monkeypatch) -> None:
    machine.hand_in(draft(evidence(frames=clip(2)), evidence(frames=clip(2))))
    addresses = [reverse("admin:office_clip_frame", args=[one.pk]) for one in AttemptClipFrame.objects.all()]
    for address in addresses:
        client.get(address)
    assert AuditEntry.objects.count() == 2
    monkeypatch.setattr("kiosk.office.desk.handed_in._ONE_LOOK", dt.timedelta(0))
    client.get(addresses[0])
    assert AuditEntry.objects.count() == 3


def test_what_was_left_out_is_said(line: Line, officer, client) -> None:
    one = AttemptBody(distance=0.4, frames=5, templates=2, liveness=Liveness.PASSED, engine="e", clip_left_out=7)
    case_id, data = line.terminal.envelope(body(attempts=(one,)))
    line.put(data, case_id)
    intake.open_due()
    assert "现场片段因文件过大未上传" in case_page(client, case_id)


def test_without_the_consent_there_is_no_picture_but_the_report(machine: Machine, officer, client) -> None:
    text = case_page(client, machine.hand_in(draft(evidence(frames=clip(3)), may_send=False)))
    assert not AttemptClipFrame.objects.exists() and not Photo.objects.exists()
    assert "没有现场照片" in text and "立体感" in text and "现场片段" not in text


def test_a_clip_needs_the_right_to_see_photographs(machine: Machine, django_user_model, client) -> None:
    from django.contrib.auth.models import Permission

    case_id = machine.hand_in(draft(evidence(frames=clip(2))))
    viewer = django_user_model.objects.create_user("li", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_case"))
    client.force_login(viewer)
    assert client.get(reverse("admin:office_clip_frame", args=[AttemptClipFrame.objects.first().pk])).status_code == 403
    text = case_page(client, case_id)
    assert "<img" not in text and "立体感" in text
    assert not AuditEntry.objects.exists()


def test_a_try_of_an_older_terminal(line: Line, officer, client) -> None:
    text = case_page(client, line.hand_in())  # schema version 1, without any report
    assert "终端没有送来分项检测记录" in text and rows(text) == []
    assert FaceAttempt.objects.get().seconds is None


@pytest.mark.parametrize("version", [1, 2, 3])
def test_cases_of_every_version_so_far_still_open(line: Line, version: int) -> None:
    case_id, data = line.terminal.envelope(body(), schema_version=version)
    assert line.put(data, case_id).status_code == 201
    assert intake.open_due() == 1


def test_checks_of_a_newer_terminal_are_shown_as_they_came_and_markup_is_only_text(line: Line, officer, client) -> None:
    checks = (
        CheckBody(check="pulse", outcome="maybe", value=3.0, reason="<script>x()</script>"),
        CheckBody(check="blink", outcome="passed"),
    )
    told = ReportBody(profile="of_the_future", nonce="<b>", order=("nod",), checks=checks, seconds=1.0)
    one = AttemptBody(
        distance=0.4, frames=5, templates=2, liveness=Liveness.PASSED, engine="<i>e</i>", report=told, threshold_set="<u>",
    )
    text = case_page(client, line.hand_in(attempts=(one,)))
    assert rows(text)[-1][:2] == ["pulse", "maybe"] and rows(text)[-1][2].startswith("3　")
    assert "of_the_future<br>要求的动作：nod" in text
    assert not [mark for mark in ("<script>x", "<b>", "<i>e", "<u>") if mark in text]


# ------------------------------------------------------------------------------- enrolled anew


def give(person, *days: dt.date | None, engine: str = ENGINE, **more: object) -> None:
    for day in days:
        n = Portrait.objects.count()
        portrait = Portrait.objects.create(person=person, source_sha256=f"{n:064}", jpeg=JPEG, taken_on=day, **more)
        PersonTemplate.objects.create(portrait=portrait, engine=engine, vector=[1.0])


NEW, OLD = dt.date(2026, 5, 1), dt.date(2024, 11, 22)


@pytest.mark.parametrize(
    ("mine", "foreign", "retired", "why"),
    [
        ((NEW, NEW), (), (), ""),
        ((NEW, OLD), (), (), ""),
        ((dt.date(2024, 11, 23),) * 2, (), (), ""),
        ((OLD, OLD), (), (), "最近 24 个月"),
        ((None, None), (), (), ""),
        ((NEW,), (), (), "只有 1 个"),
        ((), (), (), "只有 0 个"),
        ((NEW,), (), (NEW, NEW), "只有 1 个"),
        ((), (NEW, NEW), (), "另一种比对程序"),
        ((NEW,), (NEW,), (), "另一种比对程序"),
        ((NEW, NEW), (NEW, OLD), (), ""),
    ],
)
def test_when_to_enrol_again(machine: Machine, add_person, mine: tuple, foreign: tuple, retired: tuple, why: str) -> None:
    person = add_person(NUMBER)
    give(person, *mine)
    give(person, *foreign, engine="other")
    give(person, *retired, retired=NOW)
    case = Case.objects.get(pk=machine.hand_in(draft(evidence(engine="other"), evidence())))
    said = why_enrol_again(case, person, TODAY)
    assert why in said and bool(said) is bool(why)


def test_the_page_advises_it(machine: Machine, add_person, officer, client) -> None:
    person = add_person(NUMBER)
    case_id = machine.hand_in(draft(evidence()))
    assert "建议重新采集" in case_page(client, case_id)
    today = dt.datetime.now(dt.UTC).date()
    give(person, today, today)
    assert "建议重新采集" not in case_page(client, case_id)


@pytest.mark.parametrize(
    ("attempts", "cause"),
    [
        (({"templates": 0, "foreign": 2},), Case.Cause.ENROL_AGAIN),
        (({"templates": 0}, {"templates": 0, "foreign": 1}), Case.Cause.ENROL_AGAIN),
        (({"templates": 0},), Case.Cause.NO_PORTRAIT),
        (({"templates": 1, "foreign": 2},), Case.Cause.UNSURE),
    ],
)
def test_templates_that_do_not_fit_are_the_cause(machine: Machine, add_person, attempts: tuple, cause: Case.Cause) -> None:
    add_person(NUMBER)
    case = Case.objects.get(pk=machine.hand_in(draft(*(evidence(**one) for one in attempts))))
    assert case.cause == cause


def test_such_a_case_in_the_queue_and_on_its_page(machine: Machine, add_person, officer, client) -> None:
    give(add_person(NUMBER), NEW, NEW, engine="other")
    case_id = machine.hand_in(draft(evidence(templates=0, foreign=2, distance=float("nan"), chip_only=True)))
    assert "模板不适用，需重新采集" in client.get(reverse("admin:office_case_changelist")).content.decode()
    text = case_page(client, case_id)
    assert "另有 2 个不适用" in text and "只有芯片照片" in text and "建议重新采集" in text


def test_a_retired_portrait_is_not_shown_beside_a_case(machine: Machine, add_person, officer, client) -> None:
    person = add_person(NUMBER)
    give(person, NEW)
    give(person, OLD, retired=NOW)
    assert case_page(client, machine.hand_in(draft(evidence()))).count('alt="留存照片') == 1


def test_a_limit_without_value_is_no_measure(machine: Machine, officer, client) -> None:
    checks = (CheckResult(Check.DEPTH, CheckOutcome.UNCLEAR, None, 0.155),)
    told = dataclasses.replace(report(), checks=checks)
    assert ["立体感", "看不清", "—"] in rows(case_page(client, machine.hand_in(draft(evidence(report=told)))))
