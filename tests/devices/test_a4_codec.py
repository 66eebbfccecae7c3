"""IPP messages: identity, robustness against any bytes, and the same reading as pyipp, which was written elsewhere."""

from __future__ import annotations

import io
import threading
from http.client import HTTPException

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyipp.enums import IppOperation
from pyipp.parser import parse
from pyipp.serializer import encode_dict

from kiosk.devices.a4.codec import Attribute, Group, GroupTag, Message, Tag, decode, encode
from kiosk.devices.a4.exchange import Failure, IppAddress, read_answer
from kiosk.devices.a4.ipp import IppPeer, Jobs, Operation

HEADER = bytes.fromhex("0101 0000 00000001")

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
typed = st.one_of(
    st.tuples(st.sampled_from([int(Tag.INTEGER), int(Tag.ENUM)]), st.integers(-(2**31), 2**31 - 1)),
    st.tuples(st.just(int(Tag.BOOLEAN)), st.booleans()),
    st.tuples(st.sampled_from([int(tag) for tag in (Tag.TEXT, Tag.NAME, Tag.KEYWORD, Tag.URI)]), texts),
    st.tuples(st.sampled_from([0x10, 0x13, 0x30, 0x31, 0x33, 0x34, 0x36, 0x4A, 0x7F]), st.binary(max_size=20)),
)
attributes = st.builds(Attribute, texts.filter(bool), st.lists(typed, min_size=1, max_size=4).map(tuple))
groups = st.builds(Group, st.sampled_from([1, 2, 4, 5, 9]), st.lists(attributes, max_size=4).map(tuple))
messages = st.builds(Message, st.integers(0, 0xFFFF), st.integers(0, 2**32 - 1), st.lists(groups, max_size=4).map(tuple))


@given(messages, st.binary(max_size=30))
def test_what_was_encoded_is_decoded_whatever_document_follows(message: Message, document: bytes) -> None:
    assert decode(encode(message) + document) == message


@given(st.binary(max_size=300) | st.binary(max_size=300).map(lambda tail: HEADER + b"\x01" + tail))
def test_any_bytes_are_a_message_or_none(data: bytes) -> None:
    message = decode(data)
    if message is not None:
        assert decode(encode(message)) is not None


@given(messages, st.data())
def test_a_message_cut_short_is_none(message: Message, data: st.DataObject) -> None:
    whole = encode(message)
    assert decode(whole[: data.draw(st.integers(0, len(whole) - 1))]) is None


@pytest.mark.parametrize(
    "body",
    [
        "01 44 0000 0001 61 03",  # a further value of nothing
        "44 0001 61 0001 62 03",  # an attribute outside every group
        "01 44 0001 61 fffb 03",  # longer than the message
        "01 44 ffff 03",  # the same in the name
    ],
)
def test_broken_structure_is_none(body: str) -> None:
    assert decode(HEADER + bytes.fromhex(body)) is None


def test_a_negative_length_ends() -> None:
    """pyipp 0.17.2 reads FFFB as -5 here and goes round for ever."""
    assert decode(HEADER + bytes.fromhex("01 47 0001 61 0001 62 44 0000 fffb 03")) is None


def test_values_of_unknown_kinds_are_passed_over() -> None:
    """A printer whose clock is not set, an enum of its vendor, a collection: pyipp refuses the whole answer."""
    printer = Group(GroupTag.PRINTER, (
        Attribute("printer-current-time", ((0x31, bytes(11)),)),
        Attribute("operations-supported", ((Tag.ENUM, 0x4F00),)),
        Attribute("media-col-ready", ((0x34, b""), (0x4A, b"media-size"), (0x34, b""), (0x37, b""), (0x37, b""))),
        Attribute.of(Tag.ENUM, "printer-state", 3),
    ))
    message = decode(encode(Message(0, 1, (printer,))))
    assert message is not None
    assert message.of(GroupTag.PRINTER)[0].numbers("printer-state") == [3]


def test_a_boolean_is_no_number_and_a_missing_name_is_nothing() -> None:
    group = Group(GroupTag.JOB, (Attribute.of(Tag.BOOLEAN, "a", True), Attribute.of(Tag.INTEGER, "b", 7)))
    assert (group.numbers("a"), group.flags("a")) == ([], [True])
    assert (group.numbers("b"), group.flags("b"), group.texts("c")) == ([7], [], [])


def test_pyipp_reads_what_we_write() -> None:
    job = Group(GroupTag.JOB, (
        Attribute.of(Tag.INTEGER, "job-id", 7),
        Attribute.of(Tag.NAME, "job-name", "证明"),
        Attribute.of(Tag.ENUM, "job-state", 9),
        Attribute.of(Tag.KEYWORD, "job-state-reasons", "aborted-by-system", "job-canceled-by-user"),
    ))
    operation = Group(GroupTag.OPERATION, (Attribute.of(Tag.CHARSET, "attributes-charset", "utf-8"),))
    read = parse(encode(Message(0x0001, 5, (operation, job))))
    assert (read["status-code"], read["request-id"], read["version"]) == (1, 5, (1, 1))
    assert read["jobs"] == [
        {"job-id": 7, "job-name": "证明", "job-state": 9, "job-state-reasons": ["aborted-by-system", "job-canceled-by-user"]}
    ]


