"""Pieces of large cases at the office: kept by digest, believed by signature, opened only when all are there."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import uuid
from collections import namedtuple
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone
from machine import Machine
from townhall import NUMBER, Line, Terminal, body

from kiosk.domain.case import CaseReceipt
from kiosk.office import audit, intake, parts
from kiosk.office.models import AuditEntry, Case, Envelope, EnvelopePart, OpeningFailure, TerminalKey, WrittenOnce
from kiosk.store.cases import CaseStore
from kiosk.sync.sealer import EnvelopeSealer
from kiosk.sync.wire import http
from kiosk.sync.wire.envelope import parse_header, seal_in_pieces
from kiosk.sync.wire.keys import public_hex, sealing_public
from kiosk.sync.wire.models import Receipt, Refusal
from kiosk.sync.wire.parts import PartReceipt, part_digest
from kiosk.sync.wire.signing import Context, sign

SIZE = 300
CASE_ID = "01890a5d-ac96-774b-bcce-b302099a8057"


def large(terminal: Terminal, **changes: object) -> tuple[str, bytes, tuple[bytes, ...]]:
    """A case in several pieces: id, envelope, pieces."""
    header = terminal.header(**changes)
    data, pieces = seal_in_pieces(header, body().to_json(), sealing_public(terminal.office_sealing), SIZE)
    assert len(pieces) > 2
    return header.id, data, pieces


def put_piece(line: Line, piece: bytes, case_id: str = CASE_ID, address: str | None = None, **headers: str) -> Any:
    sha256 = part_digest(piece)
    signature = sign(Context.PART, bytes.fromhex(sha256), line.terminal.signing)
    sent = {http.KIOSK: line.terminal.id, http.CASE: case_id, http.SIGNATURE: signature} | headers
    kept = {name: value for name, value in sent.items() if value}
    return line.client.put(http.part_path(address or sha256), piece, content_type=http.ENVELOPE_TYPE, headers=kept)


def _taken(line: Line, answer: Any, status: int, case_id: str, piece: bytes) -> None:
    assert answer.status_code == status, answer.content
    assert line.terminal.proves(Context.PART_RECEIPT, answer.content, answer.headers[http.PART_SIGNATURE])
    receipt = PartReceipt.model_validate_json(answer.content)
    assert (receipt.case, receipt.sha256) == (case_id, part_digest(piece))


def _refused(line: Line, answer: Any, status: int, code: str, piece: bytes) -> None:
    assert answer.status_code == status, answer.content
    assert line.terminal.proves(Context.REFUSAL, answer.content, answer.headers[http.REFUSAL_SIGNATURE])
    refusal = Refusal.model_validate_json(answer.content)
    assert (refusal.code, refusal.id, refusal.sha256) == (code, CASE_ID, part_digest(piece))


def _unsigned(answer: Any) -> bool:
    return not {http.PART_SIGNATURE, http.RECEIPT_SIGNATURE, http.REFUSAL_SIGNATURE} & set(answer.headers)


# ------------------------------------------------------------------------------- a whole case


def test_a_case_in_pieces_is_opened(line: Line) -> None:
    case_id, data, pieces = large(line.terminal)
    for piece in pieces:
        _taken(line, put_piece(line, piece, case_id), 201, case_id, piece)
    answer = line.put(data, case_id)
    assert answer.status_code == 201 and http.MISSING not in answer.headers
    assert intake.open_due() == 1
    assert Case.objects.get().number == NUMBER
    envelope = Envelope.objects.get()
    assert (bytes(envelope.raw), envelope.pieces, envelope.day) == (data, len(pieces), dt.date(2026, 11, 23))


def test_with_a_piece_missing_it_waits_and_is_no_failure(line: Line) -> None:
    case_id, data, pieces = large(line.terminal)
    for piece in (pieces[0], *pieces[2:]):
        put_piece(line, piece, case_id)
    answer = line.put(data, case_id)
    assert answer.status_code == 201
    assert line.terminal.proves(Context.RECEIPT, answer.content, answer.headers[http.RECEIPT_SIGNATURE])
    assert answer.headers[http.MISSING] == part_digest(pieces[1])
    assert intake.open_due() == 0 and not OpeningFailure.objects.exists()
    assert parts.missing(parse_header(data)) == (part_digest(pieces[1]),)
    _taken(line, put_piece(line, pieces[1], case_id), 201, case_id, pieces[1])
    assert intake.open_due() == 1 and Case.objects.get().pk == case_id
    again = line.put(data, case_id)
    assert (again.status_code, again.content, http.MISSING in again.headers) == (200, answer.content, False)


def test_the_case_before_its_pieces_and_they_in_any_order(line: Line) -> None:
    case_id, data, pieces = large(line.terminal)
    answer = line.put(data, case_id)
    assert answer.headers[http.MISSING].split(",") == [part_digest(piece) for piece in pieces][:16]
    for piece in reversed(pieces):
        assert intake.open_due() == 0
        put_piece(line, piece, case_id)
    assert intake.open_due() == 1


def test_the_last_piece_wakes_the_opener(line: Line) -> None:
    intake.wake.clear()
    put_piece(line, b"x")
    assert intake.wake.is_set()


def test_no_header_grows_beyond_what_proxies_pass_on(line: Line) -> None:
    header = line.terminal.header()
    data, pieces = seal_in_pieces(header, bytes(6000), sealing_public(line.terminal.office_sealing), 100)
    assert len(pieces) > 60
    answer = line.put(data, header.id)
    assert answer.headers[http.MISSING].split(",") == [part_digest(piece) for piece in pieces[:16]]


def test_pieces_of_another_case_do_not_count(line: Line) -> None:
    case_id, data, _ = large(line.terminal)
    _, _, pieces = large(line.terminal)
    for piece in pieces:
        put_piece(line, piece, case_id)
    line.put(data, case_id)
    assert intake.open_due() == 0 and len(parts.missing(parse_header(data))) == len(pieces)


def test_from_the_terminal_onto_the_desk(machine: Machine) -> None:
    from drafts import ENGINE, make_enrolment

    draft = make_enrolment(photo=os.urandom(9_000))
    sealer = EnvelopeSealer(machine.engine, simulated=False, part_bytes=4096)
    receipt = CaseStore(machine.engine, 0).submit(draft, sealer, draft.captured_at)
    assert isinstance(receipt, CaseReceipt)
    with machine.engine.connect() as connection:
        pieces = connection.exec_driver_sql("SELECT body FROM part ORDER BY position").scalars().all()
        sealed, signature = connection.exec_driver_sql("SELECT sealed, signature FROM cases").one()
    assert len(pieces) > 8 and max(map(len, pieces)) == 4096 and len(sealed) < 2000
    for piece in pieces:
        assert put_piece(machine.line, piece, receipt.case_id).status_code == 201
    assert machine.line.put(sealed, receipt.case_id, signature).status_code == 201
    assert intake.open_due() == 1
    opened = Envelope.objects.get(pk=receipt.case_id).faceenrolment
    assert opened.engine == ENGINE and [bytes(one.jpeg) for one in opened.captures.all()] == [
        capture.photo for capture in draft.evidence.captures
    ]


# ------------------------------------------------------------------------------- each piece


def test_the_same_piece_again_changes_nothing(line: Line) -> None:
    _taken(line, put_piece(line, b"piece"), 201, CASE_ID, b"piece")
    first = EnvelopePart.objects.get()
    _taken(line, put_piece(line, b"piece"), 200, CASE_ID, b"piece")
    again = EnvelopePart.objects.get()
    assert (again.received, bytes(again.raw), again.terminal.last_seen is None) == (first.received, b"piece", False)
    with pytest.raises(WrittenOnce):
        again.save()
    with pytest.raises(WrittenOnce):
        EnvelopePart.objects.all().delete()


def test_other_bytes_under_a_digest(line: Line) -> None:
    answer = put_piece(line, b"other", address=part_digest(b"piece"))
    _refused(line, answer, 422, "invalid", b"other")
    assert not EnvelopePart.objects.exists()


def test_the_same_bytes_for_another_case(line: Line) -> None:
    put_piece(line, b"piece", str(uuid.uuid4()))
    _refused(line, put_piece(line, b"piece"), 409, "conflict", b"piece")
    assert EnvelopePart.objects.get().case_id != CASE_ID


def test_nothing_is_no_piece(line: Line) -> None:
    _refused(line, put_piece(line, b""), 422, "invalid", b"")


def test_as_long_as_allowed_and_one_more(line: Line) -> None:
    assert put_piece(line, bytes(http.PART_BYTES_MAX)).status_code == 201
    answer = put_piece(line, bytes(http.PART_BYTES_MAX + 1))
    assert answer.status_code == 413 and _unsigned(answer)
    assert EnvelopePart.objects.count() == 1


@pytest.mark.parametrize("headers", [{http.KIOSK: ""}, {http.CASE: ""}, {http.SIGNATURE: ""}, {http.CASE: "../../x"}])
def test_lost_headers_are_a_network_fault(line: Line, headers: dict[str, str]) -> None:
    answer = put_piece(line, b"piece", **headers)
    assert answer.status_code == 400 and _unsigned(answer) and not EnvelopePart.objects.exists()


@pytest.mark.parametrize("address", ["0" * 63, "A" * 64, "x"])
def test_an_address_that_is_no_digest(line: Line, address: str) -> None:
    answer = put_piece(line, b"piece", address=address)
    assert answer.status_code == 400 and _unsigned(answer)


@pytest.mark.parametrize("headers", [{http.KIOSK: "ZZ99"}, {http.SIGNATURE: "00" * 64}, {http.SIGNATURE: "zz"}])
def test_who_signs_it_must_be_known(line: Line, headers: dict[str, str]) -> None:
    _refused(line, put_piece(line, b"piece", **headers), 403, "device", b"piece")
    assert not EnvelopePart.objects.exists()


def test_a_signature_of_another_kind_proves_nothing(line: Line) -> None:
    signature = sign(Context.TXN, bytes.fromhex(part_digest(b"piece")), line.terminal.signing)
    _refused(line, put_piece(line, b"piece", **{http.SIGNATURE: signature}), 403, "device", b"piece")


def test_revoked_and_renewed(line: Line) -> None:
    from kiosk.office.enrolment import revoke

    newer = Terminal(signing=Terminal().signing)
    key = TerminalKey.objects.get()
    key.pk, key.epoch, key.signing_key = None, 2, public_hex(newer.signing.public_key())
    key.save()
    assert put_piece(line, b"by the old key").status_code == 201  # its answer with the new one may have been lost
    sha256 = bytes.fromhex(part_digest(b"by the new key"))
    signature = sign(Context.PART, sha256, newer.signing)
    assert put_piece(line, b"by the new key", **{http.SIGNATURE: signature}).status_code == 201
    revoke(line.terminal.id, "t")
    _refused(line, put_piece(line, b"piece"), 403, "device", b"piece")


def test_a_full_disk_takes_nothing(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(1, 1, 1))
    answer = put_piece(line, b"piece")
    assert (answer.status_code, "Retry-After" in answer.headers, _unsigned(answer)) == (503, True, True)
    assert not EnvelopePart.objects.exists()


def test_a_busy_database_promises_nothing(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: object) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(parts, "keep", busy)
    answer = put_piece(line, b"piece")
    assert (answer.status_code, _unsigned(answer)) == (503, True)


# ------------------------------------------------------------------------------- sweeping


def _age(days: int, **which: object) -> None:
    from django.db import models

    models.QuerySet(EnvelopePart).filter(**which).update(received=timezone.now() - dt.timedelta(days=days))


def test_pieces_nobody_names_go_after_thirty_days(line: Line) -> None:
    case_id, data, pieces = large(line.terminal)
    for piece in pieces:
        put_piece(line, piece, case_id)
    line.put(data, case_id)
    put_piece(line, b"unnamed, old")
    _age(31)
    put_piece(line, b"unnamed, young")
    _age(29, sha256=part_digest(b"unnamed, young"))
    assert parts.sweep(timezone.now()) == 1
    assert {one.case_id for one in EnvelopePart.objects.all()} == {case_id, CASE_ID}
    entry = AuditEntry.objects.get(action=AuditEntry.Action.ERASED)
    assert (entry.subject, entry.detail) == ("unnamed_pieces", {"count": 1}) and audit.first_broken_link() is None
    assert parts.sweep(timezone.now()) == 0 and AuditEntry.objects.count() == 1
    assert intake.open_due() == 1


def test_what_was_swept_comes_again_when_its_case_does(line: Line) -> None:
    case_id, data, pieces = large(line.terminal)
    for piece in pieces:
        put_piece(line, piece, case_id)
    _age(31)
    assert parts.sweep(timezone.now()) == len(pieces)
    answer = line.put(data, case_id)
    assert Receipt.model_validate_json(answer.content).id == case_id
    assert answer.headers[http.MISSING].split(",") == [part_digest(piece) for piece in pieces][:16]
