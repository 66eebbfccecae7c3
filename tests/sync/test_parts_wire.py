"""The bytes of a case in pieces: opened only with exactly its own pieces in their order, nothing else raised on any bytes."""

from __future__ import annotations

import contextlib
import os

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from test_wire_envelope import HEADER, OFFICE, SEALED

from kiosk.sync.wire.envelope import (
    EnvelopeError,
    open_body,
    open_envelope,
    parse_header,
    seal_bytes,
    seal_in_pieces,
    sealed_size,
)
from kiosk.sync.wire.http import PART_BYTES_MAX
from kiosk.sync.wire.parts import PartReceipt, cut, part_digest, part_info
from kiosk.sync.wire.suites import SUITES

BODY = os.urandom(4000)
DATA, PIECES = seal_in_pieces(HEADER, BODY, OFFICE.public_key(), 1000)
OTHER_DATA, OTHER_PIECES = seal_in_pieces(HEADER, BODY, OFFICE.public_key(), 1000)


def test_cut_seal_and_open() -> None:
    assert [len(piece) for piece in PIECES] == [1000] * 4 + [sealed_size(BODY) - 4000]
    header, body = open_envelope(DATA, OFFICE, PIECES)
    assert body == BODY and header.parts == tuple(part_digest(piece) for piece in PIECES)
    assert header.model_copy(update={"parts": ()}) == HEADER
    assert parse_header(DATA) == header and len(DATA) == 4 + int.from_bytes(DATA[:4], "big")


def test_the_same_case_sealed_again_shares_no_piece() -> None:
    assert not set(PIECES) & set(OTHER_PIECES) and DATA != OTHER_DATA


@pytest.mark.parametrize("pieces", [
    (), PIECES[:-1], PIECES[1:], (*PIECES, PIECES[0]), (PIECES[1], PIECES[0], *PIECES[2:]), tuple(reversed(PIECES)),
    (b"", *PIECES[1:]), (OTHER_PIECES[0], *PIECES[1:]), OTHER_PIECES, (PIECES[0] + PIECES[1], *PIECES[2:]),
])
def test_missing_wrong_or_swapped_pieces(pieces: tuple[bytes, ...]) -> None:
    with pytest.raises(EnvelopeError):
        open_envelope(DATA, OFFICE, pieces)


def test_no_other_key_no_other_case() -> None:
    with pytest.raises(EnvelopeError):
        open_envelope(DATA, X25519PrivateKey.generate(), PIECES)
    other = HEADER.model_copy(update={"id": "01890a5d-ac96-774b-bcce-b302099a8058", "parts": parse_header(DATA).parts})
    head = other.to_json()
    with pytest.raises(EnvelopeError):
        open_envelope(len(head).to_bytes(4, "big") + head, OFFICE, PIECES)


def test_a_ciphertext_or_pieces_never_both() -> None:
    with pytest.raises(EnvelopeError):
        open_envelope(DATA + b"x", OFFICE, PIECES)
    with pytest.raises(EnvelopeError):
        open_envelope(SEALED, OFFICE, PIECES)
    with pytest.raises(EnvelopeError):
        open_body(DATA, OFFICE)


def test_sealed_to_the_case_and_not_to_the_header() -> None:
    sealed = seal_bytes(BODY, OFFICE.public_key(), part_info(HEADER.id))
    header = HEADER.model_copy(update={"parts": (part_digest(sealed),), "consent": "another"})
    head = header.to_json()
    assert open_envelope(len(head).to_bytes(4, "big") + head, OFFICE, [sealed])[1] == BODY  # its signature guards the rest


@pytest.mark.parametrize("alg", SUITES)
def test_in_every_suite(alg: str) -> None:
    data, pieces = seal_in_pieces(HEADER.model_copy(update={"alg": alg}), BODY, OFFICE.public_key(), 1000)
    assert sum(map(len, pieces)) == sealed_size(BODY)
    assert open_envelope(data, OFFICE, pieces)[1] == BODY


def test_as_many_pieces_as_a_header_names_and_one_more() -> None:
    data, pieces = seal_in_pieces(HEADER, bytes(6400 - 48), OFFICE.public_key(), 100)
    assert len(pieces) == 64 and open_envelope(data, OFFICE, pieces)[1] == bytes(6400 - 48)
    with pytest.raises(EnvelopeError):
        seal_in_pieces(HEADER, bytes(6401 - 48), OFFICE.public_key(), 100)


@given(st.binary(max_size=5000), st.integers(1, 2000))
def test_cutting_loses_nothing(data: bytes, size: int) -> None:
    pieces = cut(data, size)
    assert b"".join(pieces) == data and all(0 < len(piece) <= size for piece in pieces)
    assert len(pieces) == -(-len(data) // size)


def test_the_largest_piece() -> None:
    assert [len(piece) for piece in cut(bytes(PART_BYTES_MAX + 1))] == [PART_BYTES_MAX, 1]


@given(st.integers(0, 4), st.integers(0, 47), st.integers(1, 255))
def test_any_changed_byte_of_any_piece(which: int, at: int, by: int) -> None:
    damaged = bytearray(PIECES[which])
    damaged[at] ^= by
    with pytest.raises(EnvelopeError):
        open_envelope(DATA, OFFICE, [*PIECES[:which], bytes(damaged), *PIECES[which + 1 :]])


@given(st.binary(max_size=200), st.lists(st.binary(max_size=50), max_size=4), st.integers(0, len(DATA)))
def test_nothing_else_is_raised(tail: bytes, pieces: list[bytes], keep: int) -> None:
    with contextlib.suppress(EnvelopeError):
        open_envelope(DATA[:keep] + tail, OFFICE, pieces)


def test_a_receipt_of_a_piece_round_trips() -> None:
    receipt = PartReceipt(case=HEADER.id, sha256=part_digest(b"x"), kid="k")
    assert PartReceipt.model_validate_json(receipt.to_json()) == receipt
