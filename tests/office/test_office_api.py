"""Every answer of the office to a PUT: what is kept, what is signed, what is only a network fault."""

from __future__ import annotations

import shutil
import uuid
from collections import namedtuple

import pytest
from townhall import NUMBER, Line, Terminal, body

from kiosk.office.models import AuditEntry, Case, Envelope, TerminalKey, WrittenOnce
from kiosk.sync.wire import http
from kiosk.sync.wire.envelope import digest
from kiosk.sync.wire.models import ALGORITHM, AckLevel, Receipt, Refusal
from kiosk.sync.wire.signing import Context


def _refused(line: Line, answer, status: int, code: str, case_id: str, data: bytes) -> None:
    assert answer.status_code == status
    assert line.terminal.proves(Context.REFUSAL, answer.content, answer.headers[http.REFUSAL_SIGNATURE])
    refusal = Refusal.model_validate_json(answer.content)
    assert (refusal.code, refusal.id, refusal.sha256) == (code, case_id, digest(data).hex())


def _unsigned(answer) -> bool:
    return not {http.RECEIPT_SIGNATURE, http.REFUSAL_SIGNATURE} & set(answer.headers)


def test_a_new_case_gets_a_signed_receipt(line: Line) -> None:
    case_id, data = line.terminal.envelope(body())
    answer = line.put(data, case_id)
    assert answer.status_code == 201
    assert line.terminal.proves(Context.RECEIPT, answer.content, answer.headers[http.RECEIPT_SIGNATURE])
    receipt = Receipt.model_validate_json(answer.content)
    assert (receipt.id, receipt.sha256, receipt.level) == (case_id, digest(data).hex(), AckLevel.COMMITTED)
    assert bytes(Envelope.objects.get().raw) == data
    assert Envelope.objects.get().terminal.last_seen is not None


def test_the_same_bytes_again_get_the_same_receipt(line: Line) -> None:
    case_id, data = line.terminal.envelope(body())
    first, again = line.put(data, case_id), line.put(data, case_id)
    assert again.status_code == 200
    assert (again.content, again.headers[http.RECEIPT_SIGNATURE]) == (first.content, first.headers[http.RECEIPT_SIGNATURE])
    assert Envelope.objects.count() == 1


def test_other_bytes_under_the_same_id_are_a_conflict(line: Line) -> None:
    case_id, data = line.terminal.envelope(body())
    line.put(data, case_id)
    _, other = line.terminal.envelope(body(), id=case_id)
    _refused(line, line.put(other, case_id), 409, "conflict", case_id, other)
    assert bytes(Envelope.objects.get().raw) == data
    assert AuditEntry.objects.get().action == AuditEntry.Action.CONFLICT


def test_a_second_id_for_one_seq_is_a_clone(line: Line) -> None:
    case_id, data = line.terminal.envelope(body(), seq=5)
    line.put(data, case_id)
    other_id, other = line.terminal.envelope(body(), seq=5)
    _refused(line, line.put(other, other_id), 409, "seq", other_id, other)
    assert Envelope.objects.get().pk == case_id
    assert AuditEntry.objects.get().action == AuditEntry.Action.CLONE


def test_unknown_terminal(line: Line) -> None:
    case_id, data = line.terminal.envelope(body(), kiosk="ZZ99")
    _refused(line, line.put(data, case_id), 403, "device", case_id, data)
    assert not Envelope.objects.exists()


def test_revoked_terminal(line: Line) -> None:
    from kiosk.office.enrolment import revoke

    revoke(line.terminal.id, "t")
    case_id, data = line.terminal.envelope(body())
    _refused(line, line.put(data, case_id), 403, "device", case_id, data)


def test_unknown_epoch_is_no_known_terminal(line: Line) -> None:
    case_id, data = line.terminal.envelope(body(), epoch=2)
    _refused(line, line.put(data, case_id), 403, "device", case_id, data)


