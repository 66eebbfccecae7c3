"""The envelope: published vectors, every damage noticed, no exception but EnvelopeError on any bytes."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import struct

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from kiosk.sync.wire.envelope import EnvelopeError, digest, open_body, open_envelope, parse_header, seal
from kiosk.sync.wire.keys import key_id, public_hex, sealing_private, signing_private
from kiosk.sync.wire.models import AuditHead, EnvelopeHeader
from kiosk.sync.wire.signing import Context, request_message, sign, verify

DEVICE_SEED = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
OFFICE = sealing_private(bytes(range(1, 33)).hex())
VECTOR_HEADER = (
    b'{"alg":"hpke-x25519-hkdfsha256-aes256gcm+ed25519","id":"01890a5d-ac96-774b-bcce-b302099a8057",'
    b'"kiosk":"kiosk-0001","seq":1,"v":1}'
)
VECTOR_CIPHERTEXT = bytes.fromhex(
    "6ceea7c3d10772de4117d2f6a98005a1e9d1c36be60cee09fd0514e2f1e9aa79371b21b0279f3471a4dcde21a2481769"
    "73020fa50a78211bce7e52ad19a3242d4952e5cc4e459150"
)
VECTOR = struct.pack(">I", len(VECTOR_HEADER)) + VECTOR_HEADER + VECTOR_CIPHERTEXT

HEADER = EnvelopeHeader(
    kid=key_id(OFFICE.public_key()), id="01890a5d-ac96-774b-bcce-b302099a8057", kiosk="HG01", epoch=1, seq=7,
    day=dt.date(2026, 11, 23), created=dt.datetime(2026, 11, 23, 1, 2, 3, tzinfo=dt.UTC), boot="boot", mono_ms=5,
    audit=AuditHead(n=3, link="ab" * 32), consent="2026-11",
)
SEALED = seal(HEADER, b"the body", OFFICE.public_key())


def test_published_vectors() -> None:
    device = signing_private(DEVICE_SEED)
    assert public_hex(device.public_key()) == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    assert public_hex(OFFICE.public_key()) == "07a37cbc142093c8b755dc1b10e86cb426374ad16aa853ed0bdfc0b2b86d1c7c"
    assert (len(VECTOR_HEADER), len(VECTOR_CIPHERTEXT), len(VECTOR)) == (129, 72, 205)
    assert digest(VECTOR).hex() == "0ab60b6cd8e13f5e36608d7894ef3fc70e868150cfdb92d228c3990aa06f5b76"
    assert open_body(VECTOR, OFFICE) == b'{"kind":"survival_cert"}'
    assert sign(Context.TXN, digest(VECTOR), device) == (
        "94c3472a7678fd0b7fcf4837a6d17f581e483bafe2f77d11aa50cc32def741930c81261fc1b6eef6d136ee92f07381441b919c836d657a75"
        "dea2d9bef410ed0f"
    )


def test_seal_and_open() -> None:
    assert open_envelope(SEALED, OFFICE) == (HEADER, b"the body")
    assert parse_header(SEALED) == HEADER
    assert digest(SEALED) == hashlib.sha256(SEALED).digest()
    assert b"the body" not in SEALED


def test_sealing_twice_gives_other_bytes() -> None:
    assert seal(HEADER, b"the body", OFFICE.public_key()) != SEALED


def test_header_of_wrong_length_is_not_sealed() -> None:
    class Long(EnvelopeHeader):
        more: str

    with pytest.raises(EnvelopeError, match="64 to 8192"):
        seal(Long(**HEADER.model_dump(), more="x" * 8192), b"", OFFICE.public_key())


def test_newer_header_is_still_read() -> None:
    class Newer(EnvelopeHeader):
        invented_later: str = "x"

    sealed = seal(Newer(**{**HEADER.model_dump(), "v": 2, "schema_version": 9}), b"?", OFFICE.public_key())
    assert (parse_header(sealed).v, parse_header(sealed).schema_version) == (2, 9)


def test_wrong_key() -> None:
    with pytest.raises(EnvelopeError):
        open_envelope(SEALED, X25519PrivateKey.generate())


@given(st.integers(0, len(SEALED) * 8 - 1))
def test_every_flipped_bit_is_noticed(bit: int) -> None:
    damaged = bytearray(SEALED)
    damaged[bit // 8] ^= 1 << bit % 8
    with pytest.raises(EnvelopeError):
        open_envelope(bytes(damaged), OFFICE)


@given(st.integers(0, len(SEALED) - 1))
def test_every_cut_is_noticed(length: int) -> None:
    with pytest.raises(EnvelopeError):
        open_envelope(SEALED[:length], OFFICE)


def _framed(head: bytes, rest: bytes) -> bytes:
    return struct.pack(">I", len(head)) + head + rest


any_bytes = st.one_of(
    st.binary(max_size=400),
    st.builds(_framed, st.binary(min_size=64, max_size=400), st.binary(max_size=120)),
    st.builds(_framed, st.text(min_size=64).map(lambda text: text.encode("utf-8", "surrogatepass")), st.binary(max_size=80)),
)


@given(any_bytes)
def test_any_bytes_raise_envelope_error_only(data: bytes) -> None:
    for attempt in (lambda: open_envelope(data, OFFICE), lambda: open_body(data, OFFICE)):
        with pytest.raises(EnvelopeError):
            attempt()
    with contextlib.suppress(EnvelopeError):
        parse_header(data)


@pytest.mark.parametrize(
    "head", [b"[" * 8000, b'{"a":' * 1000, b'"' + b"\xed\xa0\x80" * 30 + b'"', b"9" * 8000, b"\xef\xbb\xbf" + b"{}" * 40],
)
def test_hostile_headers(head: bytes) -> None:
    with pytest.raises(EnvelopeError):
        parse_header(_framed(head, b""))


@pytest.mark.parametrize(
    "point", ["00" * 32, "01" + "00" * 31, "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"],
)
def test_low_order_points_are_refused(point: str) -> None:
    with pytest.raises(EnvelopeError):
        open_body(_framed(b"x" * 64, bytes.fromhex(point) + b"y" * 32), OFFICE)


def test_a_signature_holds_in_its_context_only() -> None:
    key = Ed25519PrivateKey.generate()
    signature = sign(Context.RECEIPT, b"message", key)
    assert verify(Context.RECEIPT, b"message", signature, key.public_key())
    assert not any(verify(other, b"message", signature, key.public_key()) for other in Context if other is not Context.RECEIPT)
    assert not verify(Context.RECEIPT, b"message.", signature, key.public_key())
    assert not verify(Context.RECEIPT, b"message", signature, Ed25519PrivateKey.generate().public_key())


@given(st.text())
def test_any_text_is_no_signature(text: str) -> None:
    assert not verify(Context.TXN, b"m", text, signing_private(DEVICE_SEED).public_key())


def test_request_message_separates_its_parts() -> None:
    assert request_message("GET", "/v1/roster?after=1", "23", "ab") != request_message("GET", "/v1/roster?after=12", "3", "ab")
