"""Opening envelopes: everybody gets onto the list, and what cannot be opened stays in sight."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone
from townhall import JPEG, NAME, NUMBER, Line, body

from kiosk.domain.decision import Outcome
from kiosk.domain.document import CardKind
from kiosk.domain.liveness import Liveness
from kiosk.office import intake, opened
from kiosk.office.models import Case, OpeningFailure, Photo
from kiosk.sync.wire.face import AttemptBody
from kiosk.sync.wire.models import PersonBody


def attempt(**changes: object) -> AttemptBody:
    fields = {"distance": 0.47, "frames": 5, "templates": 2, "liveness": Liveness.PASSED, "engine": "e"}
    return AttemptBody.model_validate(fields | changes)


def test_a_case_as_handed_in(line: Line, add_person) -> None:
    add_person()
    case = Case.objects.get(pk=line.hand_in(due=dt.date(2027, 10, 31), repeat=1))
    assert (case.name, case.number, case.case_number, case.repeat) == (NAME, NUMBER, "HG01-20261123-000001", 1)
    assert (case.state, case.version, case.category, case.terminal_id) == ("pending", 1, "", "HG01")
    assert case.consent_scopes and set(case.consent_scopes) == {"match", "send_photo"}
    (one,) = case.attempts.all()
    assert (one.position, one.distance, one.frames, one.templates) == (1, 0.47, 5, 2)
    assert bytes(Photo.objects.get().jpeg) == JPEG


def test_the_officer_sees_which_document_it_was(line: Line) -> None:
    person = PersonBody(document=CardKind.SOCIAL_SECURITY, number=NUMBER, name=NAME, category="unknown", in_roster=False)
    line.hand_in(person=person)
    assert Case.objects.get().get_document_display() == "社会保障卡（没有身份证）"


def test_an_unknown_person_is_queued_too(line: Line) -> None:
    assert Case.objects.get(pk=line.hand_in()).cause == Case.Cause.UNLISTED


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"outcome": Outcome.PASSED}, Case.Cause.CONFIRM),
        ({}, Case.Cause.UNSURE),
        ({"attempts": (attempt(templates=0, distance=None),)}, Case.Cause.NO_PORTRAIT),
        ({"attempts": (attempt(liveness=Liveness.NOT_DONE), attempt(liveness=Liveness.FAILED))}, Case.Cause.NO_LIVENESS),
        ({"attempts": ()}, Case.Cause.NO_PORTRAIT),
    ],
)
def test_why_an_officer_looks(line: Line, add_person, changes: dict[str, object], cause: Case.Cause) -> None:
    add_person()
    assert Case.objects.get(pk=line.hand_in(**changes)).cause == cause


def test_a_case_is_opened_once(line: Line) -> None:
    line.hand_in()
    assert intake.open_due() == 0
    assert Case.objects.count() == 1


def test_what_cannot_be_opened_stays_in_sight_and_is_tried_again(line: Line) -> None:
    case_id, data = line.terminal.envelope(b"{}")
    assert line.put(data, case_id).status_code == 201
    before = timezone.now()
    assert intake.open_due() == 0
    failure = OpeningFailure.objects.get()
    assert (failure.pk, failure.reason, failure.failures) == (case_id, "form", 1)
    assert failure.next_try > before + dt.timedelta(seconds=50)
    assert intake.open_due() == 0
    assert OpeningFailure.objects.get().failures == 1  # not due yet
    OpeningFailure.objects.update(next_try=before)
    intake.open_due()
    assert OpeningFailure.objects.get().failures == 2


def test_one_bad_envelope_does_not_stop_the_others(line: Line) -> None:
    bad_id, bad = line.terminal.envelope(b"not json")
    line.put(bad, bad_id)
    good_id, good = line.terminal.envelope(body())
    line.put(good, good_id)
    assert intake.open_due() == 1
    assert Case.objects.get().pk == good_id


def test_a_broken_seal_is_kept_with_its_reason(line: Line) -> None:
    case_id, data = line.terminal.envelope(body())
    line.put(data[:-1] + bytes([data[-1] ^ 1]), case_id)  # signed as it is: the terminal itself sealed rubbish
    intake.open_due()
    assert OpeningFailure.objects.get().reason == "sealed"


def test_a_bug_is_contained_and_gone_once_mended(line: Line, monkeypatch, caplog) -> None:
    case_id, data = line.terminal.envelope(body())
    line.put(data, case_id)
    with monkeypatch.context() as broken:
        broken.setattr(opened, "_cause", lambda content: {}[content.person.name])
        assert intake.open_due() == 0
    assert OpeningFailure.objects.get().reason == "internal"
    assert "KeyError" in caplog.text
    assert NAME not in caplog.text
    assert not Case.objects.exists()
    OpeningFailure.objects.update(next_try=timezone.now())
    assert intake.open_due() == 1
    assert not OpeningFailure.objects.exists()
