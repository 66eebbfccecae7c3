"""CRT-310 frames against the vendor's literals and computed ones, and against any bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.devices.emulated.socialcard import ATR
from kiosk.devices.socialcard.apdu import SSSE, get_response, read_record, select_file, select_name
from kiosk.devices.socialcard.crt310.codec import (
    LONGEST,
    REAR_CLOSED,
    Command,
    Control,
    FrameFault,
    Status,
    TalkParser,
    encode_frame,
    error_frame,
    error_reason,
    parse_status,
    with_length,
    without_length,
)

PUBLISHED = ["02 00 02 31 30 03 02", "02 00 02 30 31 03 02", "02 00 03 2F 32 31 03 2E", "02 00 04 45 30 32 30 03 72"]
TAG_01 = bytes.fromhex("0110990100D15600000599000000123456789000")


@pytest.mark.parametrize(("body", "frame"), [
    (Command.STATUS, "02 00 02 31 30 03 02"),
    (Command.OPEN_FRONT + REAR_CLOSED, "02 00 03 2F 33 31 03 2F"),
    (Command.CLOSE_FRONT + REAR_CLOSED, "02 00 03 2F 31 31 03 2D"),
    (Command.RESET, "02 00 02 30 30 03 03"),
    (Command.TO_CONTACTS, "02 00 02 32 2F 03 1E"),
    (Command.EJECT, "02 00 02 32 30 03 01"),
    (Command.EJECT_HELD, "02 00 02 32 31 03 00"),
    (Command.POWER_OFF, "02 00 02 33 31 03 01"),
    (Command.COLD_RESET, "02 00 02 37 30 03 04"),
    (Command.WARM_RESET, "02 00 02 37 2F 03 1B"),
    (Command.APDU_T0 + with_length(select_name(SSSE)),
     "02 00 18 37 31 00 14 00 A4 04 00 0F 73 78 31 2E 73 68 2E C9 E7 BB E1 B1 A3 D5 CF 03 F9"),
    (Command.APDU_T0 + with_length(get_response(0x18)), "02 00 09 37 31 00 05 00 C0 00 00 18 03 D3"),
    (Command.APDU_T0 + with_length(select_file(0xEF05, 0x02)), "02 00 0B 37 31 00 07 00 A4 02 00 02 EF 05 03 45"),
    (Command.APDU_T0 + with_length(read_record(0x01, 0x12)), "02 00 09 37 31 00 05 00 B2 01 00 12 03 AA"),
    (Command.APDU_T0 + with_length(read_record(0x08, 0x14)), "02 00 09 37 31 00 05 00 B2 08 00 14 03 A5"),
    (b"\x31\x30\x4e\x4a\x4e", "02 00 05 31 30 4E 4A 4E 03 4F"),
    (b"\x31\x30\x4a\x4a\x4e", "02 00 05 31 30 4A 4A 4E 03 4B"),
    (b"\x31\x30\x4b\x4a\x4e", "02 00 05 31 30 4B 4A 4E 03 4A"),
    (b"\x37\x30Y" + with_length(ATR),
     "02 00 16 37 30 59 00 11 3B 6D 00 00 00 81 54 45 53 54 01 99 01 00 00 00 01 03 01"),
    (b"\x37\x30E", "02 00 03 37 30 45 03 40"),
    (b"\x37\x31Y" + with_length(b"\x90\x00"), "02 00 07 37 31 59 00 02 90 00 03 CB"),
    (b"\x37\x31Y" + with_length(b"\x69\x82"), "02 00 07 37 31 59 00 02 69 82 03 B0"),
    (b"\x37\x31Y" + with_length(TAG_01),
     "02 00 19 37 31 59 00 14 01 10 99 01 00 D1 56 00 00 05 99 00 00 00 12 34 56 78 90 00 03 59"),
    (b"\x4e\x77\x00", "02 00 03 4E 77 00 03 3B"),
])
def test_frames(body: bytes, frame: str) -> None:
    assert encode_frame(body) == bytes.fromhex(frame)
    assert TalkParser().feed(bytes.fromhex(frame)) == [body]


@pytest.mark.parametrize("frame", PUBLISHED)
def test_published_frames(frame: str) -> None:
    (body,) = TalkParser().feed(bytes.fromhex(frame))
    assert isinstance(body, bytes) and encode_frame(body) == bytes.fromhex(frame)


def test_errors_and_statuses() -> None:
    assert error_frame(0x77, 0x00) == bytes.fromhex("0200034E7700033B")
    assert error_reason(b"\x4e\x37\x06", 0x37) == 6
    assert [error_reason(body, 0x37) for body in (b"\x4e\x31\x06", b"\x37\x30\x06", b"\x4e\x37", b"")] == [None] * 4
    assert parse_status(b"\x4e\x4a\x4e") == Status(0x4E, 0x4A, 0x4E)
    assert [parse_status(data) for data in (b"", b"\x4e", b"\x4e\x4a\x4e\x4e")] == [None] * 3
    assert [without_length(data) for data in (b"", b"\x00", b"\x00\x01", b"\x00\x00\x00")] == [None] * 4


def test_the_length_decides_not_the_end_mark() -> None:
    body = Command.APDU_T0 + with_length(b"\x03\x03\x02\x00\x02\x03")
    assert TalkParser().feed(encode_frame(body)) == [body]


@pytest.mark.parametrize(("stream", "tokens"), [
    (b"\x06", [Control.ACK]),
    (b"\x15\x06", [Control.NAK, Control.ACK]),
    (b"\x04\x05", [Control.CANCEL, Control.ENQ]),
    (b"\xff\xaa\x06", [Control.ACK]),
    (b"\x02\xff\xff\x06", [FrameFault.LENGTH, Control.ACK]),
])
def test_single_bytes(stream: bytes, tokens: list[object]) -> None:
    assert TalkParser().feed(stream) == tokens


_BODIES = st.binary(min_size=2, max_size=LONGEST)


@given(_BODIES)
def test_written_is_read(body: bytes) -> None:
    assert TalkParser().feed(encode_frame(body)) == [body]


@given(_BODIES, st.integers(min_value=1), st.integers(1, 255))
def test_one_wrong_byte_is_never_believed(body: bytes, where: int, flip: int) -> None:
    frame = bytearray(encode_frame(body))
    frame[where % len(frame)] ^= flip
    assert body not in TalkParser().feed(bytes(frame))


@given(st.lists(st.binary(max_size=300)))
def test_any_bytes_in_any_pieces(pieces: list[bytes]) -> None:
    parser = TalkParser()
    tokens = [token for piece in pieces for token in parser.feed(piece)]
    assert tokens == TalkParser().feed(b"".join(pieces))


@given(st.binary(max_size=30).filter(lambda noise: b"\x02" not in noise), _BODIES)
def test_noise_before_a_frame(noise: bytes, body: bytes) -> None:
    assert TalkParser().feed(noise + encode_frame(body))[-1] == body
