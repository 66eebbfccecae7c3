"""Letting terminals in: once, in time, and only with the code."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone
from townhall import Line, Terminal, body

from kiosk.office import enrolment
from kiosk.office.models import AuditEntry, EnrolmentToken, TerminalKey
from kiosk.sync.wire import http
from kiosk.sync.wire.enrolment import EnrolmentCode
from kiosk.sync.wire.keys import public_hex
from kiosk.sync.wire.models import EnrolAnswer, EnrolRequest
from kiosk.sync.wire.signing import Context


def _ask(client, code: EnrolmentCode, terminal: Terminal):
    request = EnrolRequest(
        token=code.token, name="一号机", signing_key=public_hex(terminal.signing.public_key()),
        sealing_key=public_hex(terminal.sealing.public_key()),
    )
    return client.post(http.ENROL_PATH, request.to_json(), content_type=http.JSON_TYPE)


@pytest.mark.django_db
def test_from_code_to_first_case(client) -> None:
    code = EnrolmentCode.decode(enrolment.issue_code("HG07", "含湖村", "t").encode())
    terminal = Terminal(office_signing=code.signing_key, office_sealing=code.sealing_key)
    answer = _ask(client, code, terminal)
    assert answer.status_code == 200
    assert terminal.proves(Context.ENROL, answer.content, answer.headers[http.ENROL_SIGNATURE])
    enrolled = EnrolAnswer.model_validate_json(answer.content)
    assert (enrolled.terminal_id, enrolled.site, enrolled.epoch) == ("HG07", "含湖村", 1)
    assert enrolled.signing_key == public_hex(terminal.signing.public_key())
    assert enrolled.office.sealing == code.sealing_key
    assert enrolled.office.signing == (code.signing_key,)
    terminal.id = "HG07"
    line = Line(terminal, client)
    assert line.hand_in()
    assert [entry.action for entry in AuditEntry.objects.order_by("n")] == ["code_issued", "enrolled"]


@pytest.mark.django_db
def test_a_code_works_once(client) -> None:
    code = enrolment.issue_code("HG07", "含湖村", "t")
    assert _ask(client, code, Terminal()).status_code == 200
    answer = _ask(client, code, Terminal())
    assert (answer.status_code, http.ENROL_SIGNATURE in answer.headers) == (403, False)
    assert TerminalKey.objects.count() == 1


@pytest.mark.django_db
def test_a_code_ends_after_half_an_hour(client) -> None:
    code = enrolment.issue_code("HG07", "含湖村", "t")
    assert EnrolmentToken.objects.get().expires - timezone.now() <= dt.timedelta(minutes=30)
    EnrolmentToken.objects.update(expires=timezone.now() - dt.timedelta(seconds=1))
    assert _ask(client, code, Terminal()).status_code == 403


@pytest.mark.django_db
def test_a_code_nobody_issued(client) -> None:
    code = enrolment.issue_code("HG07", "含湖村", "t")
    assert _ask(client, code.model_copy(update={"token": "0" * 40}), Terminal()).status_code == 403


@pytest.mark.django_db
def test_the_office_keeps_only_the_digest(client) -> None:
    code = enrolment.issue_code("HG07", "含湖村", "t")
    assert code.token not in str(EnrolmentToken.objects.values())


@pytest.mark.django_db
@pytest.mark.parametrize("data", [b"", b"{}", b'{"token": 1}', b"\xff"])
def test_nonsense(client, data: bytes) -> None:
    assert client.post(http.ENROL_PATH, data, content_type=http.JSON_TYPE).status_code == 422


@pytest.mark.django_db
@pytest.mark.parametrize(("terminal_id", "site"), [("hg", "x"), ("H", "x"), ("HG0123456", "x"), ("HG01\n", "x"), ("HG01", "")])
def test_a_bad_id_or_site_is_named(terminal_id: str, site: str) -> None:
    with pytest.raises(ValidationError):
        enrolment.issue_code(terminal_id, site, "t")


def test_enrolling_anew_after_a_revocation(line: Line, client) -> None:
    assert enrolment.revoke(line.terminal.id, "t")
    assert not enrolment.revoke(line.terminal.id, "t")
    code = enrolment.issue_code(line.terminal.id, "新地点", "t")
    fresh = Terminal(office_signing=code.signing_key, office_sealing=code.sealing_key)
    assert EnrolAnswer.model_validate_json(_ask(client, code, fresh).content).epoch == 2
    fresh.epoch = 2
    assert Line(fresh, client).hand_in()
    case_id, data = line.terminal.envelope(body())
    assert line.put(data, case_id).status_code == 403


def test_revoking_ends_an_unused_code(line: Line, client) -> None:
    code = enrolment.issue_code(line.terminal.id, "x", "t")
    enrolment.revoke(line.terminal.id, "t")
    assert _ask(client, code, Terminal()).status_code == 403
