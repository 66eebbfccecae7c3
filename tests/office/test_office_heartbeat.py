"""Heartbeats at the office: whose word counts, which is the newest, and what staff read on the desk."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.urls import reverse
from django.utils import timezone
from townhall import Line, Terminal, heartbeat

from kiosk.office.desk import device_words
from kiosk.office.desk.condition import Standing, judge
from kiosk.office.models import DeviceReport, Heartbeat, TerminalKey
from kiosk.office.models import Terminal as TerminalRow
from kiosk.sync.wire import http
from kiosk.sync.wire.envelope import digest
from kiosk.sync.wire.models import DeviceBody, Refusal
from kiosk.sync.wire.signing import Context

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


def device(kind: str = "printer", state: str = "offline", reason: str = "paper_out") -> DeviceBody:
    return DeviceBody(kind=kind, state=state, reason=reason, since=dt.datetime(2026, 11, 24, 1, 5, tzinfo=dt.UTC))


READY = device("idcard", "ready", "")


def now() -> dt.datetime:
    return timezone.now()


def stored() -> dict[str, tuple[str, str]]:
    return {one.kind: (one.state, one.reason) for one in DeviceReport.objects.all()}


def standing(at: dt.datetime | None = None) -> Standing:
    return judge(TerminalRow.objects.get(), at or now()).standing


# ------------------------------------------------------------------------------- taking it


def test_it_is_kept_as_told(line: Line) -> None:
    told = heartbeat(device(), READY, unsent=2, dead=1, held=3, oldest_unsent_s=90, roster_version=2**40)
    assert line.beat(told).taken
    kept = Heartbeat.objects.get()
    assert (kept.terminal_id, kept.sent, kept.terminal_seen, kept.epoch) == ("HG01", told.sent_at, told.terminal_seen, 1)
    assert (kept.unsent, kept.held, kept.dead, kept.oldest_unsent_s) == (2, 3, 1, 90)
    assert (kept.roster_version, kept.free_mb) == (2**40, 9000)
    assert stored() == {"printer": ("offline", "paper_out"), "idcard": ("ready", "")}
    printer = DeviceReport.objects.get(kind="printer")
    assert (printer.since, printer.received) == (device().since, kept.received)
    assert TerminalRow.objects.get().last_seen == kept.received


def test_only_the_newest_is_kept(line: Line) -> None:
    line.beat(heartbeat(device(), READY))
    line.beat(heartbeat(device(reason="cover_open"), device("camera", "ready", "")))
    assert Heartbeat.objects.count() == 1
    assert stored() == {"printer": ("offline", "cover_open"), "camera": ("ready", "")}
    line.beat(heartbeat())
    assert stored() == {}


def test_kinds_and_states_of_a_newer_terminal_are_kept_as_text(line: Line, chief, client) -> None:
    assert line.beat(heartbeat(device("palm", "resting", "asleep_2"), device("palm", "resting", "asleep_3"))).taken
    assert stored() == {"palm": ("resting", "asleep_3")}
    text = client.get(reverse("admin:office_terminal_change", args=["HG01"])).content.decode()
    assert "palm" in text and "resting" in text and "代码 asleep_3" in text and "在线，需留意" in text


# ------------------------------------------------------------------------------- whose word it is


def refused(line: Line, answer, status: int, code: str, data: bytes, nonce: str) -> None:
    assert answer.status_code == status
    assert line.terminal.proves(Context.REFUSAL, answer.content, answer.headers[http.REFUSAL_SIGNATURE])
    refusal = Refusal.model_validate_json(answer.content)
    assert (refusal.code, refusal.id, refusal.sha256) == (code, nonce, digest(data).hex())
    assert not Heartbeat.objects.exists()


def test_wrong_signature_other_bytes_other_address_other_kind_of_request(line: Line) -> None:
    data = heartbeat().to_json()
    good = line.terminal.heartbeat_headers(data)
    other = heartbeat(device()).to_json()
    as_get = line.terminal.request_headers(http.HEARTBEAT_PATH)
    for body, headers in (
        (data, Terminal().heartbeat_headers(data)), (other, good), (data, line.terminal.heartbeat_headers(data, "/v1/other")),
        (data, as_get), (data, good | {http.SIGNATURE: "zz"}), (data, good | {http.NONCE: "ab"}),
    ):
        refused(line, line.put_heartbeat(body, headers), 403, "invalid", body, headers[http.NONCE])


def test_unknown_and_revoked_terminals(line: Line) -> None:
    data = heartbeat().to_json()
    headers = line.terminal.heartbeat_headers(data)
    refused(line, line.put_heartbeat(data, headers | {http.KIOSK: "ZZ99"}), 403, "device", data, headers[http.NONCE])
    TerminalKey.objects.update(revoked=now())
    refused(line, line.put_heartbeat(data, headers), 403, "device", data, headers[http.NONCE])


@pytest.mark.parametrize("changes", [{"kiosk": "HG02"}, {"epoch": 2}])
def test_of_another_terminal_or_an_earlier_enrolment(line: Line, changes: dict[str, object]) -> None:
    data = heartbeat(**changes).to_json()
    headers = line.terminal.heartbeat_headers(data)
    refused(line, line.put_heartbeat(data, headers), 403, "invalid", data, headers[http.NONCE])


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"\xff\xfe", b'{"kiosk":"HG01"}'])
def test_what_is_no_heartbeat(line: Line, data: bytes) -> None:
    headers = line.terminal.heartbeat_headers(data)
    refused(line, line.put_heartbeat(data, headers), 422, "invalid", data, headers[http.NONCE])


@pytest.mark.parametrize("name", [http.KIOSK, http.NONCE, http.SIGNATURE])
def test_a_missing_header_is_a_network_fault(line: Line, name: str) -> None:
    data = heartbeat().to_json()
    answer = line.put_heartbeat(data, line.terminal.heartbeat_headers(data) | {name: ""})
    assert answer.status_code == 400
    assert http.REFUSAL_SIGNATURE not in answer.headers


# ------------------------------------------------------------------------------- which is the newest


def test_an_older_one_sent_again_covers_nothing(line: Line) -> None:
    older, newer = heartbeat(device()), heartbeat(READY)
    data = older.to_json()
    headers = line.terminal.heartbeat_headers(data)
    assert line.put_heartbeat(data, headers).status_code == 200
    assert line.beat(newer).taken
    seen = TerminalRow.objects.get().last_seen
    for _ in range(2):
        again = line.put_heartbeat(data, headers)  # the very same bytes
        assert (again.status_code, b'"taken":false' in again.content) == (200, True)
    assert stored() == {"idcard": ("ready", "")}
    assert Heartbeat.objects.get().sent == newer.sent_at
    assert TerminalRow.objects.get().last_seen == seen


def test_the_newest_sent_again_covers_nothing_either(line: Line) -> None:
    told = heartbeat(device())
    line.beat(told)
    received = Heartbeat.objects.get().received
    assert not line.beat(told).taken
    assert Heartbeat.objects.get().received == received


@pytest.mark.parametrize("off", [-20 * HOUR, 20 * HOUR, -400 * DAY, 400 * DAY, dt.timedelta()])
@pytest.mark.parametrize("first", [20 * HOUR, -20 * HOUR, dt.timedelta()])
def test_whatever_the_clock_did_a_terminal_is_heard(line: Line, first: dt.timedelta, off: dt.timedelta) -> None:
    """Also when it is set right again after a heartbeat from the future."""
    assert line.beat(heartbeat(sent_at=now() + first)).taken
    told = heartbeat(device(), sent_at=now() + off)
    answer = line.beat(told)
    if not answer.taken:
        told = told.model_copy(update={"challenge": answer.challenge})
        assert line.beat(told).taken
        assert not line.beat(told).taken  # the challenge is spent
    assert Heartbeat.objects.get().sent == told.sent_at
    assert stored() == {"printer": ("offline", "paper_out")}


def test_a_first_heartbeat_with_a_wrong_clock(line: Line) -> None:
    told = heartbeat(sent_at=now() - 9000 * DAY)
    answer = line.beat(told)
    assert (answer.taken, Heartbeat.objects.exists()) == (False, False)
    assert line.beat(told.model_copy(update={"challenge": answer.challenge})).taken


def test_a_challenge_is_good_for_one_terminal(line: Line) -> None:
    other = TerminalRow.objects.create(pk="HG02", site="含湖村")
    key = TerminalKey.objects.get()
    key.pk, key.terminal = None, other
    key.save()
    wrong = {"sent_at": now() - 9 * DAY}
    challenge = line.beat(heartbeat(**wrong)).challenge
    line.terminal.id = "HG02"
    assert not line.beat(heartbeat(kiosk="HG02", challenge=challenge, **wrong)).taken


def test_a_challenge_is_good_for_one_heartbeat(line: Line) -> None:
    old = heartbeat(sent_at=now() - HOUR)
    challenge = line.beat(heartbeat()).challenge
    assert not line.beat(old.model_copy(update={"challenge": "0" * 64})).taken
    assert line.beat(old.model_copy(update={"challenge": challenge})).taken
    assert not line.beat(old.model_copy(update={"challenge": challenge, "sent_at": now() - 2 * HOUR})).taken


# ------------------------------------------------------------------------------- what staff read


@pytest.fixture
def chief(officer):
    officer.groups.add(Group.objects.get(name="主管"))
    return officer


def test_lost_is_not_the_same_as_in_trouble(line: Line) -> None:
    assert standing() is Standing.NEVER
    line.beat(heartbeat(READY))
    assert standing() is Standing.WELL
    line.beat(heartbeat(READY, device()))
    assert standing(now() + dt.timedelta(minutes=9)) is Standing.FAULT
    assert standing(now() + dt.timedelta(minutes=11)) is Standing.LOST
    TerminalKey.objects.update(revoked=now())
    assert standing() is Standing.REVOKED


@pytest.mark.parametrize(("changes", "found", "word"), [
    ({"terminal_seen": None}, Standing.FAULT, "终端程序没有运行"),
    ({"terminal_seen": now() - HOUR}, Standing.FAULT, "终端程序没有运行"),
    ({"terminal_seen": now() + HOUR}, Standing.FAULT, "终端程序没有运行"),
    ({"sent_at": now() - 3 * HOUR, "terminal_seen": now() - 3 * HOUR}, Standing.ATTENTION, "终端的时钟慢了3小时"),
    ({"sent_at": now() + 20 * HOUR, "terminal_seen": now() + 20 * HOUR}, Standing.ATTENTION, "终端的时钟快了"),
    ({"dead": 2}, Standing.ATTENTION, "有2件办件被拒收"),
    ({"held": 1}, Standing.ATTENTION, "有1件办件因软件版本不同暂存"),
    ({"unsent": 5, "oldest_unsent_s": 7300}, Standing.ATTENTION, "有5件办件没有送到，最早一件等了2小时"),
    ({"unsent": 5, "oldest_unsent_s": 60}, Standing.WELL, ""),
    ({"free_mb": 300}, Standing.ATTENTION, "磁盘只剩300MB"),
    ({"free_mb": None}, Standing.WELL, ""),
])
def test_what_concerns_the_whole_terminal(line: Line, changes: dict[str, object], found: Standing, word: str) -> None:
    assert line.beat(heartbeat(READY, **changes)).taken
    condition = judge(TerminalRow.objects.get(), now())
    assert (condition.standing, len(condition.remarks)) == (found, 1 if word else 0)
    assert word in "".join(str(remark) for remark in condition.remarks)
    assert condition.stale == ("没有运行" in word)


@pytest.mark.parametrize(("state", "reason", "found"), [
    ("ready", "", Standing.WELL), ("busy", "", Standing.WELL), ("degraded", "paper_low", Standing.ATTENTION),
    ("offline", "mute", Standing.FAULT), ("unknown", "", Standing.FAULT), ("resting", "", Standing.ATTENTION),
    ("unknown", "no_status", Standing.ATTENTION), ("offline", "no_status", Standing.FAULT),
])
def test_one_device_decides(line: Line, state: str, reason: str, found: Standing) -> None:
    line.beat(heartbeat(READY, device(state=state, reason=reason)))
    assert standing() is found


def test_every_sentence_says_what_to_do() -> None:
    for kind, reason in (("printer", "paper_out"), ("face", "stalled"), ("idcard", "stalled"), ("palm", "no_such_code")):
        said = device_words.words(kind, "offline", reason)
        assert said.wrong and said.to_do
    assert device_words.words("face", "offline", "stalled") != device_words.words("idcard", "offline", "stalled")
    assert device_words.words("printer", "offline", "").wrong == "原因不明"
    assert device_words.words("printer", "offline", "found_idcard").wrong == "这个端口上接的是身份证阅读器"
    assert all(said.wrong and said.to_do for said in device_words._REASONS.values())


def test_the_list_and_the_page(line: Line, chief, client) -> None:
    line.beat(heartbeat(READY, device(), device("camera", "degraded", "black"), dead=1))
    text = client.get(reverse("admin:office_terminal_changelist")).content.decode()
    for word in ("在线，有故障", "凭条打印机：缺纸", "摄像头：画面全黑", "有1件办件被拒收", "最近心跳", "刚刚"):
        assert word in text
    text = client.get(reverse("admin:office_terminal_change", args=["HG01"])).content.decode()
    for word in ("在线，有故障", "最近心跳：刚刚", "身份证阅读器", "缺纸", "请换纸", "11月24日 09:05", "有1件办件被拒收"):
        assert word in text
    assert text.index("凭条打印机") < text.index("身份证阅读器")  # what needs a hand comes first
    Heartbeat.objects.update(received=now() - 2 * HOUR)
    for page in ("changelist", "change"):
        arguments = ["HG01"] if page == "change" else []
        text = client.get(reverse(f"admin:office_terminal_{page}", args=arguments)).content.decode()
        assert "失联" in text and "2小时前" in text and "在线" not in text
        assert 'class="state fault"' not in text  # how the printer is now, nobody knows


def test_the_list_asks_the_database_no_more_for_more_terminals(line: Line, chief, client, django_assert_max_num_queries) -> None:
    for number in range(20):
        one = TerminalRow.objects.create(pk=f"T{number}", site="x")
        Heartbeat.objects.create(
            terminal=one, received=now(), sent=now(), epoch=1, app_version="0", unsent=0, held=0, dead=0, roster_version=0,
        )
    with django_assert_max_num_queries(15):
        client.get(reverse("admin:office_terminal_changelist"))


def test_a_terminal_without_a_heartbeat_and_one_that_is_not_there(line: Line, chief, client) -> None:
    text = client.get(reverse("admin:office_terminal_change", args=["HG01"])).content.decode()
    assert "还没有心跳" in text and "没有报告过" in text
    assert client.get(reverse("admin:office_terminal_change", args=["ZZ99"])).status_code == 302


# ------------------------------------------------------------------------------- migration


@pytest.mark.django_db(transaction=True)
def test_migration_up_and_down_with_data() -> None:
    """Terminals and their cases stay; heartbeats go and come anew."""
    call_command("migrate", "office", "0001", verbosity=0)
    try:
        old = MigrationExecutor(connection).loader.project_state([("office", "0001_initial")]).apps
        old.get_model("office", "Terminal").objects.create(pk="HG05", site="含湖村")
    finally:
        call_command("migrate", "office", verbosity=0)
    one = TerminalRow.objects.get(pk="HG05")
    Heartbeat.objects.create(
        terminal=one, received=now(), sent=now(), epoch=1, app_version="0", unsent=0, held=0, dead=0, roster_version=0,
    )
    DeviceReport.objects.create(terminal=one, kind="printer", state="ready", received=now())
    call_command("migrate", "office", "0001", verbosity=0)
    call_command("migrate", "office", verbosity=0)
    assert (TerminalRow.objects.get(pk="HG05").site, Heartbeat.objects.count(), DeviceReport.objects.count()) == ("含湖村", 0, 0)