def test_we_read_what_pyipp_writes() -> None:
    message = decode(encode_dict({
        "version": (2, 0), "operation": IppOperation.PRINT_JOB, "request-id": 9,
        "operation-attributes-tag": {"attributes-charset": "utf-8", "requesting-user-name": "kiosk", "job-name": "证明"},
        "job-attributes-tag": {"media": "iso_a4_210x297mm", "copies": 1},
    }))
    assert message is not None and (message.code, message.request_id) == (Operation.PRINT_JOB, 9)
    (operation,), (job,) = message.of(GroupTag.OPERATION), message.of(GroupTag.JOB)
    assert (operation.texts("job-name"), job.texts("media"), job.numbers("copies")) == (["证明"], ["iso_a4_210x297mm"], [1])


# ------------------------------------------------------------------------------------------------ http


class Received(io.RawIOBase):
    """What a peer has sent before it closed."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        return self._data.readinto(buffer)


@given(st.binary(max_size=400) | st.binary(max_size=400).map(lambda tail: b"HTTP/1.1 200 OK\r\n" + tail))
def test_any_answer_is_a_body_or_a_failure(data: bytes) -> None:
    try:
        answer = read_answer(Received(data))
    except OSError:
        return
    except HTTPException:
        pytest.fail("an exception of http.client came through")
    assert isinstance(answer, bytes | Failure)


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcdef", b"abc"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", b"abc"),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc", b"abc"),
        (b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", Failure.REFUSED),
        (b"HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n", Failure.REFUSED),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", b"abc"),  # an IPP message cut short is found out by itself
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-7\r\nabc", Failure.MALFORMED),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + bytes(2 << 20), Failure.MALFORMED),
        (b"\x12\x12\x12\x12\r\n\r\n", Failure.MALFORMED),
    ],
)
def test_answers_taken_apart(answer: bytes, result: bytes | Failure) -> None:
    assert read_answer(Received(answer)) == result


@pytest.mark.parametrize(
    ("uri", "parsed", "head"),
    [
        ("ipp://localhost:8631/ipp/print", IppAddress("localhost", 8631, "/ipp/print"), b"Host: localhost:8631"),
        ("ipp://192.0.2.7/ipp/print", IppAddress("192.0.2.7", 631, "/ipp/print"), b"Host: 192.0.2.7:631"),
        ("ipp://[fd00::2]:80", IppAddress("fd00::2", 80, "/"), b"Host: [fd00::2]:80"),
    ],
)
def test_addresses(uri: str, parsed: IppAddress, head: bytes) -> None:
    assert IppAddress.parse(uri) == parsed
    assert head in parsed.head(0).splitlines()


# ------------------------------------------------------------------------------------------------ requests


def request_of(monkeypatch: pytest.MonkeyPatch, ask: object) -> Message:
    seen: list[bytes] = []

    def keep(address: IppAddress, body: bytes, deadline: float, stop: threading.Event) -> bytes | Failure:
        seen.append(body)
        return Failure.UNREACHABLE

    monkeypatch.setattr("kiosk.devices.a4.ipp.post", keep)
    assert ask(IppPeer(IppAddress("localhost", 631, "/printers/c"), threading.Event())) is Failure.UNREACHABLE  # type: ignore[operator]
    message = decode(seen[0])
    assert message is not None
    return message


@pytest.mark.parametrize(
    ("ask", "operation"),
    [
        (lambda peer: peer.printer(0.0), Operation.GET_PRINTER_ATTRIBUTES),
        (lambda peer: peer.submit(b"%PDF-", "kiosk-1", 60, 0.0), Operation.PRINT_JOB),
        (lambda peer: peer.jobs(Jobs.OPEN, 0.0), Operation.GET_JOBS),
        (lambda peer: peer.job(7, 0.0), Operation.GET_JOB_ATTRIBUTES),
        (lambda peer: peer.cancel(7, 0.0), Operation.CANCEL_JOB),
    ],
)
def test_every_request_begins_as_the_standard_wants(monkeypatch: pytest.MonkeyPatch, ask: object, operation: Operation) -> None:
    message = request_of(monkeypatch, ask)
    names = [attribute.name for attribute in message.groups[0].attributes]
    assert message.code == operation
    assert names[:3] == ["attributes-charset", "attributes-natural-language", "printer-uri"]
    assert "job-id" not in names or names[3] == "job-id"
    assert message.groups[0].texts("requesting-user-name") == ["kiosk"]


def test_a_job_is_asked_for_on_a4_one_side_at_its_own_size(monkeypatch: pytest.MonkeyPatch) -> None:
    message = request_of(monkeypatch, lambda peer: peer.submit(b"%PDF-", "kiosk-1", 60, 0.0))
    (job,) = message.of(GroupTag.JOB)
    assert (job.texts("media"), job.texts("sides"), job.texts("print-scaling")) == (["iso_a4_210x297mm"], ["one-sided"], ["none"])
    assert job.numbers("job-cancel-after") == [60]
