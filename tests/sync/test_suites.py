"""The two suites: what they give, that nothing bends, and that the header's name decides how a body is opened."""

from __future__ import annotations

import datetime as dt
import struct
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hmac import HMAC
from hypothesis import given, settings
from hypothesis import strategies as st
from office_stub import NOW, OfficeStub, make_draft
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from kiosk.config import Suite
from kiosk.domain.case import CaseReceipt
from kiosk.store import audit
from kiosk.store.cases import CaseStore
from kiosk.store.hashes import choose
from kiosk.store.models import AuditRow, CaseRow
from kiosk.sync.identity import Identity
from kiosk.sync.sealer import EnvelopeSealer
from kiosk.sync.wire.envelope import EnvelopeError, open_body, open_bytes, open_envelope, parse_header, seal, seal_in_pieces
from kiosk.sync.wire.keys import key_id, sealing_private
from kiosk.sync.wire.models import ALGORITHM, AuditHead, EnvelopeHeader
from kiosk.sync.wire.suites import HPKE, SM, SUITES, CannotOpen

OFFICE = sealing_private(bytes(range(1, 33)).hex())
PUBLIC = OFFICE.public_key()
SM_VECTOR = bytes.fromhex(
    "0d1de3e3095417851fe9d3c3333a197edffc1d99614643998e0368412f2e0629b8cb3eb8"
    "b561529e2213dcee0a27384d74beef75fa7ccdaed84c932a6061864be6fefa6b17f16b82"
)
"""`{"kind":"survival_cert"}` for the key above under info `info`; made once by this code."""


def header(alg: str) -> EnvelopeHeader:
    return EnvelopeHeader(
        alg=alg, kid=key_id(PUBLIC), id="01890a5d-ac96-774b-bcce-b302099a8057", kiosk="HG01", epoch=1, seq=7,
        day=dt.date(2026, 11, 23), created=dt.datetime(2026, 11, 23, 1, 2, 3, tzinfo=dt.UTC), boot="boot", mono_ms=5,
        audit=AuditHead(n=3, link="ab" * 32), consent="2026-11",
    )


def test_names_and_published_hash_values() -> None:
    assert list(SUITES) == [HPKE, SM] == [ALGORITHM, "x25519-hkdfsm3-sm4gcm+ed25519"]
    sm3 = hashes.Hash(hashes.SM3())
    sm3.update(b"abc")
    assert sm3.finalize().hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"


def test_the_sm_construction_stays_what_it_is() -> None:
    assert SUITES[SM].open(SM_VECTOR, OFFICE, b"info") == b'{"kind":"survival_cert"}'


def test_the_sm_construction_written_out() -> None:
    """HKDF as RFC 5869 has it, step by step."""
    from cryptography.hazmat.primitives.ciphers import Cipher
    from cryptography.hazmat.primitives.ciphers.algorithms import SM4
    from cryptography.hazmat.primitives.ciphers.modes import GCM

    def hmac(key: bytes, message: bytes) -> bytes:
        made = HMAC(key, hashes.SM3())
        made.update(message)
        return made.finalize()

    point, text, tag = SM_VECTOR[:32], SM_VECTOR[32:-16], SM_VECTOR[-16:]
    extracted = hmac(SM.encode(), OFFICE.exchange(X25519PublicKey.from_public_bytes(point)))
    okm = hmac(extracted, point + PUBLIC.public_bytes_raw() + b"info" + b"\x01")
    cipher = Cipher(SM4(okm[:16]), GCM(okm[16:28], tag)).decryptor()
    assert cipher.update(text) + cipher.finalize() == b'{"kind":"survival_cert"}'


@pytest.mark.parametrize("alg", SUITES)
@given(body=st.binary(max_size=2000), info=st.binary(max_size=200))
@settings(max_examples=25)
def test_what_is_sealed_is_opened(alg: str, body: bytes, info: bytes) -> None:
    sealed = SUITES[alg].seal(body, PUBLIC, info)
    assert len(sealed) == len(body) + 48
    assert SUITES[alg].open(sealed, OFFICE, info) == body
    assert SUITES[alg].seal(body, PUBLIC, info) != sealed


@pytest.mark.parametrize("alg", SUITES)
def test_another_key_another_info_another_suite(alg: str) -> None:
    sealed = SUITES[alg].seal(b"body", PUBLIC, b"info")
    other = next(name for name in SUITES if name != alg)
    for attempt in (
        lambda: SUITES[alg].open(sealed, X25519PrivateKey.generate(), b"info"),
        lambda: SUITES[alg].open(sealed, OFFICE, b"inf0"), lambda: SUITES[alg].open(sealed, OFFICE, b""),
        lambda: SUITES[other].open(sealed, OFFICE, b"info"),
    ):
        with pytest.raises(CannotOpen):
            attempt()


