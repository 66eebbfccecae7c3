"""Letting terminals in: once, in time, and only with the code."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import Permission
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone
from townhall import Line, Terminal, body

from kiosk.domain.short_code import is_short_code
from kiosk.office import enrolment
from kiosk.office.guesses import Guesses, guesses
from kiosk.office.models import AuditEntry, EnrolmentToken, TerminalKey
from kiosk.sync.wire import enrolment as wire
from kiosk.sync.wire import http
from kiosk.sync.wire.clock import TimeAnswer
from kiosk.sync.wire.enrolment import EnrolmentCode
from kiosk.sync.wire.envelope import digest
from kiosk.sync.wire.keys import public_hex
from kiosk.sync.wire.models import EnrolAnswer, EnrolRequest
from kiosk.sync.wire.signing import Context, sign


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


# ------------------------------------------------------------------------------- proofs, the short code, guessing


@pytest.fixture(autouse=True)
def _nobody_guessed() -> Iterator[None]:
    guesses.forget()
    yield
    guesses.forget()


def _proven(terminal: Terminal, token: str, **changes: str) -> tuple[bytes, str]:
    fields = {
        "token_sha256": wire.token_digest(token), "name": "一号机", "signing_key": public_hex(terminal.signing.public_key()),
        "sealing_key": public_hex(terminal.sealing.public_key()),
    }
    data = wire.ProvenEnrolRequest.model_validate(fields | changes).to_json()
    return data, wire.request_proof(wire.proof_key(token), data)


def _post(client, data: bytes, proof: str):
    return client.post(http.ENROL_PATH, data, content_type=http.JSON_TYPE, headers={http.ENROL_PROOF: proof})


@pytest.mark.django_db
def test_a_short_code_proves_both_sides(client) -> None:
    codes = enrolment.issue_codes("HG07", "含湖村", "t")
    assert is_short_code(codes.short) and wire.token_of(codes.short) == codes.long.token
    assert codes.short not in repr(codes) and codes.long.token not in repr(codes)
    terminal, key = Terminal(), wire.proof_key(codes.long.token)
    answer = _post(client, *_proven(terminal, codes.long.token))
    assert answer.status_code == 200
    assert answer.headers[http.ENROL_PROOF] == wire.answer_proof(key, answer.content)
    told = EnrolAnswer.model_validate_json(answer.content)
    assert (told.terminal_id, told.epoch, told.office.sealing) == ("HG07", 1, codes.long.sealing_key)
    assert _ask(client, codes.long, Terminal()).status_code == 403, "the long code was the same secret"


@pytest.mark.django_db
def test_the_same_keys_again_get_the_same_answer(client) -> None:
    token = enrolment.issue_codes("HG07", "含湖村", "t").long.token
    data, proof = _proven(Terminal(), token)
    first, second = _post(client, data, proof), _post(client, data, proof)
    assert (first.content, second.status_code, second.content) == (first.content, 200, first.content)
    assert TerminalKey.objects.count() == 1
    assert _post(client, *_proven(Terminal(), token)).status_code == 403
    enrolment.revoke("HG07", "t")
    assert _post(client, data, proof).status_code == 403
    EnrolmentToken.objects.update(expires=timezone.now() - dt.timedelta(seconds=1))
    enrolment.issue_code("HG08", "含湖村", "t")
    assert EnrolmentToken.objects.get(terminal="HG07").proof_key == "", "nothing is kept of a code that is past"


@pytest.mark.django_db
def test_who_reads_along_cannot_enrol_keys_of_his_own(client) -> None:
    token = enrolment.issue_codes("HG07", "含湖村", "t").long.token
    data, proof = _proven(Terminal(), token)
    other, _ = _proven(Terminal(), token)
    assert _post(client, other, proof).status_code == 403
    assert _post(client, other, wire.request_proof(bytes.fromhex(wire.token_digest(token)), other)).status_code == 403
    assert _post(client, data, proof).status_code == 200


@pytest.mark.django_db
def test_after_ten_wrong_ones_no_code_is_looked_at(client) -> None:
    token = enrolment.issue_codes("HG07", "含湖村", "t").long.token
    for n in range(10):
        assert _post(client, *_proven(Terminal(), f"{n:040x}")).status_code == 403
    locked = _post(client, *_proven(Terminal(), token))
    assert locked.status_code == 429 and 0 < int(locked.headers["Retry-After"]) <= 600
    assert http.ENROL_SIGNATURE not in locked.headers and not TerminalKey.objects.exists()
    guesses.forget()
    assert _post(client, *_proven(Terminal(), token)).status_code == 200


def test_the_lock_ends_by_time() -> None:
    now = 0.0
    one = Guesses(lambda: now)
    for n in range(10):
        now = n * 10.0
        one.wrong()
    assert one.locked_s() == 510
    now = 600.0
    assert one.locked_s() == 0
    one.wrong()
    assert one.locked_s() == 10, "ten in the ten minutes before"


@pytest.mark.django_db
def test_the_time_is_signed_for_whoever_asked(client, terminal: Terminal) -> None:
    answer = client.get(http.TIME_PATH, headers={http.NONCE: "ab" * 16})
    assert terminal.proves(Context.TIME, answer.content, answer.headers[http.TIME_SIGNATURE])
    told = TimeAnswer.model_validate_json(answer.content)
    assert told.nonce == "ab" * 16 and abs(told.now - timezone.now()) < dt.timedelta(minutes=1)
    assert client.get(http.TIME_PATH).status_code == 400


@pytest.mark.parametrize(
    "vouch", ["", "HG01", "HG01 1", "HG01 2 zz", "HG99 1 " + "00" * 64, "HG01 x " + "00" * 64, "  ", "\u4e00"],
)
def test_a_word_that_is_none_lets_nothing_in(line: Line, vouch: str) -> None:
    case_id, data = line.terminal.envelope(body())
    enrolment.revoke(line.terminal.id, "t")
    headers = {http.SIGNATURE: line.terminal.signature(data), http.VOUCH: vouch}
    answer = line.client.put(http.case_path(case_id), data, content_type=http.ENVELOPE_TYPE, headers=headers)
    assert answer.status_code == 403


def test_only_a_newer_enrolment_stands_up_for_a_case(line: Line, client) -> None:
    old = line.terminal
    case_id, data = old.envelope(body())
    enrolment.revoke(old.id, "t")
    fresh, stranger = Terminal(epoch=2), Terminal(epoch=2)
    assert _post(client, *_proven(fresh, enrolment.issue_code(old.id, "x", "t").token)).status_code == 200

    def put(word: str, signature: str = old.signature(data)) -> int:
        headers = {http.SIGNATURE: signature, http.VOUCH: word}
        return client.put(http.case_path(case_id), data, content_type=http.ENVELOPE_TYPE, headers=headers).status_code

    def word(by: Terminal, context: Context = Context.VOUCH) -> str:
        return f"{old.id} 2 {sign(context, digest(data), by.signing)}"

    assert put(word(stranger)) == put(word(old)) == put(word(fresh, Context.TXN)) == 403
    assert put(word(fresh), fresh.signature(data)) == 422, "it must be what the ended enrolment signed"
    assert put(word(fresh)) == 201 and put(word(fresh)) == 200


# ------------------------------------------------------------------------------- on the desk


def test_the_codes_are_shown_once(client, officer) -> None:
    officer.user_permissions.add(Permission.objects.get(codename="enrol_terminal"))
    address = reverse("admin:office_terminal_enrol")
    page = client.post(address, {"id": "HG09", "site": "含湖村"})
    text = page.content.decode()
    long = re.search(r"KIOSK1\.[A-Za-z0-9_-]+", text)
    short = re.search(r"(?:\d{4} ){4}\d{4}", text)
    assert long and short and "no-store" in page.headers["Cache-Control"]
    assert wire.token_of(short[0].replace(" ", "")) == EnrolmentCode.decode(long[0]).token
    svg = re.search(r'src="(data:image/svg[^"]+)"', text)
    assert svg is not None and "KIOSK1." not in client.get(address).content.decode()
