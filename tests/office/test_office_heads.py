"""Heads of the terminals' chains at the office: counter-signed, held against each other, told on the desk in plain words."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from sqlalchemy.orm import Session
from townhall import Line, body, heartbeat

from kiosk.office import enrolment, heads
from kiosk.office.desk.condition import Standing, judge
from kiosk.office.models import AuditEntry, Heartbeat, TerminalHead, TerminalKey, WrittenOnce
from kiosk.office.models import Terminal as TerminalRow
from kiosk.store import audit
from kiosk.store.audit import AuditBreak
from kiosk.store.audit import AuditHead as Own
from kiosk.sync.audit_heads import examine, keep_countersigned, present_head
from kiosk.sync.identity import load_identity
from kiosk.sync.wire import http
from kiosk.sync.wire.models import AuditHead, EnrolRequest, EnvelopeHeader, HeartbeatAnswer

DAY = dt.timedelta(days=1)


def head(n: int, chain: str = "own") -> AuditHead:
    return AuditHead(n=n, link=hashlib.sha256(f"{chain}{n}".encode()).hexdigest())


def beat(line: Line, one: AuditHead | None, **changes: object) -> HeartbeatAnswer:
    return line.beat(heartbeat(audit=one, **changes))


def case(line: Line, one: AuditHead) -> None:
    case_id, data = line.terminal.envelope(body(), audit=one)
    assert line.put(data, case_id).status_code == 201


def alarms() -> list[dict[str, Any]]:
    return [entry.detail for entry in AuditEntry.objects.filter(action="head_differs").order_by("n")]


# ------------------------------------------------------------------------------------------------ told and signed for


def test_a_head_is_kept_and_counter_signed(line: Line) -> None:
    assert beat(line, head(7)).audit == head(7)
    kept = TerminalHead.objects.get()
    assert (kept.terminal_id, kept.epoch, kept.n, kept.link, kept.by_case) == ("HG01", 1, 7, head(7).link, False)
    assert beat(line, head(7)).audit == head(7) and TerminalHead.objects.count() == 1
    assert beat(line, head(9)).audit == head(9) and TerminalHead.objects.count() == 2
    assert not alarms()


def test_an_older_terminal_tells_none(line: Line) -> None:
    assert beat(line, None).audit is None
    assert not TerminalHead.objects.exists()


def test_one_that_is_not_taken_is_neither_kept_nor_signed_for(line: Line) -> None:
    beat(line, head(7))
    old = beat(line, head(5), sent_at=timezone.now() - DAY / 2)
    assert not old.taken and old.audit is None
    assert [one.n for one in TerminalHead.objects.all()] == [7] and not alarms()


def test_they_are_written_once(line: Line) -> None:
    beat(line, head(7))
    with pytest.raises(WrittenOnce):
        TerminalHead.objects.all().delete()
    with pytest.raises(WrittenOnce):
        TerminalHead.objects.update(n=1)


# ------------------------------------------------------------------------------------------------ contradictions


def test_a_shorter_chain_is_an_alarm_once(line: Line) -> None:
    beat(line, head(7))
    beat(line, head(9))
    assert beat(line, head(8)).audit is None, "never signed for"
    for n in (8, 9, 10):
        assert beat(line, head(n, "rolled back")).audit is None
    (told,) = alarms()
    assert (told["sign"], told["n"], told["known"], told["known_link"]) == ("shorter", 8, 9, head(9).link)
    row = TerminalRow.objects.get()
    assert row.head_differs is not None and row.head_differs_from == TerminalHead.objects.get(n=9, link=head(9).link).told


def test_the_same_length_with_another_link_is_an_alarm(line: Line) -> None:
    beat(line, head(7))
    assert beat(line, head(7, "edited")).audit is None
    (told,) = alarms()
    assert (told["sign"], told["n"], told["told_link"]) == ("another_link", 7, head(7, "edited").link)
    assert TerminalHead.objects.count() == 2, "both stay as evidence"


def test_heads_in_envelopes_are_compared_too(line: Line) -> None:
    beat(line, head(7))
    case(line, head(5))  # waited for a while
    case(line, head(8))
    assert not alarms()
    case(line, head(7, "edited"))
    (told,) = alarms()
    assert (told["sign"], told["n"]) == ("another_link", 7)


def test_a_first_case_of_a_fresh_terminal_tells_nothing(line: Line) -> None:
    case(line, AuditHead(n=0, link="0" * 64))
    assert not TerminalHead.objects.exists() and not alarms()


def test_the_same_envelope_again_is_no_second_word(line: Line) -> None:
    case_id, data = line.terminal.envelope(body(), audit=head(3))
    assert [line.put(data, case_id).status_code for _ in range(3)] == [201, 200, 200]
    assert TerminalHead.objects.count() == 1


def test_a_case_that_overtakes_a_heartbeat_is_no_roll_back(line: Line) -> None:
    beat(line, head(7))
    case(line, head(9))
    assert beat(line, head(8)).audit == head(8) and not alarms()


def test_a_roll_back_behind_a_case_of_long_ago_is_seen(line: Line) -> None:
    case(line, head(9))
    with transaction.atomic():
        heads.told_by_heartbeat("HG01", 1, head(8), timezone.now() + dt.timedelta(minutes=16))
    assert [told["sign"] for told in alarms()] == ["shorter"]


def test_what_a_case_told_counts_fully_once_a_heartbeat_has_said_it_too(line: Line) -> None:
    case(line, head(9))
    beat(line, head(9))
    beat(line, head(8))
    assert [told["sign"] for told in alarms()] == ["shorter"]


# ------------------------------------------------------------------------------------------------ enrolments


def next_epoch(line: Line, renewed_from: int | None) -> None:
    key = TerminalKey.objects.get(epoch=line.terminal.epoch)
    line.terminal.epoch += 1
    TerminalKey.objects.create(
        terminal_id="HG01", epoch=line.terminal.epoch, name="t", enrolled=timezone.now(), renewed_from=renewed_from,
        signing_key=key.signing_key, sealing_key=key.sealing_key,
    )


def test_a_machine_let_in_with_a_code_may_begin_a_fresh_chain(line: Line) -> None:
    beat(line, head(50))
    next_epoch(line, renewed_from=None)
    assert beat(line, head(2, "fresh"), epoch=2).audit == head(2, "fresh") and not alarms()
    beat(line, head(1, "fresh"), epoch=2)
    assert len(alarms()) == 1, "but then it has to go on"


def test_renewed_keys_begin_no_fresh_chain(line: Line) -> None:
    """Else whoever rolls a machine back would only have to let it renew its keys."""
    beat(line, head(50))
    next_epoch(line, renewed_from=1)
    assert beat(line, head(2, "fresh"), epoch=2).audit is None
    assert [told["sign"] for told in alarms()] == ["shorter"]


def test_an_enrolment_ends_the_alarm(line: Line) -> None:
    beat(line, head(9))
    beat(line, head(8))
    assert heads.differs("HG01")
    code = enrolment.issue_code("HG01", "含谷镇", "test")
    assert enrolment.enrol(EnrolRequest(token=code.token, name="t", signing_key="ab" * 32, sealing_key="cd" * 32))
    row = TerminalRow.objects.get()
    assert (row.head_differs, row.head_differs_from) == (None, None) and len(alarms()) == 1


# ------------------------------------------------------------------------------------------------ thinning


def test_a_month_is_kept_whole_then_the_last_of_each_day(line: Line) -> None:
    now = timezone.now().replace(hour=4)
    for days, hour, n in ((40, 0, 1), (40, 1, 2), (40, 2, 3), (39, 0, 4), (31, 0, 5), (31, 1, 6), (29, 0, 7), (29, 1, 8)):
        TerminalHead.objects.create(
            terminal_id="HG01", epoch=1, n=n, link=head(n).link, told=now - days * DAY + hour * dt.timedelta(hours=1),
        )
    beat(line, head(9))
    assert sorted(one.n for one in TerminalHead.objects.all()) == [3, 4, 6, 7, 8, 9]
    beat(line, head(5))
    assert [told["known"] for told in alarms()] == [6], "what is thinned out still sees a roll-back"


# ------------------------------------------------------------------------------------------------ the desk


def test_the_desk_says_from_when_on_and_what_to_do(line: Line, officer, client) -> None:
    officer.groups.add(Group.objects.get(name="主管"))
    beat(line, head(9))
    assert "对不上" not in client.get(reverse("admin:office_terminal_change", args=["HG01"])).content.decode()
    beat(line, head(8))
    beat(line, head(10))
    page = client.get(reverse("admin:office_terminal_change", args=["HG01"])).content.decode()
    assert f"kiosk audit verify --head 9:{head(9).link}" in page, "what is missing, not what was told since"
    since = timezone.localtime(TerminalRow.objects.get().head_differs_from)
    for page in (reverse("admin:office_terminal_change", args=["HG01"]), reverse("admin:office_terminal_changelist")):
        text = client.get(page).content.decode()
        assert f"审计记录从{since.month}月{since.day}日 {since:%H:%M}起对不上" in text
    assert "先不要重装" in client.get(reverse("admin:office_terminal_change", args=["HG01"])).content.decode()


def test_a_lost_terminal_shows_it_too(line: Line) -> None:
    beat(line, head(9))
    beat(line, head(8))
    assert judge(TerminalRow.objects.get(), timezone.now()).standing is Standing.ATTENTION
    lost = judge(TerminalRow.objects.get(), timezone.now() + DAY)
    assert lost.standing is Standing.LOST and "对不上" in lost.summary


# ------------------------------------------------------------------------------------------------ both ends


def test_a_terminal_rolled_back_to_an_old_copy_is_seen_by_the_office(machine, line: Line) -> None:
    """The real chain of a real store, before and after somebody with the key has cut it."""
    def grow(count: int) -> None:
        with Session(machine.engine) as session, session.begin():
            for number in range(count):
                audit.append(session, "counted", number=number)

    grow(5)
    answer = beat(line, present_head(machine.engine))
    assert answer.audit == present_head(machine.engine)
    before = present_head(machine.engine)
    with machine.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM audit WHERE n > 3")
    grow(1)
    assert beat(line, present_head(machine.engine)).audit is None
    assert alarms()[0]["known"] == before.n
    found = examine(machine.engine, (Own(before.n, bytes.fromhex(before.link)),))
    assert found.report.breaks == (AuditBreak(5, "cut"),), "with the head from the desk the machine says where"


def test_the_terminal_keeps_what_the_office_signed_for(machine, line: Line) -> None:
    identity = load_identity(machine.engine)
    assert identity is not None
    told = present_head(machine.engine)
    data = heartbeat(audit=told).to_json()
    answer = line.put_heartbeat(data, line.terminal.heartbeat_headers(data))
    keep_countersigned(machine.engine, identity, told, answer.content, answer.headers[http.HEARTBEAT_SIGNATURE])
    found = examine(machine.engine)
    assert (found.countersigned, found.report.proven, found.report.breaks) == (told.n, told.n, ())
    with machine.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE setting SET value = replace(value, ?, ?) WHERE name = 'audit_countersigned'", (told.link, "00" * 32),
        )
    assert {one.reason for one in examine(machine.engine).report.breaks} >= {"rewritten"}
    with machine.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE setting SET value = replace(value, '\"signature\":\"', '\"signature\":\"00') "
            "WHERE name = 'audit_countersigned'",
        )
    assert AuditBreak(told.n, "countersignature") in examine(machine.engine).report.breaks
    with machine.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM audit")
    assert AuditBreak(1, "cut") in examine(machine.engine).report.breaks


class Histories(TestCase):
    @given(st.lists(st.tuples(st.booleans(), st.integers(0, 3)), max_size=12))
    @settings(max_examples=25, deadline=None)
    def test_an_honest_chain_never_makes_an_alarm_whatever_comes_between(self, steps: list[tuple[bool, int]]) -> None:
        """Heads only grow; heartbeats and cases in any order, cases late by any number."""
        TerminalRow.objects.get_or_create(pk="HG09", defaults={"site": "x"})
        TerminalKey.objects.get_or_create(
            terminal_id="HG09", epoch=1,
            defaults={"name": "t", "enrolled": timezone.now(), "signing_key": "ab" * 32, "sealing_key": "cd" * 32},
        )
        n = 1
        for by_case, amount in steps:
            with transaction.atomic():
                if by_case:
                    late = EnvelopeHeader.model_construct(kiosk="HG09", epoch=1, audit=head(max(1, n - amount)))
                    heads.told_by_case(late, timezone.now())
                else:
                    n += amount
                    heads.told_by_heartbeat("HG09", 1, head(n), timezone.now())
        assert not heads.differs("HG09")


def test_the_heartbeat_row_knows_which_keys_the_terminal_trusts(line: Line) -> None:
    beat(line, head(1), office_kids=("ab" * 8,))
    assert Heartbeat.objects.get().office_kids == ["ab" * 8]