@given(st.integers(0, len(SM_VECTOR) * 8 - 1))
def test_every_flipped_bit_is_noticed(bit: int) -> None:
    """But the top bit of the point, which X25519 ignores; it is part of what the key is made of, so it is noticed too."""
    damaged = bytearray(SM_VECTOR)
    damaged[bit // 8] ^= 1 << bit % 8
    with pytest.raises(CannotOpen):
        SUITES[SM].open(bytes(damaged), OFFICE, b"info")


@given(st.binary(max_size=120))
def test_any_bytes_raise_cannot_open_only(data: bytes) -> None:
    for one in SUITES.values():
        with pytest.raises(CannotOpen):
            one.open(data, OFFICE, b"info")


@pytest.mark.parametrize(
    "point", ["00" * 32, "01" + "00" * 31, "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"],
)
def test_low_order_points_are_refused(point: str) -> None:
    with pytest.raises(CannotOpen):
        SUITES[SM].open(bytes.fromhex(point) + b"y" * 32, OFFICE, b"info")


@pytest.mark.parametrize("alg", SUITES)
def test_the_header_says_how_to_open(alg: str) -> None:
    sealed = seal(header(alg), b"the body", PUBLIC)
    assert open_envelope(sealed, OFFICE) == (header(alg), b"the body") and open_body(sealed, OFFICE) == b"the body"
    envelope, pieces = seal_in_pieces(header(alg), b"the body" * 100, PUBLIC, 300)
    assert open_envelope(envelope, OFFICE, pieces)[1] == b"the body" * 100 and len(pieces) == 3


@pytest.mark.parametrize("alg", SUITES)
def test_a_header_that_names_the_other_suite_opens_nothing(alg: str) -> None:
    other = next(name for name in SUITES if name != alg)
    sealed = seal(header(alg), b"the body", PUBLIC)
    head = header(other).to_json()
    swapped = struct.pack(">I", len(head)) + head + sealed[4 + len(header(alg).to_json()):]
    with pytest.raises(EnvelopeError):
        open_envelope(swapped, OFFICE)


def test_an_unknown_suite_is_an_envelope_error() -> None:
    with pytest.raises(EnvelopeError):
        seal(header("rot13"), b"", PUBLIC)
    with pytest.raises(EnvelopeError):
        open_bytes(b"x" * 64, OFFICE, b"", "rot13")
    head = header("rot13").to_json()
    with pytest.raises(EnvelopeError):
        open_body(struct.pack(">I", len(head)) + head + b"x" * 64, OFFICE)


# --------------------------------------------------------------------------- a terminal that changes its suite


def test_a_switch_in_the_middle_leaves_one_chain_and_one_case(
    engine: Engine, identity: Identity, office: OfficeStub, database: Path,
) -> None:
    """The chain goes on, old rows stay readable, and the same wish as before the switch is still the same case."""
    store = CaseStore(engine, 0)
    first = store.submit(make_draft(), EnvelopeSealer(engine, simulated=True), NOW)
    choose(engine, Suite.SM)
    store = CaseStore(engine, 0)
    sealer = EnvelopeSealer(engine, simulated=True, suite=Suite.SM)
    assert store.submit(make_draft(), sealer, NOW) == first
    second = store.submit(make_draft(repeat=1), sealer, NOW)
    assert isinstance(second, CaseReceipt) and store.submit(make_draft(repeat=1), sealer, NOW) == second
    assert store.find_person(make_draft().card.number, NOW.date()).cases_this_period == 2
    choose(engine, Suite.INTERNATIONAL)
    store = CaseStore(engine, 0)
    assert store.submit(make_draft(repeat=1), EnvelopeSealer(engine, simulated=True), NOW) == second
    with Session(engine) as session, session.begin():
        assert [row.alg for row in session.query(AuditRow).order_by(AuditRow.n)] == ["sha256", "sha256", "sm3"]
        assert sorted(len(row.business_key) for row in session.query(CaseRow)) == [16, 17]
        assert audit.examine(session).breaks == ()
        sealed = {row.id: row.sealed for row in session.query(CaseRow)}
    assert parse_header(sealed[second.case_id]).alg == SM
    for one in sealed.values():
        assert open_envelope(one, office.sealing)[1].startswith(b'{"item"')
