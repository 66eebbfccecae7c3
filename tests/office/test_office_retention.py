"""按期清除 and 撤回同意: what goes, what stays, what must wait, and that nothing rises again."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from pathlib import Path

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from drafts import ENGINE, JPEG, NUMBER, clip, make_enrolment
from machine import Machine
from townhall import NUMBER as CASE_NUMBER
from townhall import Line, body

from kiosk.domain.roster import FaceTemplate, RosterEntry
from kiosk.office import audit, intake, service
from kiosk.office.decision import decide
from kiosk.office.enrolment_decision import decide_enrolment
from kiosk.office.models import (
    AttemptClipFrame,
    AuditEntry,
    Case,
    EnrolmentClipFrame,
    Envelope,
    EnvelopePart,
    FaceCapture,
    FaceEnrolment,
    Person,
    PersonTemplate,
    Photo,
    Portrait,
    Withdrawal,
)
from kiosk.office.retention import make_plan, run
from kiosk.office.roster_import import _add_portrait, _Portrait
from kiosk.office.withdrawal import held, withdraw
from kiosk.store.roster import Roster
from kiosk.sync.wire.models import RosterPull

DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def _demo(settings) -> None:
    settings.OFFICE = settings.OFFICE.model_copy(update={"demo": True})


@pytest.fixture
def line(line: Line) -> Line:
    """Numbers of its own: `machine` counts from 1 under the same enrolment."""
    line.terminal.seq = 100
    return line


def decided(line: Line, officer, accepted: bool = True) -> str:
    pk = line.hand_in(simulated=False)
    assert decide(pk, 1, accepted, "" if accepted else "x", officer)
    return pk


def pictures(model) -> list[bytes]:
    return [bytes(jpeg) for jpeg in model.objects.order_by("pk").values_list("jpeg", flat=True)]


def due(now: dt.datetime) -> dict[str, int]:
    return {one.what: one.count for one in make_plan(now).due if one.count}


# ------------------------------------------------------------------------------- by plan


def test_pictures_go_thirty_days_after_the_word_and_their_rows_stay(line: Line, officer, client: Client) -> None:
    pk, now = decided(line, officer), timezone.now()
    assert due(now + 29 * DAY) == {} and [one.count for one in make_plan(now).later] == [1, 0, 1]
    assert run(now + 29 * DAY)["case_pictures"] == 0 and all(pictures(Photo))
    assert due(now + 30 * DAY) == {"case_pictures": 1}
    assert run(now + 30 * DAY) == {"case_pictures": 1, "enrolment_pictures": 0, "envelopes": 0}
    assert pictures(Photo) == [b""] and Case.objects.get().name and Envelope.objects.get().erased is None
    assert due(now + 31 * DAY) == {}
    text = client.get(reverse("admin:office_case_change", args=[pk])).content.decode()
    assert "已按期清除" in text and "office_photo" not in text and "/photo/" not in text
    assert client.get(reverse("admin:office_photo", args=[Photo.objects.get().pk])).status_code == 410


def test_what_nobody_decided_stays_however_old(line: Line, machine: Machine) -> None:
    line.hand_in()
    machine.hand_in(make_enrolment(frames=clip(2)))
    plan = make_plan(timezone.now() + 5_000 * DAY)
    assert plan.waiting == 2 and not any(one.count for one in (*plan.due, *plan.later))
    run(timezone.now() + 5_000 * DAY)
    assert all(pictures(Photo)) and all(pictures(FaceCapture)) and bytes(Envelope.objects.first().raw)


@pytest.mark.parametrize("accepted", [True, False])
def test_captures_go_when_they_were_not_taken_over(machine: Machine, officer, client: Client, accepted: bool) -> None:
    pk = machine.hand_in(make_enrolment(frames=clip(2)))
    assert decide_enrolment(pk, 1, accepted, "" if accepted else "x", False, officer)
    run(timezone.now() + 31 * DAY)
    assert pictures(EnrolmentClipFrame) == [b"", b""]
    assert pictures(FaceCapture) == ([JPEG + bytes([n]) for n in range(3)] if accepted else [b""] * 3)
    assert [bool(one.vector) for one in FaceCapture.objects.all()] == [accepted] * 3
    assert all(pictures(Portrait)) and Portrait.objects.count() == (3 if accepted else 0)
    assert "已按期清除" in client.get(reverse("admin:office_faceenrolment_change", args=[pk])).content.decode()


def test_every_run_stands_in_the_chain_without_names(line: Line, officer) -> None:
    pk = decided(line, officer)
    run(timezone.now() + 31 * DAY)
    entry = AuditEntry.objects.get(action="erased")
    assert (entry.subject, entry.detail["count"], len(entry.detail["ids"])) == ("case_pictures", 1, 64)
    assert pk not in json.dumps(entry.detail) and audit.first_broken_link() is None


# ------------------------------------------------------------------------------- LC-08


def test_lc_08_an_erased_envelope_is_a_tombstone(line: Line, officer) -> None:
    case_id, data = line.terminal.envelope(body())
    first = line.put(data, case_id)
    assert first.status_code == 201 and intake.open_due() == 1
    EnvelopePart(sha256="0" * 64, case_id=case_id, terminal_id="HG01", raw=b"piece", received=timezone.now()).save()
    assert decide(case_id, 1, True, "", officer)
    assert run(timezone.now() + 3_651 * DAY)["envelopes"] == 1
    stone = Envelope.objects.get()
    assert (bytes(stone.raw), stone.erased is not None) == (b"", True)
    assert bytes(EnvelopePart.objects.get().raw) == b"" and EnvelopePart.objects.get().sha256 == "0" * 64
    again = line.put(data, case_id)
    assert (again.status_code, again.content) == (200, first.content), "the same receipt, to the byte"
    assert again.headers["X-Receipt-Sig"] == first.headers["X-Receipt-Sig"]
    assert bytes(Envelope.objects.get().raw) == b"" and intake.open_due() == 0 and Case.objects.count() == 1
    _, other = line.terminal.envelope(body(repeat=7), id=case_id)
    assert line.put(other, case_id).status_code == 409
    assert bytes(Envelope.objects.get().raw) == b""


def test_no_envelope_goes_before_its_case_is_decided(line: Line) -> None:
    line.hand_in()
    held_id, data = line.terminal.envelope(b"{}", schema_name="of a newer terminal")
    assert line.put(data, held_id).status_code == 202
    assert run(timezone.now() + 9_000 * DAY)["envelopes"] == 0
    assert all(bytes(raw) for raw in Envelope.objects.values_list("raw", flat=True))


def test_freed_pages_are_overwritten(db) -> None:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA secure_delete")
        assert cursor.fetchone()[0] == 1


# ------------------------------------------------------------------------------- withdrawal


@pytest.fixture
def chief(officer, client: Client):
    officer.groups.add(Group.objects.get(name="主管"))
    return officer


def enrolled(machine: Machine, officer, **more: object) -> str:
    """An accepted enrolment: three portraits with templates."""
    pk = machine.hand_in(make_enrolment(frames=clip(2), **more))
    assert decide_enrolment(pk, 1, True, "", False, officer)
    return pk


def test_a_withdrawal_reaches_the_terminal_and_the_person_can_still_certify(
    machine: Machine, line: Line, officer,
) -> None:
    enrolled(machine, officer)
    before = line.pull(0)
    assert len(before.entries[0].templates) == 3
    was = withdraw(NUMBER, "wang")
    assert (was.portraits, was.templates, len(was.enrolments)) == (3, 3, 1)
    after = line.pull(before.version)
    assert [(one.number, one.templates) for one in after.entries] == [(NUMBER, ())] and after.removed == ()
    assert pictures(Portrait) == [b""] * 3 and not PersonTemplate.objects.exists()
    assert pictures(FaceCapture) == [b""] * 3 and not any(one.vector for one in FaceCapture.objects.all())
    assert pictures(EnrolmentClipFrame) == [b"", b""] and bytes(Envelope.objects.get().raw) == b""
    pk = line.hand_in(**_of(NUMBER))
    assert decide(pk, 1, True, "", officer) and Person.objects.get(number=NUMBER).next_due is not None


def _of(number: str) -> dict[str, object]:
    person = body().person.model_copy(update={"number": number})
    return {"person": person}


def entries(page: RosterPull) -> list[RosterEntry]:
    return [
        RosterEntry(
            one.number, one.name, one.category, one.next_due,
            tuple(FaceTemplate(template.engine, template.vector) for template in one.templates),
        )
        for one in page.entries
    ]


def test_the_terminals_own_roster_and_base_hold_nothing_after_the_next_pull(machine: Machine, line: Line, officer) -> None:
    enrolled(machine, officer)
    roster = Roster(machine.engine)
    page = line.pull(0)
    assert roster.apply(entries(page), page.removed, page.after, page.version, page.replace)
    assert [one.number for one in roster.people()] == [NUMBER]
    withdraw(NUMBER, "wang")
    page = line.pull(page.version)
    assert roster.apply(entries(page), page.removed, page.after, page.version, page.replace)
    assert roster.people() == [] and roster.size() == 1


def test_open_reviews_wait_and_are_emptied_once_decided(line: Line, officer) -> None:
    done, open_ = decided(line, officer), line.hand_in()
    was = withdraw(CASE_NUMBER, "wang")
    assert ([one.pk for one in was.cases], [one.pk for one in was.waiting]) == ([done], [open_])
    assert sorted(map(bool, pictures(Photo))) == [False, True]
    now = timezone.now()
    assert due(now) == {}
    assert decide(open_, 1, False, "x", officer)
    assert due(now) == {"case_pictures": 1, "envelopes": 1}, "at once, not after thirty days"
    run(now)
    assert not any(pictures(Photo)) and not any(bytes(raw) for raw in Envelope.objects.values_list("raw", flat=True))
    assert due(now) == {}


def test_an_enrolment_that_waited_is_not_taken_over_after_a_withdrawal(machine: Machine, officer, client: Client) -> None:
    pk = machine.hand_in(make_enrolment())
    withdraw(NUMBER, "wang")
    assert "本人已撤回同意" in client.get(reverse("admin:office_faceenrolment_change", args=[pk])).content.decode()
    assert decide_enrolment(pk, 1, True, "", False, officer)
    assert not Portrait.objects.exists() and not PersonTemplate.objects.exists()
    run(timezone.now())
    assert pictures(FaceCapture) == [b""] * 3


def test_a_consent_given_later_counts_again(machine: Machine, officer) -> None:
    Withdrawal.objects.create(number=NUMBER, at=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
    enrolled(machine, officer)
    assert Portrait.objects.filter(retired=None).count() == 3
    assert due(timezone.now()) == {}


def test_no_portrait_comes_back_from_the_towns_files(add_person, db) -> None:
    person = add_person(NUMBER)
    withdraw(NUMBER, "wang")
    assert _add_portrait(person, _Portrait("0" * 64, JPEG, None)) == (False, False)
    assert not Portrait.objects.exists()


def test_another_person_loses_nothing(machine: Machine, line: Line, officer) -> None:
    enrolled(machine, officer)
    decided(line, officer)
    assert not held("999901190001010011").known
    withdraw("999901190001010011", "wang")
    assert all(pictures(Portrait)) and all(pictures(Photo)) and PersonTemplate.objects.count() == 3
    assert Portrait.objects.filter(templates__engine=ENGINE).count() == 3


def test_the_page_shows_first_and_does_it_on_a_second_word(machine: Machine, line: Line, chief, client: Client) -> None:
    enrolled(machine, chief)
    line.hand_in(**_of(NUMBER))
    address = reverse("admin:office_person_withdraw")
    shown = client.post(address, {"number": NUMBER}).content.decode()
    assert "留存照片 3 张，特征 3 组" in shown and "还没有审核" in shown and "撤回并清除" in shown
    assert PersonTemplate.objects.count() == 3 and not Withdrawal.objects.exists()
    told = client.post(address, {"number": NUMBER, "sure": "on"}, follow=True).content.decode()
    assert "已撤回" in told and "1 件待审核的在审核后清除" in told
    entry = AuditEntry.objects.get(action="withdrawn")
    assert (entry.actor, entry.subject) == ("wang", str(Person.objects.get(number=NUMBER).pk))
    assert NUMBER not in json.dumps(entry.detail) and audit.first_broken_link() is None
    assert "撤回同意" in client.get(reverse("admin:office_person_changelist")).content.decode()


def test_wrong_numbers_and_strangers_change_nothing(chief, client: Client) -> None:
    address = reverse("admin:office_person_withdraw")
    assert "完整的18位" in client.post(address, {"number": "9999", "sure": "on"}).content.decode()
    assert "没有可清除的内容" in client.post(address, {"number": NUMBER, "sure": "on"}).content.decode()
    assert not Withdrawal.objects.exists() and not AuditEntry.objects.exists()


def test_it_needs_a_right_of_its_own(officer, client: Client) -> None:
    address = reverse("admin:office_person_withdraw")
    assert client.get(address).status_code == 403
    assert client.post(address, {"number": NUMBER, "sure": "on"}).status_code == 403
    client.logout()
    assert client.get(address).status_code == 302


def test_the_command_lines_plan_and_run(line: Line, officer, settings, monkeypatch) -> None:
    decided(line, officer)
    line.hand_in()
    settings.OFFICE = settings.OFFICE.model_copy(update={"pictures_days": 0})
    monkeypatch.setattr(service, "_need_office", lambda: None)
    plan = service.retention_plan()
    assert [(one["what"], one["count"]) for one in plan["due"]] == [("case_pictures", 1)]
    assert [(one["what"], one["count"]) for one in plan["later"]] == [("envelopes", 1)]
    assert plan["waiting_for_an_officer"] == 1 and CASE_NUMBER not in json.dumps(plan)
    assert service.run_retention()["case_pictures"] == 1


_OFFICE = """
import sys
from pathlib import Path
from kiosk.office import service
data, marker = Path(sys.argv[1]), sys.argv[2].encode()
service.init(data, "a long word 23")
import datetime as dt
from django.utils import timezone
from kiosk.office.models import Case, Envelope, FaceAttempt, Photo, Terminal
from kiosk.office.retention import run
now = timezone.now()
terminal = Terminal.objects.create(id="HG01", site="x")
envelope = Envelope(id="a", terminal=terminal, epoch=1, seq=1, digest="0", raw=b"x", signature="", received=now,
                    level="committed", receipt=b"{}")