def test_what_was_sealed_before_a_new_enrolment_is_still_taken(line: Line) -> None:
    case_id, data = line.terminal.envelope(body())
    key = TerminalKey.objects.get()
    key.pk, key.epoch, key.signing_key = None, 2, "11" * 32
    key.save()
    assert line.put(data, case_id).status_code == 201


def test_signature_of_another_terminal(line: Line) -> None:
    case_id, data = line.terminal.envelope(body())
    _refused(line, line.put(data, case_id, Terminal().signature(data)), 422, "invalid", case_id, data)


@pytest.mark.parametrize("signature", ["zz", "00" * 64, "é"])
def test_nonsense_for_a_signature(line: Line, signature: str) -> None:
    case_id, data = line.terminal.envelope(body())
    _refused(line, line.put(data, case_id, signature.encode().decode("latin-1")), 422, "invalid", case_id, data)


def test_algorithm_not_allowed(line: Line) -> None:
    case_id, data = line.terminal.envelope(body())
    data = data.replace(ALGORITHM.encode(), b"n" * len(ALGORITHM))
    _refused(line, line.put(data, case_id), 422, "invalid", case_id, data)


def test_id_other_than_the_address(line: Line) -> None:
    _, data = line.terminal.envelope(body())
    other = str(uuid.uuid4())
    _refused(line, line.put(data, other), 422, "invalid", other, data)


@pytest.mark.parametrize("data", [b"", b"\0\0\0", b"\0\0\0\x50" + b"{" * 80, b"x" * 5000])
def test_no_envelope_at_all(line: Line, data: bytes) -> None:
    other = str(uuid.uuid4())
    _refused(line, line.put(data, other), 422, "invalid", other, data)


@pytest.mark.parametrize("changes", [
    {"schema_version": 4}, {"schema_name": "other"}, {"schema_name": "enrolment", "schema_version": 2}, {"v": 2},
    {"kid": "0" * 16},
])
def test_what_is_not_known_yet_is_held(line: Line, changes: dict[str, object]) -> None:
    from kiosk.office import intake

    case_id, data = line.terminal.envelope(b"a body of the future", **changes)
    answer = line.put(data, case_id)
    assert answer.status_code == 202
    assert line.terminal.proves(Context.RECEIPT, answer.content, answer.headers[http.RECEIPT_SIGNATURE])
    assert Receipt.model_validate_json(answer.content).level is AckLevel.HELD
    assert line.put(data, case_id).content == answer.content
    assert intake.open_due() == 0
    assert Envelope.objects.get().level == AckLevel.HELD


def test_a_lost_signature_header_is_a_network_fault(line: Line) -> None:
    case_id, data = line.terminal.envelope(body())
    answer = line.put(data, case_id, "")
    assert answer.status_code == 400
    assert _unsigned(answer)


def test_a_full_disk_is_no_refusal(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(1, 1, 1))
    case_id, data = line.terminal.envelope(body())
    answer = line.put(data, case_id)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
    assert _unsigned(answer)
    assert not Envelope.objects.exists()


def test_unsigned_answers_of_the_framework(line: Line) -> None:
    assert _unsigned(line.client.put("/v1/cases/no-uuid", b"", content_type=http.ENVELOPE_TYPE))
    assert _unsigned(line.client.get("/v1/nothing"))
    too_long = line.put(b"x" * 1_300_000, str(uuid.uuid4()))
    assert too_long.status_code == 400
    assert _unsigned(too_long)


def test_what_was_received_cannot_be_changed_or_deleted(line: Line) -> None:
    case_id, data = line.terminal.envelope(body())
    line.put(data, case_id)
    envelope = Envelope.objects.get()
    for attempt in (envelope.save, envelope.delete, Envelope.objects.all().delete, lambda: Envelope.objects.update(digest="0")):
        with pytest.raises(WrittenOnce):
            attempt()


def test_health(line: Line) -> None:
    assert line.client.get("/healthz").status_code == 200


def test_nothing_personal_in_the_log(line: Line, caplog: pytest.LogCaptureFixture) -> None:
    line.hand_in()
    assert Case.objects.get().number == NUMBER
    assert NUMBER not in caplog.text
