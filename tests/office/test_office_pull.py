"""Roster pulls: who may ask, what comes, and that nothing is missed or told twice."""

from __future__ import annotations

import time

import pytest
from townhall import NUMBER, Line, Terminal

from kiosk.office import pull as pull_module
from kiosk.office.models import Person, PersonTemplate, Portrait, TerminalKey
from kiosk.sync.wire import http
from kiosk.sync.wire.models import Refusal
from kiosk.sync.wire.signing import Context

NUMBERS = ["999901195001010020", "999901194803020015", "999901195505050034", "710000195201010011"]


def test_an_empty_office_has_nothing_new(line: Line) -> None:
    assert line.pull(0) is None


def test_the_whole_roster_then_only_what_changed(line: Line, add_person) -> None:
    people = [add_person(number, "李测试") for number in NUMBERS]
    first = line.pull(0)
    assert first is not None
    assert (first.after, first.replace, first.more, first.removed) == (0, True, False, ())
    assert [entry.number for entry in first.entries] == NUMBERS
    assert first.entries[0].category == "unknown"
    assert line.pull(first.version) is None
    people[1].category = "居保"
    people[1].save_changed()
    second = line.pull(first.version)
    assert second is not None
    assert (second.replace, [(entry.number, entry.category) for entry in second.entries]) == (False, [(NUMBERS[1], "居保")])


def test_pages_join_without_gap(line: Line, add_person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pull_module, "PAGE", 3)
    for number in NUMBERS:
        add_person(number)
    first = line.pull(0)
    second = line.pull(first.version)
    assert (first.more, second.more, second.replace) == (True, False, False)
    assert [entry.number for page in (first, second) for entry in page.entries] == NUMBERS


def test_templates_travel(line: Line, add_person) -> None:
    portrait = Portrait.objects.create(person=add_person(), source_sha256="0" * 64, jpeg=b"")
    vector = [0.1, -0.25, 1e-17]
    PersonTemplate.objects.create(portrait=portrait, engine="dlib/x", vector=vector)
    (template,) = line.pull(0).entries[0].templates
    assert (template.engine, list(template.vector)) == ("dlib/x", vector)


def test_a_removed_person_is_named(line: Line, add_person) -> None:
    one = add_person()
    version = line.pull(0).version
    one.active = False
    one.save_changed()
    after = line.pull(version)
    assert (after.entries, after.removed) == ((), (NUMBER,))


def test_a_terminal_ahead_of_a_restored_office_starts_anew(line: Line, add_person) -> None:
    add_person()
    again = line.pull(500)
    assert (again.after, again.replace, again.version, len(again.entries)) == (500, True, 1, 1)


def test_nobody_else_can_read_it(line: Line, add_person) -> None:
    add_person()
    target = http.roster_target(0)
    answer = line.client.get(target, headers=line.terminal.request_headers(target))
    assert NUMBER.encode() not in answer.content


def _ask(line: Line, **headers: str):
    target = http.roster_target(0)
    return line.client.get(target, headers=line.terminal.request_headers(target) | headers)


def test_unknown_and_revoked_terminals(line: Line) -> None:
    unknown = _ask(line, **{http.KIOSK: "ZZ99", http.NONCE: "ab"})
    TerminalKey.objects.update(revoked="2026-11-23T00:00Z")
    for answer in (unknown, _ask(line, **{http.NONCE: "ab"})):
        assert answer.status_code == 403
        refusal = Refusal.model_validate_json(answer.content)
        assert (refusal.code, refusal.id) == ("device", "ab")
        assert line.terminal.proves(Context.REFUSAL, answer.content, answer.headers[http.REFUSAL_SIGNATURE])


def test_wrong_signature_or_another_address(line: Line) -> None:
    other = Terminal()
    target = http.roster_target(0)
    wrong_key = line.client.get(target, headers=other.request_headers(target))
    other_address = line.client.get(http.roster_target(7), headers=line.terminal.request_headers(target))
    for answer in (wrong_key, other_address):
        assert (answer.status_code, Refusal.model_validate_json(answer.content).code) == (403, "invalid")


@pytest.mark.parametrize("name", [http.KIOSK, http.TIME, http.NONCE, http.SIGNATURE])
def test_a_missing_header_is_a_network_fault(line: Line, name: str) -> None:
    answer = _ask(line, **{name: ""})
    assert answer.status_code == 400
    assert http.REFUSAL_SIGNATURE not in answer.headers


def test_a_wrong_clock_does_not_look_like_a_revocation(line: Line) -> None:
    target = http.roster_target(0)
    headers = line.terminal.request_headers(target, at=time.time() - http.REQUEST_WINDOW_S - 60)
    answer = line.client.get(target, headers=headers)
    assert answer.status_code == 401
    assert http.REFUSAL_SIGNATURE not in answer.headers


def test_versions_need_a_transaction(transactional_db: None) -> None:
    from django.db.transaction import TransactionManagementError

    with pytest.raises(TransactionManagementError):
        Person(number=NUMBER, name="x").save_changed()
