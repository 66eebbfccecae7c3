"""The form of a bundle: what is written is read, what is torn or changed is seen, and no bytes do more than be refused."""

from __future__ import annotations

import datetime as dt
import io

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from kiosk.sync.wire.bundle import BundleHead, BundleReader, BundleWriter, Kind, Origin, record_at
from kiosk.sync.wire.signing import Context, verify

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
HEAD = BundleHead(
    origin=Origin.TERMINAL, kiosk="HG01", epoch=1, id="ab" * 16, made=dt.datetime(2026, 11, 25, tzinfo=dt.UTC),
)
RECORD = st.tuples(st.sampled_from([Kind.CASE, Kind.PART, Kind.FILE]), st.binary(max_size=200))


def written(records: list[tuple[Kind, bytes]]) -> bytes:
    file = io.BytesIO()
    bundle = BundleWriter(file, HEAD)
    for kind, body in records:
        bundle.write(kind, body, "0" * 64, "ab", "HG01 1 ab")
    bundle.end(KEY)
    return file.getvalue()


def read(data: bytes) -> tuple[BundleReader, list[tuple[str, bytes]]]:
    reader = BundleReader(io.BytesIO(data))
    return reader, [(record.head.kind, record.body) for record in reader]


GOOD = [(Kind.PART, b"piece"), (Kind.CASE, b"envelope"), (Kind.CASE, b"")]


@given(st.lists(RECORD, max_size=6))
def test_what_is_written_is_read(records: list[tuple[Kind, bytes]]) -> None:
    reader, found = read(written(records))
    assert (reader.whole, reader.damaged, reader.head, found) == (True, 0, HEAD, records)
    assert verify(Context.BUNDLE, reader.digest, reader.signature, KEY.public_key())


def test_torn_anywhere_what_came_before_is_whole() -> None:
    data = written(GOOD)
    most = 0
    for length in range(len(data)):
        reader, found = read(data[:length])
        assert not reader.whole and found == GOOD[: len(found)] and len(found) >= most
        most = len(found)
    assert most == len(GOOD)


@given(st.integers(0, len(written(GOOD)) - 1), st.integers(1, 255))
def test_one_changed_byte_is_seen(at: int, change: int) -> None:
    data = bytearray(written(GOOD))
    data[at] ^= change
    reader, found = read(bytes(data))
    signed = reader.whole and verify(Context.BUNDLE, reader.digest, reader.signature, KEY.public_key())
    assert not signed or found == GOOD  # the head of the last record is nothing that was signed, and says nothing
    assert {body for kind, body in found if kind in ("case", "part")} <= {body for _, body in GOOD}


def test_a_damaged_record_is_passed_over() -> None:
    data = written(GOOD).replace(b"envelope", b"envelopf")
    reader, found = read(data)
    assert (reader.whole, reader.damaged, found) == (False, 1, [GOOD[0], GOOD[2]])


def test_something_after_the_end() -> None:
    reader, found = read(written(GOOD) + b"x")
    assert not reader.whole and found == GOOD


@given(st.binary(max_size=400))
def test_no_bytes_do_more_than_be_refused(data: bytes) -> None:
    for one in (data, written([])[:10] + data):
        reader, found = read(one)
        assert not reader.whole and reader.head is None and found == []


def test_a_length_that_cannot_be() -> None:
    data = written(GOOD)
    start = data.index(b'{"kind":"part"') - 4
    reader, found = read(data[:start] + b"\xff\xff\xff\xff" + data[start + 4 :])
    assert not reader.whole and found == []


@pytest.mark.parametrize("size", [8_100_001, -1])
def test_a_body_longer_than_allowed(size: int) -> None:
    data = written([(Kind.CASE, b"x")]).replace(b'"size":1,', f'"size":{size},'.encode())
    reader, found = read(data)
    assert not reader.whole and found == []


def test_a_record_again() -> None:
    file = io.BytesIO(written(GOOD))
    places = [(record.offset, record.covered, record.body) for record in BundleReader(file)]
    for offset, covered, body in reversed(places):
        again = record_at(file, offset)
        assert again is not None and (again.covered, again.body) == (covered, body)
