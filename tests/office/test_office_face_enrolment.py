"""生物特征采集: sealed on the terminal, opened, looked at, taken over or not; and what terminals hear of it."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse
from drafts import ALIKE, ENGINE, JPEG, NAME, NOW, NUMBER, clip, make_enrolment
from machine import Machine
from townhall import Line

from kiosk.domain.document import CardKind, IdCard
from kiosk.domain.roster import TemplateSource
from kiosk.office import audit, intake
from kiosk.office.enrolment_decision import decide_enrolment
from kiosk.office.models import (
    AuditEntry,
    Case,
    EnrolmentClipFrame,
    Envelope,
    FaceCapture,
    FaceEnrolment,
    OpeningFailure,
    Person,
    PersonTemplate,
    Portrait,
)

REASON = "照片不够清楚，请重新采集。"


def page(client: Client, name: str, *args: object) -> str:
    answer = client.get(reverse(f"admin:{name}", args=args))
    assert answer.status_code == 200
    return answer.content.decode()


def send(client: Client, pk: str, **fields: object):
    return client.post(reverse("admin:office_faceenrolment_decide", args=[pk]), fields, follow=True)


def acts() -> list[tuple[str, str]]:
    return list(AuditEntry.objects.order_by("n").values_list("actor", "action"))


@pytest.fixture
def demo(settings) -> None:
    settings.OFFICE = settings.OFFICE.model_copy(update={"demo": True})


def add_portrait(person: Person, name: str = "0", engine: str = ENGINE, **more: object) -> Portrait:
    portrait = Portrait.objects.create(person=person, source_sha256=name * 64, jpeg=JPEG, **more)
    PersonTemplate.objects.create(portrait=portrait, engine=engine, vector=[1.0])
    return portrait


# ------------------------------------------------------------------------------- opening


def test_from_the_terminal_onto_the_desk(machine: Machine) -> None:
    one = FaceEnrolment.objects.get(pk=machine.hand_in(make_enrolment(frames=clip(3))))
    assert (one.name, one.number, one.state, one.version, one.staff) == (NAME, NUMBER, "pending", 1, "wang")
    assert (one.consent_scopes, one.apart, one.apart_max, one.engine) == (["enrol", "send_photo"], 0.21, 0.35, ENGINE)
    assert one.lookalikes == [{"number": ALIKE, "distance": 0.401}]
    assert (one.profile, one.order, one.liveness) == ("paper", ["turn_right", "blink", "turn_left"], "passed")
    assert [(c.view, c.engine, c.vector) for c in one.captures.all()][1] == ("left", ENGINE, [0.1, -0.25, 1e-17])
    assert [bytes(c.jpeg) for c in one.captures.all()] == [JPEG + bytes([n]) for n in range(3)]
    assert [frame.t_ms for frame in one.clip.all()] == [0, 333, 666]
    assert not Case.objects.exists() and not Person.objects.exists()
    assert intake.open_due() == 0 and not OpeningFailure.objects.exists()  # once, and nothing tried again


def test_an_enrolment_that_cannot_be_read_stays_in_sight(line: Line) -> None:
    case_id, data = line.terminal.envelope(b"{}", schema_name="enrolment")
    assert line.put(data, case_id).status_code == 201
    assert intake.open_due() == 0
    assert OpeningFailure.objects.get().reason == "form"


def test_an_older_office_holds_what_it_does_not_know(machine: Machine, monkeypatch) -> None:
    monkeypatch.setattr("kiosk.office.held._SCHEMAS", {"certification": 2})
    _, answer = machine.send(make_enrolment())
    assert answer.status_code == 202
    assert Envelope.objects.get().level == "held" and intake.open_due() == 0


def test_an_enrolment_is_not_read_as_a_case_nor_the_other_way_round(line: Line) -> None:
    from townhall import body

    case_id, data = line.terminal.envelope(body(), schema_name="enrolment")
    line.put(data, case_id)
    assert intake.open_due() == 0
    assert OpeningFailure.objects.get().reason == "form" and not Case.objects.exists()


# ------------------------------------------------------------------------------- the pages


def test_the_queue_leads_to_it(machine: Machine, officer, client) -> None:
    machine.hand_in(make_enrolment())
    queue = page(client, "office_case_changelist")
    assert "待审核采集（1）" in queue and "人脸比对说明" in queue
    text = page(client, "office_faceenrolment_changelist")
    for word in ("待审核", NAME, "999***0026", "相似人员 1 人", "含谷镇便民服务中心"):
        assert word in text
    assert NUMBER not in text and ALIKE not in text


def test_the_page(machine: Machine, add_person, officer, client) -> None:
    person = add_person(NUMBER, NAME)
    add_portrait(person, "0")
    add_portrait(person, "1", taken_on=dt.date(2020, 5, 1), retired=NOW)
    add_person(ALIKE, "李样例")
    text = page(client, "office_faceenrolment_change", machine.hand_in(make_enrolment(frames=clip(3))))
    seen = (
        NAME, NUMBER, "正面", "稍向左", "稍向右", "档案照片", "日期不明", "2020年5月1日", "已停用", "0.21（界限 0.35）",
        "相似人员提示", "李*例", "0018", "0.40", "采集面部特征", "wang", "立体感", "看不清", "3 张画面", "停用旧照片",
        "向右转头、眨眼、向左转头", "8.3 秒", REASON, "office/clip.js",
    )
    assert [word for word in seen if word not in text] == []
    assert ALIKE not in text and "不在名册" not in text


def test_what_speaks_against_it_is_said(machine: Machine, officer, client) -> None:
    draft = make_enrolment()
    draft = dataclasses.replace(draft, evidence=dataclasses.replace(draft.evidence, apart=0.36))
    text = page(client, "office_faceenrolment_change", machine.hand_in(draft))
    assert "可能不是同一个人" in text and "此人不在名册：采用后会记入名册" in text
    assert "照片之间差别大" in page(client, "office_faceenrolment_changelist")


def test_markup_from_a_terminal_is_only_text(machine: Machine, officer, client) -> None:
    draft = make_enrolment()
    checks = tuple(dataclasses.replace(one, reason="<script>x()</script>") for one in draft.evidence.report.checks)
    report = dataclasses.replace(draft.evidence.report, checks=checks)
    card = IdCard(CardKind.RESIDENT, NUMBER, "<b>张</b>")
    draft = dataclasses.replace(draft, card=card, staff="<i>w</i>", evidence=dataclasses.replace(draft.evidence, report=report))
    pk = machine.hand_in(draft)
    for text in (page(client, "office_faceenrolment_change", pk), page(client, "office_faceenrolment_changelist")):
        assert "<script>x" not in text and "<b>张" not in text and "<i>w" not in text
    assert "&lt;script&gt;x()" in page(client, "office_faceenrolment_change", pk)


def test_a_reason_is_only_text_and_only_from_the_list(machine: Machine, officer, client) -> None:
    pk = machine.hand_in(make_enrolment())
    for reason in ("", "不像", "<script>x()</script>"):
        answer = send(client, pk, version=1, verdict="reject", reason=reason)
        assert answer.status_code == 422 and 'role="alert"' in answer.content.decode()
        assert "<script>x" not in answer.content.decode()
    assert FaceEnrolment.objects.get().state == "pending"
    decide_enrolment(pk, 1, False, "<script>x()</script>", False, officer)
    assert "&lt;script&gt;x()" in page(client, "office_faceenrolment_change", pk)


def test_a_choice_survives_a_form_that_was_not_complete(machine: Machine, add_person, officer, client) -> None:
    add_portrait(add_person(NUMBER))
    pk = machine.hand_in(make_enrolment())
    assert 'name="retire" checked' in send(client, pk, version=1, verdict="reject", reason="", retire="on").content.decode()
    assert 'name="retire"> ' in page(client, "office_faceenrolment_change", pk)


# ------------------------------------------------------------------------------- who may what


@pytest.mark.parametrize(
    ("rights", "list_", "picture", "decide"),
    [
        ((), 403, 403, 403),
        (("view_faceenrolment",), 200, 403, 403),
        (("view_photo",), 403, 403, 403),
        (("view_faceenrolment", "view_photo"), 200, 200, 403),
        (("decide_faceenrolment",), 403, 403, 302),
        (("decide_case", "view_case"), 403, 403, 403),
        (("view_faceenrolment", "view_photo", "decide_faceenrolment"), 200, 200, 302),
    ],
)
def test_rights(
    machine: Machine, add_person, django_user_model, client, rights: tuple[str, ...], list_: int, picture: int, decide: int,
) -> None:
    portrait = add_portrait(add_person(NUMBER))
    pk = machine.hand_in(make_enrolment(frames=clip(2)))
    user = django_user_model.objects.create_user("li", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="office", codename__in=rights))
    client.force_login(user)
    pages = [reverse("admin:office_faceenrolment_changelist"), reverse("admin:office_faceenrolment_change", args=[pk])]
    pictures = [
        reverse("admin:office_capture", args=[FaceCapture.objects.first().pk]),
        reverse("admin:office_enrolment_clip_frame", args=[EnrolmentClipFrame.objects.first().pk]),
        reverse("admin:office_enrolment_portrait", args=[portrait.pk, pk]),
    ]
    assert [client.get(address).status_code for address in pages] == [list_, list_]
    assert [client.get(address).status_code for address in pictures] == [picture] * 3
    assert AuditEntry.objects.exists() is (picture == 200)
    address = reverse("admin:office_faceenrolment_decide", args=[pk])
    assert client.post(address, {"version": 1, "verdict": "accept"}).status_code == decide
    assert FaceEnrolment.objects.get().state == ("accepted" if decide == 302 else "pending")
    assert [Client().get(one).status_code for one in pages + pictures] == [302] * 5


@pytest.mark.parametrize("group", ["操作员", "主管"])
def test_both_groups_review_enrolments(officer, group: str) -> None:
    held = set(Group.objects.get(name=group).permissions.values_list("codename", flat=True))
    assert {"view_faceenrolment", "decide_faceenrolment", "view_photo"} <= held


def test_a_decision_is_a_post_with_a_token(machine: Machine, officer) -> None:
    address = reverse("admin:office_faceenrolment_decide", args=[machine.hand_in(make_enrolment())])
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(officer)
    assert strict.get(address).status_code == 405
    assert strict.post(address, {"version": 1, "verdict": "accept"}).status_code == 403


def test_every_look_is_written_down_a_clip_once(machine: Machine, add_person, officer, client) -> None:
    portrait = add_portrait(add_person(NUMBER))
    pk = machine.hand_in(make_enrolment(frames=clip(3)))
    addresses = [reverse("admin:office_capture", args=[one.pk]) for one in FaceCapture.objects.all()]
    addresses += [reverse("admin:office_enrolment_clip_frame", args=[one.pk]) for one in EnrolmentClipFrame.objects.all()]
    addresses += [reverse("admin:office_enrolment_portrait", args=[portrait.pk, pk])]
    for address in addresses:
        answer = client.get(address)
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/jpeg")
        assert "no-store" in answer.headers["Cache-Control"]
    assert acts() == [("wang", "capture_seen")] * 3 + [("wang", "clip_seen"), ("wang", "portrait_seen")]
    assert set(AuditEntry.objects.values_list("subject", flat=True)) == {FaceEnrolment.objects.get().case_number}
    assert audit.first_broken_link() is None


def test_no_portrait_of_somebody_else(machine: Machine, add_person, officer, client) -> None:
    other = add_portrait(add_person("999901194803020015"))
    address = reverse("admin:office_enrolment_portrait", args=[other.pk, machine.hand_in(make_enrolment())])
    assert client.get(address).status_code == 404


# ------------------------------------------------------------------------------- deciding


def test_accepting_gives_terminals_the_new_templates_beside_the_old(machine: Machine, add_person, officer, client) -> None:
    add_portrait(add_person(NUMBER, NAME), engine="another engine")
    pk = machine.hand_in(make_enrolment())
    version = machine.line.pull(0).version
    assert "已审核：采用" in send(client, pk, version=1, verdict="accept").content.decode()
    (entry,) = machine.line.pull(version).entries
    told = [(one.engine, one.source, one.taken_on) for one in entry.templates]
    new = (ENGINE, "enrolled", dt.date(2026, 11, 23))
    assert told == [("another engine", "portrait", None), new, new, new]
    assert entry.templates[2].vector == (0.1, -0.25, 1e-17)
    assert Portrait.objects.filter(source=TemplateSource.ENROLLED.value).count() == 3
    one = FaceEnrolment.objects.get()
    assert (one.state, one.version, one.officer, one.reason) == ("accepted", 2, officer, "")
    assert acts() == [("wang", "enrolment_decided")]


def test_older_photographs_can_be_retired_with_it(machine: Machine, add_person, officer, client) -> None:
    wrong = add_portrait(add_person(NUMBER, NAME))
    other = add_portrait(add_person(ALIKE))
    pk = machine.hand_in(make_enrolment())
    version = machine.line.pull(0).version
    send(client, pk, version=1, verdict="accept", retire="on")
    (entry,) = machine.line.pull(version).entries
    assert [one.source for one in entry.templates] == ["enrolled"] * 3
    wrong.refresh_from_db()
    other.refresh_from_db()
    assert wrong.retired is not None and other.retired is None
    assert acts() == [("wang", "enrolment_decided"), ("wang", "portraits_retired")]
    assert AuditEntry.objects.get(action="portraits_retired").detail == {"portraits": 1}
    assert "已停用" in page(client, "office_faceenrolment_change", pk)


def test_enrolled_again_and_again_the_last_one_holds(machine: Machine, officer) -> None:
    first = machine.hand_in(make_enrolment())
    second = machine.hand_in(make_enrolment(repeat=1, photo=JPEG + b"2"))
    third = machine.hand_in(make_enrolment(repeat=2, captured_at=NOW + dt.timedelta(days=3)))  # the very pictures of the first
    for pk in (first, second, third):
        assert decide_enrolment(pk, 1, True, "", True, officer)
    valid = Portrait.objects.filter(retired=None)
    assert sorted(bytes(one.jpeg) for one in valid) == [JPEG + bytes([n]) for n in range(3)]
    assert {one.taken_on for one in valid} == {dt.date(2026, 11, 26)}
    (entry,) = machine.line.pull(0).entries
    assert len(entry.templates) == 3


def test_decided_late_it_takes_nothing_back(machine: Machine, officer) -> None:
    old = machine.hand_in(make_enrolment())
    new = machine.hand_in(make_enrolment(repeat=1, photo=JPEG + b"2", captured_at=NOW + dt.timedelta(days=1)))
    assert decide_enrolment(new, 1, True, "", True, officer) and decide_enrolment(old, 1, True, "", True, officer)
    assert Portrait.objects.filter(retired=None).count() == 6


def test_somebody_unknown_is_known_from_then_on(machine: Machine, officer) -> None:
    assert decide_enrolment(machine.hand_in(make_enrolment()), 1, True, "", False, officer)
    person = Person.objects.get()
    assert (person.number, person.name, person.category, person.next_due) == (NUMBER, NAME, "居保", None)
    (entry,) = machine.line.pull(0).entries
    assert len(entry.templates) == 3 and entry.decision is None


def test_who_was_taken_out_of_the_roster_stays_out(machine: Machine, add_person, officer, client) -> None:
    add_person(NUMBER, NAME, active=False)
    pk = machine.hand_in(make_enrolment())
    assert "恢复在册之前终端上没有此人" in page(client, "office_faceenrolment_change", pk)
    assert decide_enrolment(pk, 1, True, "", False, officer)
    pull = machine.line.pull(0)
    assert pull.replace and (pull.entries, pull.removed) == ((), ())


def test_not_used_nothing_changes(machine: Machine, add_person, officer, client) -> None:
    kept = add_portrait(add_person(NUMBER))
    version = machine.line.pull(0).version
    pk = machine.hand_in(make_enrolment())
    send(client, pk, version=1, verdict="reject", reason=REASON, retire="on")
    assert (FaceEnrolment.objects.get().state, FaceEnrolment.objects.get().reason) == ("rejected", REASON)
    assert machine.line.pull(version) is None
    assert list(Portrait.objects.filter(retired=None)) == [kept]
    assert REASON in page(client, "office_faceenrolment_change", pk)


def test_somebody_else_was_first(machine: Machine, officer, client) -> None:
    pk = machine.hand_in(make_enrolment())
    assert not decide_enrolment(pk, 2, True, "", False, officer)
    assert decide_enrolment(pk, 1, False, REASON, False, officer)
    assert "已被他人处理" in send(client, pk, version=1, verdict="accept").content.decode()
    assert not decide_enrolment(pk, 2, True, "", False, officer)
    assert FaceEnrolment.objects.get().state == "rejected" and not Portrait.objects.exists()
    assert acts() == [("wang", "enrolment_decided")]


def test_a_simulated_face_is_nobodys(machine: Machine, add_person, officer, client) -> None:
    add_person(NUMBER)
    version = machine.line.pull(0).version
    pk = machine.hand_in(make_enrolment(), simulated=True)
    assert "模拟数据，审核结果不影响真实人员" in page(client, "office_faceenrolment_change", pk)
    assert decide_enrolment(pk, 1, True, "", True, officer)
    assert machine.line.pull(version) is None and not Portrait.objects.exists()


def test_unless_the_office_itself_is_a_demonstration(machine: Machine, officer, demo) -> None:
    assert decide_enrolment(machine.hand_in(make_enrolment(), simulated=True), 1, True, "", False, officer)
    assert len(machine.line.pull(0).entries[0].templates) == 3


def test_the_audit_names_nobody(machine: Machine, officer) -> None:
    decide_enrolment(machine.hand_in(make_enrolment()), 1, True, "", True, officer)
    told = str(list(AuditEntry.objects.values()))
    assert not [secret for secret in (NUMBER, NAME, ALIKE) if secret in told]


def test_importing_the_file_of_a_retired_portrait_does_not_bring_it_back(machine: Machine, officer, tmp_path) -> None:
    from PIL import Image

    from kiosk.domain.roster import FaceTemplate
    from kiosk.office.roster_import import TemplateResult, import_roster

    Image.new("RGB", (40, 40)).save(tmp_path / "a.png")
    number = "999901195001010020"
    file = f"身份证号,姓名,照片\n{number},{NAME},a.png\n".encode()

    def make(_: bytes) -> TemplateResult:
        return TemplateResult(FaceTemplate(ENGINE, (0.5,)))

    import_roster(file, tmp_path, make, "t")
    assert decide_enrolment(machine.hand_in(make_enrolment(number=number)), 1, True, "", True, officer)
    assert import_roster(file, tmp_path, make, "t").problems == []
    (entry,) = machine.line.pull(0).entries
    assert [one.source for one in entry.templates] == ["enrolled"] * 3
