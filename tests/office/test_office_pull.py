"""Roster pulls: who may ask, what comes, and that nothing is missed or told twice."""

from __future__ import annotations

import time

import pytest
from django.contrib.auth.models import Group
from townhall import NUMBER, Line, Terminal

from kiosk.office import pull as pull_module
from kiosk.office.districts import set_districts
from kiosk.office.models import AuditEntry, Person, PersonTemplate, Portrait, TerminalKey
from kiosk.office.models import Terminal as Terminal_
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


# ------------------------------------------------------------------------------- districts

HAN, JIN = "含湖村", "金凤村"


def _serve(line: Line, *districts: str) -> None:
    set_districts(line.terminal.id, districts, "t")


@pytest.mark.django_db
class TestDistricts:
    def test_a_terminal_gets_its_own_and_those_of_nowhere(self, line: Line, add_person) -> None:
        for number, district in zip(NUMBERS, (HAN, JIN, "", HAN), strict=True):
            add_person(number, district=district)
        _serve(line, HAN)
        page = line.pull(0)
        assert {entry.number for entry in page.entries} == {NUMBERS[0], NUMBERS[2], NUMBERS[3]}
        assert (page.removed, page.more, page.version) == ((), False, Person.roster_version())

    def test_who_moves_away_is_removed_and_who_moves_in_comes(self, line: Line, add_person) -> None:
        leaves, comes = add_person(NUMBERS[0], district=HAN), add_person(NUMBERS[1], district=JIN)
        _serve(line, HAN)
        version = line.pull(0).version
        leaves.district, comes.district = JIN, HAN
        leaves.save_changed()
        comes.save_changed()
        page = line.pull(version)
        assert ([entry.number for entry in page.entries], page.removed) == ([NUMBERS[1]], (NUMBERS[0],))

    def test_a_number_it_never_had_is_not_told(self, line: Line, add_person) -> None:
        stranger = add_person(NUMBERS[0], district=JIN)
        _serve(line, HAN)
        Terminal_.objects.update(former_districts=[])  # as after a new enrolment
        version = line.pull(0).version
        stranger.active = False
        stranger.save_changed()
        stranger.district = "别处"
        stranger.save_changed()
        page = line.pull(version)
        assert (page.entries, page.removed, page.version) == ((), (), Person.roster_version())

    def test_somebody_of_nowhere_who_gets_a_district_leaves_the_others(self, line: Line, add_person) -> None:
        one = add_person(NUMBERS[0])
        _serve(line, HAN)
        version = line.pull(0).version
        one.district = JIN
        one.save_changed()
        assert line.pull(version).removed == (NUMBERS[0],)

    @pytest.mark.parametrize(("before", "after", "gone", "come"), [
        ((), (HAN,), {1}, set()),
        ((HAN,), (JIN,), {0}, {1}),
        ((HAN,), (), set(), {1}),
        ((HAN, JIN), (JIN,), {0}, set()),
    ])
    def test_another_area(self, line: Line, add_person, before, after, gone, come) -> None:
        for number, district in zip(NUMBERS, (HAN, JIN, ""), strict=False):
            add_person(number, district=district)
        _serve(line, *before)
        version = line.pull(0).version
        _serve(line, *after)
        page = line.pull(version)
        assert set(page.removed) == {NUMBERS[n] for n in gone}
        assert {entry.number for entry in page.entries} == {NUMBERS[n] for n in come}
        assert line.pull(page.version) is None

    def test_an_area_given_up_and_taken_again(self, line: Line, add_person) -> None:
        add_person(NUMBERS[0], district=HAN)
        version = line.pull(0).version
        for area in ((JIN,), (HAN,)):
            _serve(line, *area)
        page = line.pull(version)
        assert ([entry.number for entry in page.entries], page.removed) == ([NUMBERS[0]], ())

    def test_a_page_cut_off_by_a_change_of_area_misses_nobody(self, line: Line, add_person, monkeypatch) -> None:
        monkeypatch.setattr(pull_module, "PAGE", 1)
        for number, district in zip(NUMBERS, (HAN, JIN, JIN), strict=False):
            add_person(number, district=district)
        have: set[str] = set()
        page = line.pull(0)
        have |= {entry.number for entry in page.entries}
        _serve(line, JIN)
        while (page := line.pull(page.version)) is not None:
            have = (have - set(page.removed)) | {entry.number for entry in page.entries}
        assert have == {NUMBERS[1], NUMBERS[2]}

    def test_what_it_had_before_counts_from_its_enrolment_on(self, line: Line) -> None:
        from kiosk.office import enrolment
        from kiosk.sync.wire.models import EnrolRequest

        def former() -> list[str]:
            return Terminal_.objects.get(pk=line.terminal.id).former_districts

        TerminalKey.objects.all().delete()
        _serve(line, HAN)
        assert former() == []
        for area in (JIN, HAN):
            code = enrolment.issue_code(line.terminal.id, "含谷镇", "t")
            keys = {"signing_key": "ab" * 32, "sealing_key": "cd" * 32}
            assert enrolment.enrol(EnrolRequest(token=code.token, name="t", **keys))
            assert former() == []
            _serve(line, area)
            assert len(former()) == 1

    def test_the_same_area_again_is_no_change(self, line: Line, add_person) -> None:
        add_person(NUMBERS[0], district=HAN)
        assert set_districts(line.terminal.id, [HAN, " ", HAN], "t")
        version = Person.roster_version()
        assert not set_districts(line.terminal.id, [f" {HAN} "], "t")
        assert Person.roster_version() == version
        entry = AuditEntry.objects.filter(action=AuditEntry.Action.DISTRICTS_CHANGED).get()
        assert entry.detail == {"before": "", "after": HAN}

    def test_a_name_too_long(self, line: Line) -> None:
        with pytest.raises(ValueError, match="too long"):
            _serve(line, "村" * 81)


@pytest.mark.django_db
def test_a_change_while_a_page_is_made_comes_with_the_next_one(line: Line, add_person, monkeypatch) -> None:
    """The page's version is read first: what happens afterwards is above it."""
    add_person(NUMBERS[0], district=HAN)
    real = pull_module.area_of

    def changed_meanwhile(terminal):
        area = real(terminal)
        monkeypatch.setattr(pull_module, "area_of", real)
        _serve(line, JIN)
        return area

    monkeypatch.setattr(pull_module, "area_of", changed_meanwhile)
    page = line.pull(0)
    assert page.version < Person.roster_version()
    assert line.pull(page.version).removed == (NUMBERS[0],)


@pytest.mark.django_db
def test_the_desk_sets_the_area(line: Line, client, officer, add_person) -> None:
    add_person(NUMBERS[0], district=HAN)
    address = f"/desk/office/terminal/{line.terminal.id}/districts/"
    assert client.post(address, {"district": HAN}).status_code == 403
    officer.groups.set([Group.objects.get(name="主管")])
    page = client.get(f"/desk/office/terminal/{line.terminal.id}/change/").content.decode()
    assert f'value="{HAN}"' in page and "保存整个名册" in page
    assert client.post(address, {"district": [HAN], "more": f"{JIN}、 "}).status_code == 302
    assert Terminal_.objects.get(pk=line.terminal.id).districts == sorted([HAN, JIN])
    assert client.post("/desk/office/terminal/ZZ99/districts/", {}).status_code == 404
    assert client.get(address).status_code == 405
