"""A technician's capture: the card in it, or a sentence that says what is wrong."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.devices.emulated.cards import PHOTO, EmulatedCard, sample_card
from kiosk.devices.idcard.capture import CaptureError, as_json, decode_capture
from kiosk.devices.idcard.codec import HEADER, Command, encode_frame
from kiosk.devices.idcard.layouts import CardDataError, UnknownCardKind
from kiosk.domain.document import IdCard

CARD = sample_card(3)
FRAME = encode_frame(b"\0\0\x90" + EmulatedCard.of(CARD).read_answer())


def spaced(frame: bytes) -> bytes:
    lines = [frame[at : at + 16].hex(" ") for at in range(0, len(frame), 16)]
    return "\r\n".join(lines).encode()


@pytest.mark.parametrize(
    "capture",
    [
        FRAME,
        b"\xff\xaa" + FRAME + b"\r\n",
        FRAME.hex().encode(),
        spaced(FRAME),
        b"\xef\xbb\xbf" + spaced(FRAME).upper(),
        ", ".join(f"0x{byte:02x}" for byte in FRAME).encode(),
        encode_frame(Command.FIND) + encode_frame(b"\0\0\x9f" + bytes(4)) + encode_frame(Command.READ) + FRAME,
    ],
    ids=["raw", "noise around", "hex", "lines", "BOM", "0x", "dialogue"],
)
def test_a_card_is_found(capture: bytes) -> None:
    card = decode_capture(capture)
    assert card.number == CARD.number
    assert card.photo_wlt == PHOTO


@pytest.mark.parametrize("size", [1024, 512, 0])
def test_a_card_is_found_in_an_answer_with_a_fingerprint(size: int) -> None:
    plain = EmulatedCard.of(CARD).read_answer()
    card = decode_capture(encode_frame(b"\0\0\x90" + plain[:4] + size.to_bytes(2, "big") + plain[4:] + b"\xaa" * size))
    assert (card.number, card.photo_wlt) == (CARD.number, PHOTO)


@pytest.mark.parametrize(
    ("capture", "message"),
    [
        (b"", "header AA AA AA 96 69 does not occur"),
        (b"hello", "header"),
        (FRAME.hex().encode()[10:], "header"),
        (FRAME.hex().encode()[:-1], "middle of a byte"),
        (FRAME[:6], "cut after 6 bytes, before the length"),
        (FRAME[:700], "cut after 700 of 1295 bytes"),
        (FRAME[:-1] + bytes([FRAME[-1] ^ 1]), "wrong checksum"),
        (HEADER + b"\xff\xff" + bytes(20), "length field says 65535, allowed are 3 to 4096"),
        (encode_frame(Command.READ), "ends with a request"),
        (encode_frame(b"\0\0\x41"), r"answered 41 \(read failed\)"),
        (encode_frame(b"\0\0\x77"), r"answered 77 \(undocumented\)"),
    ],
)
def test_what_is_wrong_is_said(capture: bytes, message: str) -> None:
    with pytest.raises(CaptureError, match=message):
        decode_capture(capture)


def test_an_unknown_flag_is_said() -> None:
    text = bytearray(EmulatedCard.of(CARD).text)
    text[248] = ord("Q")
    with pytest.raises(UnknownCardKind, match="unknown type flag"):
        decode_capture(encode_frame(b"\0\0\x90" + EmulatedCard(bytes(text)).read_answer()))


@given(st.one_of(st.binary(max_size=400), st.text("0123456789abcdefAA9669 xg", max_size=200).map(str.encode)))
def test_any_capture_gives_a_card_or_a_typed_error(data: bytes) -> None:
    with contextlib.suppress(CaptureError, CardDataError):
        assert isinstance(decode_capture(data), IdCard)


def test_json_hides_the_person_unless_asked() -> None:
    hidden = json.dumps(as_json(decode_capture(FRAME), show=False), ensure_ascii=False)
    assert CARD.name_cn is not None and CARD.address is not None and CARD.birth is not None
    for secret in (CARD.number, CARD.name_cn, CARD.address, CARD.birth.isoformat(), CARD.number[6:14]):
        assert secret not in hidden
    assert CARD.masked_number in hidden


def test_json_shows_the_card_when_asked() -> None:
    shown = as_json(decode_capture(FRAME), show=True)
    json.dumps(shown)
    assert shown["number"] == CARD.number
    assert shown["birth"] == "1943-04-04"
    assert shown["kind"] == "resident"
    assert shown["valid_to"] is None
    assert shown["photo_bytes"] == 1024
    assert shown["damaged"] == []
    assert "pass_number" not in shown
