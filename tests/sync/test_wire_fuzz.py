"""Bytes from the wire and from sticks, odd but well made: every parser raises what its docstring says, and nothing else."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from office_stub import NOW
from pydantic import ValidationError

from kiosk.sync.wire.bundle import BundleHead, BundleReader, BundleWriter, Kind, Origin
from kiosk.sync.wire.enrolment import EnrolmentCode, EnrolmentCodeError
from kiosk.sync.wire.envelope import EnvelopeError, digest, open_envelope, parse_header, seal_bytes, seal_in_pieces
from kiosk.sync.wire.keys import public_hex
from kiosk.sync.wire.models import AuditHead, EnvelopeHeader, HeartbeatAnswer, Receipt, Refusal, RosterEntryBody, RosterPull
from kiosk.sync.wire.outcomes import OutcomesPull
from kiosk.sync.wire.parts import PartReceipt
from kiosk.sync.wire.pull import _info, open_outcomes, open_pull
from kiosk.sync.wire.reconcile import ReconcileAnswer
from kiosk.sync.wire.signing import Context, sign

sys.path.insert(0, str(Path(__file__).parents[1] / "office"))  # fuzz.py

import fuzz

OFFICE, STRANGER = Ed25519PrivateKey.from_private_bytes(b"o" * 32), Ed25519PrivateKey.from_private_bytes(b"s" * 32)
SEALING = X25519PrivateKey.from_private_bytes(b"x" * 32)
HEADER = EnvelopeHeader(
    kid="k", id="01890a5d-ac96-774b-bcce-b302099a8057", kiosk="HG01", epoch=1, seq=1, day=NOW.date(), created=NOW, boot="b",
    mono_ms=1, audit=AuditHead(n=0, link="0" * 64), consent="2026-11",
)
PAGE = RosterPull(
    after=0, version=3, replace=True, more=False,
    entries=(RosterEntryBody(number="999901194012310018", name="李样例", category="居保", next_due=None),),
)
CODE = EnrolmentCode(
    url="http://127.0.0.1:1", token="ab" * 20, signing_key="cd" * 32, sealing_key=public_hex(SEALING.public_key()),
)
ENVELOPE, PIECES = seal_in_pieces(HEADER, bytes(900), SEALING.public_key(), 300)
PREFIX = "KIOSK1."
few = settings(max_examples=150, deadline=None)


@few
@given(st.data())
def test_envelopes_and_pieces(data: st.DataObject) -> None:
    envelope = fuzz.envelope(ENVELOPE, data.draw(fuzz.twisted(fuzz.header_of(ENVELOPE))))
    pieces = data.draw(st.one_of(st.permutations(PIECES), st.lists(st.binary(max_size=9), max_size=4)))
    try:
        parse_header(envelope)
        open_envelope(envelope, SEALING, pieces)
    except EnvelopeError as error:
        assert "李" not in str(error) and len(str(error)) < 100


@few
@given(st.data())
def test_pull_pages_of_the_office(data: st.DataObject) -> None:
    """Signed and sealed as they should be, by an office that is newer or mad."""
    for kind, opens in ((RosterPull, open_pull), (OutcomesPull, open_outcomes)):
        page = data.draw(fuzz.twisted(PAGE.to_json()))
        sealed = seal_bytes(page, SEALING.public_key(), _info("HG01", kind))
        try:
            opens(sealed, sign(Context.PULL, digest(sealed), OFFICE), "HG01", SEALING, [OFFICE.public_key()])
        except EnvelopeError as error:
            assert len(str(error)) < 100
        with pytest.raises(EnvelopeError):
            opens(sealed, sign(Context.PULL, digest(sealed), STRANGER), "HG01", SEALING, [OFFICE.public_key()])


@few
@given(fuzz.twisted(CODE.to_json()), st.text(max_size=30), st.integers(0, 300))
def test_enrolment_codes(twist: bytes, text: str, cut: int) -> None:
    made = CODE.encode()
    assert made == _coded(CODE.to_json())
    for one in (text, made[:cut] + text + made[cut:], PREFIX + text, _coded(twist)):
        try:
            EnrolmentCode.decode(one)
        except EnrolmentCodeError as error:
            assert CODE.token not in str(error)


@few
@given(st.data())
def test_bundles(data: st.DataObject) -> None:
    """Any change of one byte, anywhere: records come out whole or not at all, and nothing is raised."""
    file = io.BytesIO()
    head = BundleHead(origin=Origin.TERMINAL, kiosk="HG01", epoch=1, id="0" * 32, made=NOW)
    writer = BundleWriter(file, head)
    writer.write(Kind.CASE, ENVELOPE, HEADER.id, "00" * 64)
    for piece in PIECES:
        writer.write(Kind.PART, piece, HEADER.id, "00" * 64)
    writer.end(OFFICE)
    raw = bytearray(file.getvalue())
    for _ in range(data.draw(st.integers(1, 3))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    reader = BundleReader(io.BytesIO(bytes(raw[: data.draw(st.integers(0, len(raw)))])))
    for record in reader:
        assert hashlib.sha256(record.body).hexdigest() == record.head.sha256


@few
@given(st.data(), st.sampled_from((Receipt, Refusal, PartReceipt, ReconcileAnswer, HeartbeatAnswer)))
def test_words_of_the_office(data: st.DataObject, kind: Any) -> None:
    told = json.dumps({
        "id": HEADER.id, "case": HEADER.id, "sha256": "0" * 64, "received": "2026-11-23T00:00:00Z", "level": "committed",
        "kid": "k", "code": "invalid", "nonce": "n", "backup": "", "days": [], "taken": True, "challenge": "",
    }).encode()
    with contextlib.suppress(ValidationError):
        kind.model_validate_json(data.draw(fuzz.twisted(told)))


def _coded(data: bytes) -> str:
    """With a good check sum."""
    return PREFIX + base64.urlsafe_b64encode(hashlib.sha256(data).digest()[:4] + data).decode().rstrip("=")
