"""What an older office could not read: held as it is, taken for committed once it is understood, and nothing else moves."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from django.conf import settings
from django.test import Client
from django.urls import reverse
from townhall import Line, body

from kiosk.office import held, intake, keys, signed
from kiosk.office.models import Case, Envelope, EnvelopePromotion, WrittenOnce
from kiosk.sync.wire import http
from kiosk.sync.wire.envelope import digest, seal
from kiosk.sync.wire.keys import key_id, private_hex
from kiosk.sync.wire.models import AckLevel, Receipt
from kiosk.sync.wire.signing import Context


@pytest.fixture
def older(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """The office knows no case of today; calling it upgrades."""
    monkeypatch.setattr("kiosk.office.held._SCHEMAS", {"certification": 0})
    return lambda: monkeypatch.setattr("kiosk.office.held._SCHEMAS", {"certification": 3})


def _receipt(line: Line, answer, status: int, level: AckLevel, data: bytes) -> Receipt:
    assert answer.status_code == status
    assert line.terminal.proves(Context.RECEIPT, answer.content, answer.headers[http.RECEIPT_SIGNATURE])
    receipt = Receipt.model_validate_json(answer.content)
    assert (receipt.level, receipt.sha256) == (level, digest(data).hex())
    return receipt


def test_after_an_upgrade_it_is_committed_and_opened(line: Line, older: Callable[[], None]) -> None:
    case_id, data = line.terminal.envelope(body())
    first = _receipt(line, line.put(data, case_id), 202, AckLevel.HELD, data)
    assert (held.promote(), intake.open_due()) == (0, 0)
    older()
    assert (held.promote(), held.promote()) == (1, 0)
    assert intake.open_due() == 1 and Case.objects.get().pk == case_id
    fresh = _receipt(line, line.put(data, case_id), 200, AckLevel.COMMITTED, data)
    assert (fresh.id, fresh.received) == (case_id, first.received)
    assert line.put(data, case_id).content == fresh.to_json()
    assert EnvelopePromotion.objects.count() == 1


def test_what_was_received_is_untouched(line: Line, older: Callable[[], None]) -> None:
    case_id, data = line.terminal.envelope(body())
    line.put(data, case_id)
    before = Envelope.objects.filter(pk=case_id).values().get()
    older()
    held.promote()
    line.put(data, case_id)
    assert Envelope.objects.filter(pk=case_id).values().get() == before
    assert (bytes(before["raw"]), before["level"]) == (data, "held")
    promotion = EnvelopePromotion.objects.get()
    for change in (
        Envelope.objects.get().save, Envelope.objects.get().delete, Envelope.objects.all().delete, promotion.save,
        promotion.delete, EnvelopePromotion.objects.all().delete,
    ):
        with pytest.raises(WrittenOnce):
            change()
    for rows in (Envelope.objects.all(), EnvelopePromotion.objects.all()):
        with pytest.raises(WrittenOnce):
            rows.update(receipt=b"")


def test_a_terminal_that_asks_before_anybody_looked(line: Line, older: Callable[[], None]) -> None:
    case_id, data = line.terminal.envelope(body())
    line.put(data, case_id)
    older()
    _receipt(line, line.put(data, case_id), 200, AckLevel.COMMITTED, data)
    assert intake.open_due() == 1


def test_what_is_still_not_understood_stays_held(line: Line, older: Callable[[], None]) -> None:
    case_id, data = line.terminal.envelope(b"of the future", schema_version=4)
    answer = line.put(data, case_id)
    older()
    assert held.promote() == 0 and intake.open_due() == 0
    again = line.put(data, case_id)
    assert (again.status_code, again.content) == (200, answer.content)


def test_a_key_that_is_found_again_opens_what_was_sealed_to_it(line: Line) -> None:
    other = X25519PrivateKey.generate()
    header = line.terminal.header(kid=key_id(other.public_key()))
    data = seal(header, body().to_json(), other.public_key())
    _receipt(line, line.put(data, header.id), 202, AckLevel.HELD, data)
    before = signed.office_keys()
    keys.keep_sealing(settings.OFFICE.data, private_hex(other))
    try:
        assert signed.office_keys() is not before  # by which the opener sees that it has to look
        assert held.promote() == 1
        assert intake.open_due() == 1 and Case.objects.get().pk == header.id
        _receipt(line, line.put(data, header.id), 200, AckLevel.COMMITTED, data)
    finally:
        (settings.OFFICE.data / f"sealing-{header.kid}.key").unlink()


def test_damage_found_at_promotion_is_a_failure_in_sight(line: Line, older: Callable[[], None]) -> None:
    from kiosk.office.models import OpeningFailure

    case_id, data = line.terminal.envelope(b"{}")
    line.put(data, case_id)
    older()
    assert held.promote() == 1 and intake.open_due() == 0
    assert OpeningFailure.objects.get().reason == "form"


def test_the_opener_looks_at_what_is_held_when_it_starts(
    line: Line, older: Callable[[], None], monkeypatch: pytest.MonkeyPatch,
) -> None:
    case_id, data = line.terminal.envelope(body())
    line.put(data, case_id)
    older()
    stop, looks, promoted = threading.Event(), [], []
    monkeypatch.setattr(intake, "close_old_connections", lambda: None)  # the test's own connection
    opened, promote = intake.open_due, held.promote

    def open_due() -> int:
        looks.append(opened())
        intake.wake.set()
        if len(looks) == 2:
            stop.set()
        return looks[-1]

    monkeypatch.setattr(intake, "open_due", open_due)
    monkeypatch.setattr(held, "promote", lambda: promoted.append(promote()))
    intake.run(stop)
    assert (looks, promoted) == ([1, 0], [1])
    assert Case.objects.get().pk == case_id


def test_the_desk_shows_it(line: Line, older: Callable[[], None], admin_client: Client) -> None:
    case_id, data = line.terminal.envelope(body())
    line.put(data, case_id)
    address = reverse("admin:office_envelope_changelist")
    assert "暂存" in admin_client.get(address).content.decode()
    older()
    held.promote()
    text = admin_client.get(address).content.decode()
    assert "改为收妥" in admin_client.get(reverse("admin:office_envelope_change", args=[case_id])).content.decode()
    assert "改为收妥" in text and "2026年" in text.split("field-understood")[1][:80]


def test_nothing_else_is_promoted(line: Line) -> None:
    line.hand_in()
    assert held.promote() == 0 and not EnvelopePromotion.objects.exists()
