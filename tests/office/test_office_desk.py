"""The officers' pages: in Chinese, nothing without the right, every look at a face written down."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from townhall import JPEG, NAME, NUMBER, Line

from kiosk.office.decision import decide
from kiosk.office.models import AuditEntry, Case, EnrolmentToken, Person, Photo, Portrait, TerminalKey
from kiosk.sync.wire.enrolment import EnrolmentCode

REASON = "照片不够清楚，请再认证一次。"


@pytest.fixture
def chief(officer, client):
    officer.groups.add(Group.objects.get(name="主管"))
    return officer


def page(client: Client, name: str, *args: object, **query: str) -> str:
    answer = client.get(reverse(f"admin:{name}", args=args), query)
    assert answer.status_code == 200
    return answer.content.decode()


def send(client: Client, case_id: str, **fields: object):
    return client.post(reverse("admin:office_case_decide", args=[case_id]), fields, follow=True)


def test_the_queue_in_chinese_oldest_first(line: Line, officer, client) -> None:
    for day in (3, 1, 2):
        line.hand_in(captured_at=dt.datetime(2026, 11, day, tzinfo=dt.UTC), case_number=f"HG01-2026110{day}-000001")
    text = page(client, "office_case_changelist")
    for word in ("待审核", "受理编号", "送审原因", "不在名册", "含谷镇便民服务中心", NAME, "999***0020"):
        assert word in text
    assert NUMBER not in text
    assert text.index("-20261101-") < text.index("-20261102-") < text.index("-20261103-")
    assert "delete_selected" not in text and "addlink" not in text


def test_decided_cases_go_below(line: Line, officer, client) -> None:
    first, second = line.hand_in(case_number="HG01-1"), line.hand_in(case_number="HG01-2")
    decide(first, 1, True, "", officer)
    text = page(client, "office_case_changelist")
    assert text.index("HG01-2") < text.index("HG01-1")
    assert second in text


@pytest.mark.parametrize("query", ["HG01-20261123-000001", NAME, NUMBER])
def test_searching(line: Line, officer, client, query: str) -> None:
    line.hand_in()
    assert "HG01-20261123-000001" in page(client, "office_case_changelist", q=query)
    assert "HG01-20261123-000001" not in page(client, "office_case_changelist", q="没有")


@pytest.mark.parametrize(
    ("field", "value"), [("state", "accepted"), ("cause", "confirm"), ("terminal__site", "别处"), ("simulated__exact", "1")],
)
def test_filters(line: Line, officer, client, field: str, value: str) -> None:
    line.hand_in()
    assert "HG01-20261123-000001" not in page(client, "office_case_changelist", **{field: value})


def test_the_case_page(line: Line, add_person, officer, client) -> None:
    person = add_person(name="张别名", category="居保", next_due=dt.date(2026, 11, 30))
    Portrait.objects.create(person=person, source_sha256="0" * 64, jpeg=JPEG)
    text = page(client, "office_case_change", line.hand_in())
    seen = (NAME, NUMBER, "现场照片 1", "留存照片 1", "<td>0.47</td>", "已完成", "居保", "2026年11月30日", "张别名", REASON)
    for word in (*seen, "通过", "本机比对、照片传至镇社保所"):
        assert word in text


def test_the_case_page_of_an_unlisted_person(line: Line, officer, client) -> None:
    text = page(client, "office_case_change", line.hand_in(attempts=()))
    assert "不在名册" in text and "没有现场照片" in text


def test_a_photo_is_shown_and_the_look_written_down(line: Line, add_person, officer, client) -> None:
    person = add_person()
    portrait = Portrait.objects.create(person=person, source_sha256="0" * 64, jpeg=JPEG)
    case_id = line.hand_in()
    addresses = [
        reverse("admin:office_photo", args=[Photo.objects.get().pk]),
        reverse("admin:office_portrait", args=[portrait.pk, case_id]),
    ]
    for address in addresses:
        answer = client.get(address)
        assert (answer.content, answer.headers["Content-Type"]) == (JPEG, "image/jpeg")
        assert "no-store" in answer.headers["Cache-Control"]
    entries = list(AuditEntry.objects.order_by("n").values_list("actor", "action", "subject"))
    assert entries == [("wang", "photo_seen", "HG01-20261123-000001"), ("wang", "portrait_seen", "HG01-20261123-000001")]


def test_no_portrait_of_somebody_else(line: Line, add_person, officer, client) -> None:
    other = Portrait.objects.create(person=add_person("999901194803020015"), source_sha256="0" * 64, jpeg=JPEG)
    assert client.get(reverse("admin:office_portrait", args=[other.pk, line.hand_in()])).status_code == 404


def test_photos_need_the_right(line: Line, officer, client, django_user_model) -> None:
    case_id = line.hand_in()
    address = reverse("admin:office_photo", args=[Photo.objects.get().pk])
    assert Client().get(address).status_code == 302
    viewer = django_user_model.objects.create_user("li", is_staff=True)
    viewer.user_permissions.add(*Group.objects.get(name="操作员").permissions.filter(codename="view_case"))
    client.force_login(viewer)
    assert client.get(address).status_code == 403
    text = page(client, "office_case_change", case_id)
    assert "您没有查看照片的权限" in text and "您没有审核权限" in text and address not in text
    assert send(client, case_id, version=1, verdict="accept").status_code == 403
    assert Case.objects.get().state == "pending"
    assert not AuditEntry.objects.exists()


def test_passing(line: Line, add_person, officer, client) -> None:
    add_person()
    case_id = line.hand_in()
    text = send(client, case_id, version=1, verdict="accept", reason=REASON).content.decode()
    assert "已审核：通过" in text and 'class="verdict accepted"' in text
    case = Case.objects.get()
    assert (case.state, case.officer, case.reason) == ("accepted", officer, "")
    assert Person.objects.get().next_due == dt.date(2027, 10, 31)


def test_not_passing_needs_a_reason_from_the_list(line: Line, officer, client) -> None:
    case_id = line.hand_in()
    for reason in ("", "不是本人"):
        answer = send(client, case_id, version=1, verdict="reject", reason=reason)
        assert answer.status_code == 422
        assert 'role="alert"' in answer.content.decode()
    assert Case.objects.get().state == "pending"
    send(client, case_id, version=1, verdict="reject", reason=REASON)
    assert (Case.objects.get().state, Case.objects.get().reason) == ("rejected", REASON)


def test_somebody_else_was_first(line: Line, officer, client) -> None:
    case_id = line.hand_in()
    decide(case_id, 1, False, REASON, officer)
    text = send(client, case_id, version=1, verdict="accept").content.decode()
    assert "已被他人处理" in text
    assert Case.objects.get().state == "rejected"


def test_a_decision_is_a_post_with_a_token(line: Line, officer) -> None:
    address = reverse("admin:office_case_decide", args=[line.hand_in()])
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(officer)
    assert strict.get(address).status_code == 405
    assert strict.post(address, {"version": 1, "verdict": "accept"}).status_code == 403
    assert Case.objects.get().state == "pending"


def test_received_things_cannot_be_added_changed_or_deleted(line: Line, django_user_model, client) -> None:
    client.force_login(django_user_model.objects.create_superuser("root"))
    case_id = line.hand_in()
    for model in ("case", "envelope", "auditentry", "openingfailure", "terminal", "person", "faceenrolment"):
        assert client.get(f"/desk/office/{model}/add/").status_code == 403
    for model in ("case", "envelope"):
        assert client.get(f"/desk/office/{model}/{case_id}/delete/").status_code == 403
    client.post(f"/desk/office/case/{case_id}/change/", {"name": "x"})
    client.post("/desk/office/case/", {"action": "delete_selected", "_selected_action": [case_id]})
    assert Case.objects.get().name == NAME


@pytest.mark.parametrize("model", ["case", "envelope", "openingfailure", "auditentry", "terminal", "person"])
def test_every_list_renders(line: Line, add_person, chief, client, model: str) -> None:
    add_person()
    line.hand_in()
    bad_id, bad = line.terminal.envelope(b"{}")
    line.put(bad, bad_id)
    from kiosk.office import intake

    intake.open_due()
    client.post(reverse("admin:office_terminal_enrol"), {"id": "HG09", "site": "x"})
    text = page(client, f"office_{model}_changelist")
    assert 'lang="zh-hans"' in text and 'id="result_list"' in text


def test_an_operator_sees_no_terminals(officer, client) -> None:
    assert client.get(reverse("admin:office_terminal_changelist")).status_code == 403
    assert client.get(reverse("admin:office_terminal_enrol")).status_code == 403
    assert client.get(reverse("admin:office_person_import")).status_code == 403


def test_an_enrolment_code_is_shown_once(chief, client) -> None:
    answer = client.post(reverse("admin:office_terminal_enrol"), {"id": "HG09", "site": "含湖村"})
    assert "no-store" in answer.headers["Cache-Control"]
    text = answer.content.decode()
    start = text.index("KIOSK1.")
    code = EnrolmentCode.decode(text[start : text.index("</p>", start)])
    assert EnrolmentToken.objects.get().used is None
    assert code.token not in page(client, "office_terminal_change", "HG09")
    assert "含湖村" in page(client, "office_terminal_changelist")


def test_a_bad_terminal_id_is_explained(chief, client) -> None:
    text = client.post(reverse("admin:office_terminal_enrol"), {"id": "hg", "site": "x"}).content.decode()
    assert "2至8位大写字母或数字" in text and "KIOSK1." not in text


def test_revoking_on_the_desk(line: Line, chief, client) -> None:
    assert "已接入（第 1 次）" in page(client, "office_terminal_change", "HG01")
    address = reverse("admin:office_terminal_revoke", args=["HG01"])
    assert "请先勾选确认" in client.post(address, follow=True).content.decode()
    assert TerminalKey.objects.get().revoked is None
    client.post(address, {"sure": "on"})
    assert TerminalKey.objects.get().revoked is not None
    assert "已停用" in page(client, "office_terminal_changelist")


def test_importing_on_the_desk_tries_first(chief, client) -> None:
    def upload(**fields: str) -> str:
        file = SimpleUploadedFile("list.csv", f"身份证号,姓名\n{NUMBER},张测试\n123,x\n".encode("gb18030"))
        return client.post(reverse("admin:office_person_import"), {"file": file, **fields}).content.decode()

    text = upload()
    assert "没有写入" in text and "新增 1 人" in text and "身份证号不正确" in text
    assert not Person.objects.exists()
    assert "已导入" in upload(write="on")
    assert Person.objects.get().number == NUMBER


def test_correcting_a_person_reaches_the_terminals(line: Line, add_person, chief, client) -> None:
    one = add_person()
    version = line.pull(0).version
    fields = {"name": "张新名", "category": "居保", "next_due": "2027-01-31", "active": "on"}
    assert client.post(reverse("admin:office_person_change", args=[one.pk]), fields).status_code == 302
    assert [entry.name for entry in line.pull(version).entries] == ["张新名"]
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.detail) == ("person_changed", {"fields": "name,category,next_due"})


def test_strangers_see_only_the_login(line: Line) -> None:
    case_id = line.hand_in()
    stranger = Client()
    for address in ("/", "/desk/", "/desk/office/case/", f"/desk/office/case/{case_id}/change/", "/desk/office/person/import/"):
        answer = stranger.get(address, follow=True)
        assert answer.redirect_chain[-1][0].startswith("/desk/login/")
        assert NAME not in answer.content.decode()


def test_headers_of_every_page(officer, client) -> None:
    answer = client.get(reverse("admin:office_case_changelist"))
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert (answer.headers["X-Frame-Options"], answer.headers["X-Content-Type-Options"]) == ("DENY", "nosniff")
