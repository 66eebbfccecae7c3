"""Enrolment: the office's signature or nothing, keys kept, secrets nowhere but in the encrypted file."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

import pytest
from drafts import report
from office_stub import NAME, NOW, NUMBER, OfficeStub, make_draft
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from kiosk.domain.case import CaseReceipt
from kiosk.domain.decision import FaceEvidence
from kiosk.domain.document import CardKind
from kiosk.domain.short_code import make_short_code
from kiosk.domain.trouble import HandInTrouble
from kiosk.store import audit
from kiosk.store.cases import CaseStore, SubmitFailed
from kiosk.store.outbox import Outbox
from kiosk.store.roster import Roster
from kiosk.sync.enrol import EnrolFailed, enrol, enrol_short
from kiosk.sync.identity import Identity, drop_proven_keys, earlier_keys, load_identity
from kiosk.sync.pictures import PHOTO_BYTES_MAX
from kiosk.sync.sealer import EnvelopeSealer
from kiosk.sync.wire.enrolment import token_of
from kiosk.sync.wire.envelope import digest, open_envelope, parse_header
from kiosk.sync.wire.http import ENVELOPE_BYTES_MAX
from kiosk.sync.wire.keys import key_id, private_hex, public_hex, signing_public
from kiosk.sync.wire.models import CaseBody, EnvelopeHeader
from kiosk.sync.wire.signing import Context, verify

ENROLMENT = dict(connect_s=2.0, total_s=2.0)


def sealed(engine: Engine, office: OfficeStub, case_id: str) -> tuple[EnvelopeHeader, CaseBody, bytes, str]:
    with engine.connect() as connection:
        data, signature = connection.exec_driver_sql("SELECT sealed, signature FROM cases WHERE id = ?", (case_id,)).one()
    header, body = open_envelope(data, office.sealing)
    return header, CaseBody.model_validate_json(body), data, signature


def test_enrolling(engine: Engine, office: OfficeStub) -> None:
    assert load_identity(engine) is None
    identity = enrol(engine, office.code, "bench", **ENROLMENT)
    assert isinstance(identity, Identity)
    assert (identity.terminal_id, identity.site, identity.epoch, identity.office_url) == ("HG07", "含谷镇", 1, office.url)
    assert office.terminal is not None and office.terminal.signing_key == public_hex(identity.signing_key.public_key())
    again = load_identity(engine)
    assert again is not None and private_hex(again.sealing_key) == private_hex(identity.sealing_key)
    assert private_hex(identity.signing_key) not in repr(identity)
    with Session(engine) as session, session.begin():
        assert audit.verify(session) is None and audit.head(session).n == 1


@pytest.mark.parametrize(("fate", "reason"), [
    ("portal", "not_the_office"), ("stranger", "not_the_office"), ("for_another", "not_the_office"),
    ("forbidden", "refused_403"), ("cut", "no_answer"),
])
def test_nothing_is_stored_without_the_offices_word(engine: Engine, office: OfficeStub, fate: str, reason: str) -> None:
    office.enrol_fate = fate
    assert enrol(engine, office.code, "bench", **ENROLMENT) == EnrolFailed(reason)
    assert load_identity(engine) is None


def test_no_office_there(engine: Engine, office: OfficeStub) -> None:
    code = office.code
    office.close()
    assert enrol(engine, code, "bench", **ENROLMENT) == EnrolFailed("no_connection")


def test_a_code_is_not_sent_in_the_clear(engine: Engine, office: OfficeStub) -> None:
    code = office.code.model_copy(update={"url": "http://office.example"})
    assert enrol(engine, code, "bench", **ENROLMENT) == EnrolFailed("needs_https")


def test_a_failed_second_enrolment_keeps_the_first(engine: Engine, office: OfficeStub, identity: Identity) -> None:
    office.enrol_fate = "forbidden"
    assert enrol(engine, office.code, "bench", **ENROLMENT) == EnrolFailed("refused_403")
    kept = load_identity(engine)
    assert kept is not None and kept.epoch == identity.epoch


def test_enrolling_again_makes_new_keys_and_asks_for_the_roster_anew(
    engine: Engine, office: OfficeStub, identity: Identity,
) -> None:
    Roster(engine).apply([], [], after=0, version=5, replace=True)
    again = enrol(engine, office.code, "bench", **ENROLMENT)
    assert isinstance(again, Identity)
    assert again.epoch == 2 and private_hex(again.signing_key) != private_hex(identity.signing_key)
    assert earlier_keys(engine) == (), "nothing sealed under the old ones waits"
    assert Roster(engine).version() == 0


@pytest.fixture
def digits(office: OfficeStub) -> str:
    short = make_short_code()
    office.token = token_of(short)
    return short


def test_a_short_code_brings_the_offices_keys_with_it(engine: Engine, office: OfficeStub, digits: str) -> None:
    identity = enrol_short(engine, digits, office.url, "bench", **ENROLMENT)
    assert isinstance(identity, Identity)
    assert (identity.terminal_id, identity.office_url) == ("HG07", office.url)
    assert public_hex(identity.office_sealing) == public_hex(office.sealing.public_key())


@pytest.mark.parametrize(("fate", "reason"), [
    ("portal", "not_the_office"), ("stranger", "not_the_office"), ("for_another", "not_the_office"),
    ("forbidden", "refused_403"), ("locked", "locked"), ("cut", "no_answer"),
])
def test_who_does_not_know_the_token_cannot_plant_keys(
    engine: Engine, office: OfficeStub, digits: str, fate: str, reason: str,
) -> None:
    office.enrol_fate = fate
    assert enrol_short(engine, digits, office.url, "bench", **ENROLMENT) == EnrolFailed(reason)
    assert load_identity(engine) is None


def test_a_short_code_that_is_none_is_not_sent(engine: Engine, office: OfficeStub, digits: str) -> None:
    mistyped = ("1" if digits[0] == "0" else "0") + digits[1:]
    assert enrol_short(engine, mistyped, office.url, "bench", **ENROLMENT) == EnrolFailed("not_a_code")
    assert enrol_short(engine, digits, None, "bench", **ENROLMENT) == EnrolFailed("no_office_url")
    assert enrol_short(engine, digits, "http://office.example", "bench", **ENROLMENT) == EnrolFailed("needs_https")
    assert office.terminal is None


def test_a_lost_answer_is_asked_for_with_the_same_keys(engine: Engine, office: OfficeStub, digits: str) -> None:
    office.enrol_fate = "lost"
    assert enrol_short(engine, digits, office.url, "bench", **ENROLMENT) == EnrolFailed("no_answer")
    first, office.enrol_fate = office.terminal, "good"
    assert isinstance(enrol_short(engine, digits, office.url, "bench", **ENROLMENT), Identity)
    assert first is not None and office.terminal == first


def test_old_keys_go_when_everything_sealed_under_them_is_proven(
    engine: Engine, office: OfficeStub, identity: Identity,
) -> None:
    receipt = CaseStore(engine, 0).submit(make_draft(), EnvelopeSealer(engine, simulated=True), NOW)
    assert isinstance(receipt, CaseReceipt)
    enrol(engine, office.code, "bench", **ENROLMENT)
    assert [(one.epoch, one.signing_key) for one in earlier_keys(engine)] == [(1, private_hex(identity.signing_key))]
    drop_proven_keys(engine)
    assert earlier_keys(engine)
    Outbox(engine, 1, 60).acked(receipt.case_id, "committed", b"{}", "00", NOW)
    drop_proven_keys(engine)
    assert earlier_keys(engine) == ()


# ------------------------------------------------------------------------------- sealing


def test_before_enrolment_no_case_is_taken(engine: Engine) -> None:
    failed = CaseStore(engine, 0).submit(make_draft(), EnvelopeSealer(engine, simulated=True), NOW)
    assert failed == SubmitFailed(HandInTrouble.STORE_FAILED, "not_enrolled")


def test_a_sealed_case(engine: Engine, office: OfficeStub, identity: Identity) -> None:
    receipt = CaseStore(engine, 0).submit(make_draft(), EnvelopeSealer(engine, simulated=True), NOW)
    assert isinstance(receipt, CaseReceipt)
    header, body, data, signature = sealed(engine, office, receipt.case_id)
    assert verify(Context.TXN, digest(data), signature, identity.signing_key.public_key())
    assert (header.id, header.kiosk, header.epoch, header.seq) == (receipt.case_id, "HG07", 1, 1)
    assert header.day == dt.date(2026, 11, 23)
    assert header.kid == key_id(office.sealing.public_key())
    assert (header.audit.n, header.created, header.consent) == (1, NOW, "2026-11")  # entry 1 is the enrolment
    assert (body.person.number, body.person.name, body.case_number) == (NUMBER, NAME, receipt.case_number)
    assert body.attempts[0].photos == (b"\xff\xd8photo",) and body.simulated
    assert (body.due, body.due_confirmed) == (dt.date(2027, 10, 31), False)


@pytest.mark.parametrize(("kind", "version"), [(CardKind.RESIDENT, 1), (CardKind.SOCIAL_SECURITY, 2)])
def test_only_what_is_new_asks_for_a_newer_office(
    engine: Engine, office: OfficeStub, identity: Identity, kind: CardKind, version: int
) -> None:
    draft = make_draft()
    draft = dataclasses.replace(draft, card=dataclasses.replace(draft.card, kind=kind))
    receipt = CaseStore(engine, 0).submit(draft, EnvelopeSealer(engine, simulated=True), NOW)
    assert isinstance(receipt, CaseReceipt)
    header, body, _, _ = sealed(engine, office, receipt.case_id)
    assert (header.schema_version, body.person.document) == (version, kind)


def test_the_next_case_pins_the_one_before(engine: Engine, office: OfficeStub, identity: Identity) -> None:
    store, sealer = CaseStore(engine, 0), EnvelopeSealer(engine, simulated=False)
    for repeat in (0, 1):
        receipt = store.submit(make_draft(repeat), sealer, NOW)
    assert isinstance(receipt, CaseReceipt)
    header, body, _, _ = sealed(engine, office, receipt.case_id)
    with engine.connect() as connection:
        link: bytes = connection.exec_driver_sql("SELECT link FROM audit WHERE n = ?", (header.audit.n,)).scalar_one()
    assert (header.seq, header.audit.n, header.audit.link, body.simulated) == (2, 2, link.hex(), False)


def test_too_many_photographs_still_fit_into_one_request(engine: Engine, office: OfficeStub, identity: Identity) -> None:
    def tried(byte: bytes) -> FaceEvidence:
        return FaceEvidence(float("nan"), 5, 0, report(), "engine", (byte * (PHOTO_BYTES_MAX // 3),) * 2)

    draft = make_draft()
    object.__setattr__(draft, "attempts", (tried(b"1"), tried(b"2"), tried(b"3")))
    in_one = EnvelopeSealer(engine, simulated=True, part_bytes=ENVELOPE_BYTES_MAX)
    receipt = CaseStore(engine, 0).submit(draft, in_one, NOW)
    assert isinstance(receipt, CaseReceipt)
    _, body, data, _ = sealed(engine, office, receipt.case_id)
    assert len(data) < ENVELOPE_BYTES_MAX
    assert [len(one.photos) for one in body.attempts] == [0, 1, 2]
    assert (body.photos_left_out, body.attempts[0].distance) == (3, None)


def test_a_new_enrolment_holds_for_a_sealer_already_made(engine: Engine, office: OfficeStub, identity: Identity) -> None:
    sealer = EnvelopeSealer(engine, simulated=True)
    enrol(engine, office.code, "bench", **ENROLMENT)
    receipt = CaseStore(engine, 0).submit(make_draft(), sealer, NOW)
    assert isinstance(receipt, CaseReceipt)
    assert sealed(engine, office, receipt.case_id)[0].epoch == 2


def test_the_files_show_neither_person_nor_secret(engine: Engine, office: OfficeStub, identity: Identity, database: Path) -> None:
    CaseStore(engine, 0).submit(make_draft(), EnvelopeSealer(engine, simulated=True), NOW)
    CaseStore(engine, 0).find_person(NUMBER, dt.date(2026, 11, 23))
    raw = b"".join(path.read_bytes() for path in database.parent.iterdir())
    engine.dispose()
    raw += b"".join(path.read_bytes() for path in database.parent.iterdir())
    assert len(raw) > 50_000
    wanted = [NUMBER, NAME, "photo", private_hex(identity.signing_key), "business_key", "HG07"]
    for form in ("utf-8", "utf-16-le", "gbk"):
        assert not [word for word in wanted if word.encode(form) in raw]
    assert signing_public(office.code.signing_key).public_bytes_raw() not in raw


def test_a_terminal_cannot_open_what_it_sealed(engine: Engine, identity: Identity) -> None:
    receipt = CaseStore(engine, 0).submit(make_draft(), EnvelopeSealer(engine, simulated=True), NOW)
    assert isinstance(receipt, CaseReceipt)
    with engine.connect() as connection:
        data: bytes = connection.exec_driver_sql("SELECT sealed FROM cases").scalar_one()
    assert parse_header(data).id == receipt.case_id
    with pytest.raises(Exception, match="cannot be opened"):
        open_envelope(data, identity.sealing_key)