envelope.save()
case = Case.objects.create(
    envelope=envelope, terminal=terminal, item="12", case_number="HG01-1", name="x", number="x", in_roster=True,
    outcome="passed", cause="confirm", consent_scopes=[], consent_version="1", consent_given=now, captured=now,
    state="accepted", decided=now,
)
attempt = FaceAttempt.objects.create(
    case=case, position=1, frames=1, templates=1, engine="e", liveness="passed", distance=0.1,
)
Photo.objects.create(attempt=attempt, position=1, jpeg=marker * 2000)

def found():
    return sum(path.read_bytes().count(marker) for path in data.glob("office.db*"))

before = found()
run(now + dt.timedelta(days=31))
print(before > 1000, found())
"""


def test_erased_pictures_are_in_neither_file_nor_log(tmp_path: Path) -> None:
    """In a process and a database of its own, searched with and without what a run does."""
    command = [sys.executable, "-c", _OFFICE, str(tmp_path / "office"), "MARKER-of-a-face"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    assert (done.stdout.strip(), done.returncode) == ("True 0", 0), done.stdout + done.stderr


def test_an_enrolment_of_a_clip_alone_counts_as_erased_once(machine: Machine, officer) -> None:
    enrolled(machine, officer)
    now = timezone.now()
    assert run(now + 31 * DAY)["enrolment_pictures"] == 1 and run(now + 32 * DAY)["enrolment_pictures"] == 0
    assert FaceEnrolment.objects.get().pictures_erased is not None and not AttemptClipFrame.objects.exists()
