"""Models of the wire: JSON and back, newer senders, hidden personal data; enrolment code; sealed pulls."""

from __future__ import annotations

import datetime as dt
import math

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from kiosk.domain.case import Item
from kiosk.domain.consent import ConsentScope
from kiosk.domain.decision import Outcome
from kiosk.domain.document import CardKind
from kiosk.domain.liveness import Liveness
from kiosk.sync.wire.enrolment import EnrolmentCode, EnrolmentCodeError
from kiosk.sync.wire.envelope import EnvelopeError
from kiosk.sync.wire.face import AttemptBody, TemplateBody
from kiosk.sync.wire.models import (
    CaseBody,
    ConsentBody,
    PersonBody,
    Receipt,
    RosterEntryBody,
    RosterPull,
)
from kiosk.sync.wire.pull import open_pull, seal_pull, sign_unchanged, verify_unchanged

NUMBER, NAME = "999901195001010026", "张测试"
NOW = dt.datetime(2026, 11, 23, 9, 0, tzinfo=dt.UTC)
PHOTO = b"\xff\xd8\x00\xfb\xff"
PERSON = PersonBody(
    document=CardKind.RESIDENT, number=NUMBER, name=NAME, birth=dt.date(1950, 1, 1), category="居保", in_roster=True,
)
BODY = CaseBody(
    item=Item.CERTIFICATION, case_number="HG01-20261123-000001", outcome=Outcome.PASSED, person=PERSON,
    consent=ConsentBody(scopes=(ConsentScope.MATCH, ConsentScope.SEND_PHOTO), text_version="2026-11", given_at=NOW),
    attempts=(AttemptBody(distance=0.31, frames=5, templates=3, liveness=Liveness.PASSED, engine="e", photos=(PHOTO,)),),
    captured_at=NOW, due=dt.date(2027, 10, 31), due_confirmed=False, repeat=0, simulated=True,
)
CODE = EnrolmentCode(url="https://office.example:8443", token="ab" * 20, signing_key="cd" * 32, sealing_key="ef" * 32)


def test_case_body_survives_json() -> None:
    assert CaseBody.model_validate_json(BODY.to_json()) == BODY


def test_fields_of_a_newer_sender_are_ignored() -> None:
    newer = BODY.to_json().replace(b'{"item"', b'{"invented":[1],"item"', 1)
    assert CaseBody.model_validate_json(newer) == BODY


def test_a_try_of_an_older_terminal_and_a_template_of_an_older_office_still_open() -> None:
    old = b'{"distance":0.3,"frames":5,"templates":2,"liveness":"passed","engine":"e","photos":["/9g="]}'
    told = AttemptBody.model_validate_json(old)
    assert (told.report, told.clip, told.foreign, told.photos) == (None, (), 0, (b"\xff\xd8",))
    template = TemplateBody.model_validate_json(b'{"engine":"e","vector":[0.5]}')
    assert (template.source, template.taken_on) == ("portrait", None)


def test_personal_data_shows_neither_in_repr_nor_in_errors() -> None:
    shown = repr(BODY) + repr(CODE)
    wrong = BODY.to_json().replace(b'"resident"', b'"nothing"').replace(NUMBER.encode(), NUMBER.encode() * 2)
    with pytest.raises(ValidationError) as failure:
        CaseBody.model_validate_json(wrong)
    shown += str(failure.value)
    assert not [secret for secret in (NUMBER, NAME, "1950", "abab") if secret in shown]


def test_not_a_number_is_no_distance() -> None:
    with pytest.raises(ValidationError):
        AttemptBody(distance=math.nan, frames=0, templates=0, liveness=Liveness.NOT_DONE, engine="e")


def test_a_receipt_needs_a_time_zone() -> None:
    text = (
        '{"id":"01890a5d-ac96-774b-bcce-b302099a8057","sha256":"' + "0" * 64 + '",'
        '"received":"2026-01-01T00:00:00","level":"committed","kid":"k"}'
    )
    with pytest.raises(ValidationError):
        Receipt.model_validate_json(text)
    assert Receipt.model_validate_json(text.replace('00:00:00"', '00:00:00Z"'))


def test_enrolment_code_survives_pasting() -> None:
    text = CODE.encode()
    assert EnrolmentCode.decode(text) == CODE
    assert EnrolmentCode.decode(f"  {text[:40]}\n {text[40:]}\n") == CODE


@given(st.data())
def test_a_mistyped_or_cut_enrolment_code_is_noticed(data: st.DataObject) -> None:
    text = CODE.encode()
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.characters(codec="ascii").filter(lambda c: c not in text[place] + "="))
    for damaged in (text[:place], text[:place] + other + text[place + 1 :]):
        try:
            assert EnrolmentCode.decode(damaged) == CODE  # the last character has bits that mean nothing
        except EnrolmentCodeError as error:
            assert CODE.token not in str(error)


@given(st.text())
def test_any_text_is_no_enrolment_code(text: str) -> None:
    with pytest.raises(EnrolmentCodeError):
        EnrolmentCode.decode("KIOSK1." + text)


def test_pull_is_for_one_terminal_and_from_one_office() -> None:
    terminal, office, other = X25519PrivateKey.generate(), Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    template = TemplateBody(engine="e", vector=(0.1, 0.2))
    entry = RosterEntryBody(number=NUMBER, name=NAME, category="居保", next_due=None, templates=(template,))
    pull = RosterPull(after=0, version=4, replace=True, more=False, entries=(entry,))
    data, signature = seal_pull(pull, "HG01", terminal.public_key(), office)
    trusted = (other.public_key(), office.public_key())

    assert open_pull(data, signature, "HG01", terminal, trusted) == pull
    assert NUMBER.encode() not in data
    assert NUMBER not in repr(pull)
    for args in (
        (data, signature, "HG02", terminal, trusted),
        (data, signature, "HG01", X25519PrivateKey.generate(), trusted),
        (data, signature, "HG01", terminal, (other.public_key(),)),
        (data + b"x", signature, "HG01", terminal, trusted),
        (data, "", "HG01", terminal, trusted),
    ):
        with pytest.raises(EnvelopeError):
            open_pull(*args)


def test_nothing_new_is_the_offices_word_for_one_request() -> None:
    office = Ed25519PrivateKey.generate()
    signature = sign_unchanged("ab" * 16, office)
    assert verify_unchanged("ab" * 16, signature, (office.public_key(),))
    assert not verify_unchanged("cd" * 16, signature, (office.public_key(),))
    assert not verify_unchanged("ab" * 16, signature, (Ed25519PrivateKey.generate().public_key(),))
    assert not verify_unchanged("ab" * 16, "", (office.public_key(),))
