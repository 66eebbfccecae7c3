"""Status bytes of a printer, by the tables of the manuals and by what must never be taken for good news."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.devices.printer.status import Answer, AnswerKind, AnswerParser, Condition, decode, stop_cause

PROCESS_ID = bytes.fromhex("37 22 30 30 30 31 00")


def answers(text: str) -> list[Answer | None]:
    return [AnswerParser().feed(bytes.fromhex(part))[0] if part != "--" else None for part in text.split()]


@pytest.mark.parametrize(
    ("condition", "bytes_1_to_4"),
    [
        (Condition.OK, "12 12 12 12"),
        (Condition.OK, "16 12 12 12"),  # drawer pin high
        (Condition.OK, "92 92 92 92"),  # bit 7: ticket not taken yet, some kiosk models
        (Condition.PAPER_LOW, "12 12 12 1E"),
        (Condition.PAPER_OUT, "1A 32 12 7E"),
        (Condition.PAPER_OUT, "12 12 12 72"),
        (Condition.COVER_OPEN, "1A 16 12 12"),
        (Condition.COVER_OPEN, "1A 36 12 7E"),  # with the cover open the paper sensor sees nothing either
        (Condition.CUTTER_ERROR, "1A 52 1A 12"),
        (Condition.UNRECOVERABLE, "1A 52 32 12"),
        (Condition.FAULT, "1A 52 52 12"),  # head too hot
        (Condition.FAULT, "1A 12 12 12"),  # off-line, no cause named
        (Condition.FAULT, "12 12 16 12"),  # jam
        (Condition.MUTE, "-- -- -- --"),
        (Condition.MUTE, "12 12 12 --"),
        (Condition.WRONG_DEVICE, "12 12 12 00"),
        (Condition.WRONG_DEVICE, "41 12 12 12"),
        (Condition.WRONG_DEVICE, "AA -- -- --"),
    ],
)
def test_condition(condition: Condition, bytes_1_to_4: str) -> None:
    assert decode(answers(bytes_1_to_4)) is condition


@given(st.lists(st.none() | st.integers(0, 255).filter(lambda byte: byte != 0x37), min_size=4, max_size=4))
def test_only_four_valid_answers_can_ever_allow_printing(raw: list[int | None]) -> None:
    given_answers = [AnswerParser().feed(bytes((byte,)))[0] if byte is not None else None for byte in raw]
    if decode(given_answers).can_print:
        assert all(byte is not None and byte & 0x13 == 0x12 for byte in raw)
        assert raw[0] is not None and not raw[0] & 0x08


@pytest.mark.parametrize(
    ("byte", "cause"),
    [(0x12, Condition.OK), (0x16, Condition.COVER_OPEN), (0x32, Condition.PAPER_OUT), (0x52, Condition.FAULT)],
)
def test_why_a_running_slip_stands_still(byte: int, cause: Condition) -> None:
    assert stop_cause(Answer(AnswerKind.REAL_TIME, bytes((byte,)))) is cause


@pytest.mark.parametrize("byte", [0x00, 0x03, 0x0C, 0x0F])
def test_fence_answers(byte: int) -> None:
    assert AnswerParser().feed(bytes((byte,))) == [Answer(AnswerKind.FENCE, bytes((byte,)))]


def test_the_inner_bytes_of_a_process_id_are_neither_fence_nor_status() -> None:
    parsed = AnswerParser().feed(b"\x12" + bytes.fromhex("37 22 30 30 30 32 00") + b"\x00")
    assert [answer.kind for answer in parsed] == [AnswerKind.REAL_TIME, AnswerKind.PROCESS_ID, AnswerKind.FENCE]
    assert parsed[1].data == b"0002"


def test_a_broken_process_id_block_is_stray() -> None:
    assert AnswerParser().feed(bytes.fromhex("37 00 30 30 30 31 00"))[0].kind is AnswerKind.STRAY


def test_automatic_status_is_no_answer_to_a_status_query() -> None:
    parsed = AnswerParser().feed(bytes.fromhex("18 00 0C 0F"))
    assert [answer.kind for answer in parsed] == [AnswerKind.AUTOMATIC, *[AnswerKind.FENCE] * 3]


@given(st.lists(st.sampled_from([b"\x12", b"\x7e", b"\x00", b"\x0c", b"\x18", PROCESS_ID])), st.data())
def test_answers_do_not_depend_on_how_the_line_cuts_them(parts: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(parts)
    cut = data.draw(st.integers(0, len(stream)))
    pieces = AnswerParser()
    assert pieces.feed(stream[:cut]) + pieces.feed(stream[cut:]) == AnswerParser().feed(stream)
    assert len(AnswerParser().feed(stream)) == len(parts)
