"""The officer's word: once per case, written down, told to terminals."""

from __future__ import annotations

import datetime as dt

import pytest
from townhall import NUMBER, Line

from kiosk.domain.period import local_day
from kiosk.office import audit
from kiosk.office.decision import decide
from kiosk.office.models import AuditEntry, Case, Person

pytestmark = pytest.mark.django_db


def test_accepting_sets_the_due_date_and_terminals_hear_of_it(line: Line, add_person, officer) -> None:
    add_person(next_due=dt.date(2026, 11, 30))
    case_id = line.hand_in()
    version = line.pull(0).version
    assert decide(case_id, 1, True, "", officer)
    case = Case.objects.get()
    assert (case.state, case.officer, case.version, case.reason) == ("accepted", officer, 2, "")
    assert Person.objects.get().next_due == dt.date(2027, 10, 31)
    (entry,) = line.pull(version).entries
    assert entry.next_due == dt.date(2027, 10, 31)
    assert entry.decision.accepted
    assert (entry.decision.case_number, entry.decision.reason) == (case.case_number, "")
    assert entry.decision.decided_on == local_day(case.decided)


def test_rejecting_leaves_the_due_date_and_says_why(line: Line, add_person, officer) -> None:
    add_person(next_due=dt.date(2026, 11, 30))
    case_id = line.hand_in()
    version = line.pull(0).version
    assert decide(case_id, 1, False, "照片不够清楚，请再认证一次。", officer)
    (entry,) = line.pull(version).entries
    assert entry.next_due == dt.date(2026, 11, 30)
    assert (entry.decision.accepted, entry.decision.reason) == (False, "照片不够清楚，请再认证一次。")


def test_the_second_decision_is_refused(line: Line, add_person, officer) -> None:
    add_person()
    case_id = line.hand_in()
    assert decide(case_id, 1, False, "x", officer)
    assert not decide(case_id, 1, True, "", officer)
    assert not decide(case_id, 2, True, "", officer)
    assert Case.objects.get().state == "rejected"
    assert Person.objects.get().next_due is None
    assert AuditEntry.objects.filter(action="decided").count() == 1


def test_a_version_nobody_has_seen_decides_nothing(line: Line, officer) -> None:
    assert not decide(line.hand_in(), 2, True, "", officer)
    assert Case.objects.get().state == "pending"


def test_an_old_case_takes_nothing_back(line: Line, add_person, officer) -> None:
    add_person(next_due=dt.date(2028, 1, 31))
    assert decide(line.hand_in(), 1, True, "", officer)
    assert Person.objects.get().next_due == dt.date(2028, 1, 31)


def test_an_unlisted_person_hears_the_decision_too(line: Line, officer) -> None:
    assert decide(line.hand_in(), 1, True, "", officer)
    person = Person.objects.get()
    assert (person.number, person.next_due) == (NUMBER, dt.date(2027, 10, 31))
    (entry,) = line.pull(0).entries
    assert entry.decision.accepted and entry.next_due == dt.date(2027, 10, 31) and entry.templates == ()


def test_a_rejected_unlisted_person_hears_why(line: Line, officer) -> None:
    assert decide(line.hand_in(), 1, False, "x", officer)
    (entry,) = line.pull(0).entries
    assert entry.decision.reason == "x" and entry.next_due is None


def test_a_simulated_case_says_nothing_about_a_real_person(line: Line, add_person, officer) -> None:
    add_person()
    assert decide(line.hand_in(simulated=True), 1, True, "", officer)
    assert Person.objects.get().next_due is None
    assert line.pull(0).entries[0].decision is None


def test_unless_the_office_itself_is_a_demonstration(line: Line, add_person, officer, settings) -> None:
    settings.OFFICE = settings.OFFICE.model_copy(update={"demo": True})
    add_person()
    assert decide(line.hand_in(simulated=True), 1, True, "", officer)
    (entry,) = line.pull(0).entries
    assert (entry.next_due, entry.decision.accepted) == (dt.date(2027, 10, 31), True)


def test_the_period_rule_is_configuration(line: Line, add_person, officer, settings) -> None:
    settings.OFFICE = settings.OFFICE.model_copy(update={"cycle_months": 6})
    add_person()
    assert decide(line.hand_in(), 1, True, "", officer)
    assert Person.objects.get().next_due == dt.date(2027, 4, 30)


def test_the_chain_holds_and_names_nobody(line: Line, add_person, officer) -> None:
    add_person()
    decide(line.hand_in(), 1, True, "", officer)
    audit.append("wang", AuditEntry.Action.PHOTO_SEEN, "x", picture=1)
    assert audit.first_broken_link() is None
    assert NUMBER not in str(list(AuditEntry.objects.values()))


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        ("UPDATE office_auditentry SET actor = 'li' WHERE n = 2", 2),
        ("UPDATE office_auditentry SET detail = '{}' WHERE n = 1", 1),
        ("DELETE FROM office_auditentry WHERE n = 2", 2),
        ("DELETE FROM office_auditentry WHERE n = 3", 3),
    ],
)
def test_tampering_is_seen(statement: str, broken: int) -> None:
    from django.db import connection

    for picture in range(3):
        audit.append("wang", AuditEntry.Action.PHOTO_SEEN, "x", picture=picture)
    assert audit.first_broken_link() is None
    with connection.cursor() as cursor:
        cursor.execute(statement)
    assert audit.first_broken_link() == broken


def test_a_forged_entry_breaks_the_next_one() -> None:
    for picture in range(3):
        audit.append("wang", AuditEntry.Action.PHOTO_SEEN, "x", picture=picture)
    first, second = AuditEntry.objects.order_by("n")[:2]
    second.actor = "li"
    super(type(AuditEntry.objects.all()), AuditEntry.objects.filter(n=2)).update(actor="li", link=audit._link(first.link, second))
    assert audit.first_broken_link() == 3
