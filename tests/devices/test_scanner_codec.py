"""What a scanner sends, framed and typed: any bytes in any pieces, never a crash, never more kept than one code."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.devices.scanner import codec
from kiosk.devices.scanner.codec import LONGEST, NEWLAND_QUERY, Frame, Framer, NewlandAnswer, type_frame
from kiosk.devices.scanner.events import Refusal, ScannedLookup, ScannedToken, ScanRefused
from kiosk.domain.lookup_code import NumberLookup, TokenLookup, make_lookup_code, parse_lookup

TOKEN = "9f86d081884c7d659a2feaa0c55ad015"
SLIP_TOKEN = "q3Jt_8s-0aVx5Yb1Nw2RkA"
ANSWER = b"\x02\x010000#QRCENA1\x06;\x03"
OLD_ANSWER = bytes.fromhex("02000001003331")
PRINTABLE = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=LONGEST)


def frames(*pieces: bytes) -> list[Frame | NewlandAnswer]:
    """What comes out when silence follows."""
    framer = Framer()
    found = [frame for piece in pieces for frame in framer.feed(piece)] + framer.silence()
    assert not framer.pending
    return found


def texts(*pieces: bytes) -> list[str]:
    return [frame.text for frame in frames(*pieces) if isinstance(frame, Frame)]


# --- frames ---


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n", b"\r\r\n", b""])
def test_a_code_ends_with_its_suffix_or_with_silence(end: bytes) -> None:
    assert texts(b"]Q1" + TOKEN.encode() + end) == ["]Q1" + TOKEN]


def test_without_suffix_nothing_is_known_before_the_silence() -> None:
    framer = Framer()
    assert framer.feed(b"half a co") == [] and framer.pending
    assert framer.feed(b"de") == []
    assert framer.silence() == [Frame("half a code")]
    assert framer.silence() == [] and not framer.pending


def test_two_codes_in_one_piece_are_two() -> None:
    assert texts(b"first\rsecond\r") == ["first", "second"]


def test_what_cannot_be_printed_is_dropped() -> None:
    assert texts(b"\x00ab\xff\x80c\x1b\x7f\td\r\x0b\r") == ["abcd"]


@pytest.mark.parametrize("size", [LONGEST, LONGEST + 1, 600, 100_000])
def test_a_code_is_cut_at_the_limit_and_said_to_be(size: int) -> None:
    assert frames(b"x" * size + b"\rnext\r") == [Frame("x" * min(size, LONGEST), size > LONGEST), Frame("next")]


@pytest.mark.parametrize("answer", [ANSWER, OLD_ANSWER, b"\x02\x010000@QRCENA1\x06;\x03", b"\x02\x010000#QRCENA*\x15;\x03"])
def test_an_answer_is_told_from_the_codes_around_it(answer: bytes) -> None:
    assert frames(b"code\r" + answer + b"code\r") == [Frame("code"), NewlandAnswer(), Frame("code")]
    assert frames(*(bytes([byte]) for byte in answer)) == [NewlandAnswer()]


@pytest.mark.parametrize("almost", [
    b"\x02\x010000#CODENA1\x06;\x03", b"\x02\x010000#QRCENA1;\x03", b"\x02\x01" + b"0" * 60, OLD_ANSWER[:6],
    b"\x02\x00\x00\x02\x00\x33\x31", NEWLAND_QUERY,
])
def test_what_is_no_answer_proves_nothing(almost: bytes) -> None:
    assert NewlandAnswer() not in frames(almost)


def test_a_code_between_stx_and_etx_is_a_code() -> None:
    assert texts(b"\x02" + TOKEN.encode() + b"\x03\r") == [TOKEN]


def test_the_query_is_as_the_manual_has_it() -> None:
    assert bytes.fromhex("7E 01 30 30 30 30 23 51 52 43 45 4E 41 2A 3B 03") == NEWLAND_QUERY


@given(PRINTABLE, st.sampled_from([b"\r", b"\n", b""]), st.lists(st.integers(1, LONGEST), max_size=5))
def test_whatever_is_shown_comes_out_however_it_is_cut(text: str, end: bytes, cuts: list[int]) -> None:
    data, pieces = text.encode() + end, []
    for cut in cuts:
        pieces.append(data[:cut])
        data = data[cut:]
    assert texts(*pieces, data) == [text]


@given(st.lists(st.binary(max_size=700), max_size=6))
def test_any_bytes_give_bounded_frames_and_a_verdict(pieces: list[bytes]) -> None:
    framer = Framer()
    for piece in pieces:
        for frame in framer.feed(piece):
            if isinstance(frame, Frame):
                assert frame.text.isprintable() and frame.text.isascii() and len(frame.text) <= LONGEST
                for aim_id in (True, False):
                    verdict = type_frame(frame, aim_id)
                    if isinstance(verdict, ScannedToken):
                        assert 16 <= len(verdict.secret) <= 512
        assert len(framer._text) <= LONGEST and len(framer._answer) <= codec._ANSWER_LONGEST


@given(st.lists(st.sampled_from([b"\x02", b"\x03", b"\x01", b"\x00", b"0000", b"#QRCENA", b"1\x06;", b"\r"]), max_size=30))
def test_bytes_of_answers_in_any_order_do_no_harm(pieces: list[bytes]) -> None:
    whole = frames(b"".join(pieces))
    assert frames(*pieces) == whole


# --- types ---


@pytest.mark.parametrize("aim", ["]Q1", "]Q2", ""])
def test_each_kind_of_code_is_known(aim: str) -> None:
    assert type_frame(Frame(aim + TOKEN)) == ScannedToken(TOKEN)
    assert type_frame(Frame(aim + make_lookup_code(SLIP_TOKEN))) == ScannedLookup(TokenLookup(SLIP_TOKEN))
    assert type_frame(Frame(aim + "HG01-20261123-000001")) == ScannedLookup(NumberLookup("HG01-20261123-000001"))


@pytest.mark.parametrize(("text", "cut", "refusal"), [
    ("]C1" + TOKEN, False, Refusal.NOT_QR),
    ("]E06901234567892", False, Refusal.NOT_QR),
    ("]Q1short", False, Refusal.UNKNOWN),
    ("6901234567892", False, Refusal.UNKNOWN),
    ("]Q1" + "x" * 513, True, Refusal.TOO_LONG),
    ("x" * 513, False, Refusal.TOO_LONG),
    (f"]Q1{TOKEN}]Q1{TOKEN}", False, Refusal.GLUED),
    (f"]Q1HGK1:{SLIP_TOKEN}HGK1:{SLIP_TOKEN}", False, Refusal.GLUED),
    (f"{TOKEN}HGK1:{SLIP_TOKEN}", False, Refusal.GLUED),
    ("HGK1:" + "x" * 80, False, Refusal.UNKNOWN),
    ("HGK1:not a token of ours", False, Refusal.UNKNOWN),
    ("]Q1", False, Refusal.UNKNOWN),
])
def test_everything_else_is_refused_with_a_cause(text: str, cut: bool, refusal: Refusal) -> None:
    assert type_frame(Frame(text, cut)) == ScanRefused(refusal)


def test_a_scanner_set_to_send_ids_is_held_to_them() -> None:
    assert type_frame(Frame("]Q1" + TOKEN), aim_id=True) == ScannedToken(TOKEN)
    assert type_frame(Frame(TOKEN), aim_id=True) == ScanRefused(Refusal.NOT_QR)


@pytest.mark.parametrize("size", [15, 16, 512, 513])
def test_the_length_of_a_token(size: int) -> None:
    assert isinstance(type_frame(Frame("t" * size)), ScannedToken) is (16 <= size <= 512)


def test_secrets_do_not_show() -> None:
    values = (Frame(TOKEN), type_frame(Frame(TOKEN)), type_frame(Frame(make_lookup_code(SLIP_TOKEN))))
    assert TOKEN not in repr(values) and SLIP_TOKEN not in repr(values)


# --- lookup codes ---


@given(st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-", min_size=16, max_size=64))
def test_a_slips_code_is_read_back(token: str) -> None:
    assert parse_lookup(make_lookup_code(token)) == TokenLookup(token)


@pytest.mark.parametrize("typed", ["HG01-20261123-000001", " hg01-20261123-000001 ", "HG-20260228-1234567"])
def test_a_case_number_may_be_typed(typed: str) -> None:
    assert parse_lookup(typed) == NumberLookup(typed.strip().upper())


@pytest.mark.parametrize("text", [
    "", "HG01", "HG01-20261332-000001", "HG01-20260229-000001", "HG01-20261123-1", "HG01 20261123 000001", TOKEN,
    "HG01-20261123-000001\n2", "ＨＧ01-20261123-000001", "hgk1:" + SLIP_TOKEN, "H-20261123-000001", "HG01-２０261123-000001",
])
def test_anything_else_is_no_lookup(text: str) -> None:
    assert parse_lookup(text) is None


@given(st.text(max_size=80))
def test_any_text_is_a_lookup_or_none(text: str) -> None:
    parse_lookup(text)
