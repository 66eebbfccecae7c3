"""Status bytes of a printer, by the tables of the manuals and by what must never be taken for good news."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.config import PrinterModel
from kiosk.devices.printer.profile import PROFILES, Profile, Proof
from kiosk.devices.printer.status import Answer, AnswerKind, AnswerParser, Condition

PROCESS_ID = bytes.fromhex("37 22 30 30 30 31 00")


EPSON, SNBC, CUSTOM, CLONE, MUTE = (PROFILES[model] for model in PrinterModel)
DLE_EOT = [EPSON, SNBC, CLONE]
BY_NAME = {profile: model.value for model, profile in PROFILES.items()}


def answers(text: str) -> list[Answer | None]:
    """`12 12 -- --`: four answers of one byte; a block in brackets is one answer."""
    parts = text.removeprefix("[").removesuffix("]").strip() if text.startswith("[") else ""
    if parts:
        return list(AnswerParser(full_status=True).feed(bytes.fromhex(parts)))
    return [AnswerParser().feed(bytes.fromhex(part))[0] if part != "--" else None for part in text.split()]


# ------------------------------------------------------------------------------------------------ conditions


@pytest.mark.parametrize("profile", DLE_EOT, ids=BY_NAME.get)
@pytest.mark.parametrize(
    ("condition", "bytes_1_to_4"),
    [
        (Condition.OK, "12 12 12 12"),
        (Condition.OK, "16 12 12 12"),  # drawer pin high
        (Condition.OK, "92 92 92 92"),  # a firmware that uses bit 7
        (Condition.OK, "12 1A 12 12"),  # paper is being fed by the button
        (Condition.OK, "12 12 12 16"),  # one of a pair of sensor bits says nothing
        (Condition.PAPER_LOW, "12 12 12 1E"),
        (Condition.PAPER_OUT, "1A 32 12 7E"),
        (Condition.PAPER_OUT, "12 12 12 72"),
        (Condition.COVER_OPEN, "1A 16 12 12"),
        (Condition.COVER_OPEN, "1A 36 12 7E"),  # with the cover open the paper sensor sees nothing either
        (Condition.CUTTER_ERROR, "1A 52 1A 12"),
        (Condition.UNRECOVERABLE, "1A 52 32 12"),
        (Condition.FAULT, "1A 12 12 12"),  # off-line, no cause named
        (Condition.MUTE, "-- -- -- --"),
        (Condition.MUTE, "12 12 12 --"),
        (Condition.WRONG_DEVICE, "12 12 12 00"),
        (Condition.WRONG_DEVICE, "41 12 12 12"),
        (Condition.WRONG_DEVICE, "AA -- -- --"),
    ],
)
def test_condition_by_dle_eot(profile: Profile, condition: Condition, bytes_1_to_4: str) -> None:
    assert profile.condition(answers(bytes_1_to_4)) is condition


@pytest.mark.parametrize(
    ("bytes_1_to_4", "epson", "snbc"),
    [
        ("1A 52 16 12", Condition.FAULT, Condition.PAPER_JAM),
        ("12 12 16 12", Condition.FAULT, Condition.PAPER_JAM),
        ("1A 52 52 12", Condition.FAULT, Condition.HEAD_FAULT),
        ("1A 56 52 12", Condition.COVER_OPEN, Condition.COVER_OPEN),  # the cover was opened while printing
    ],
)
def test_snbc_names_jam_and_head(bytes_1_to_4: str, epson: Condition, snbc: Condition) -> None:
    assert (EPSON.condition(answers(bytes_1_to_4)), SNBC.condition(answers(bytes_1_to_4))) == (epson, snbc)


@pytest.mark.parametrize(
    ("condition", "block"),
    [
        (Condition.OK, "[10 0F 00 00 00 00]"),
        (Condition.OK, "[10 0F 00 0C 00 00]"),  # spooling, motor turning
        (Condition.OK, "[10 0F 80 00 00 00]"),  # over a black mark
        (Condition.OK, "[10 0F 20 00 00 00]"),  # a slip in the mouth is asked for on its own
        (Condition.PAPER_LOW, "[10 0F 04 00 00 00]"),
        (Condition.PAPER_LOW, "[10 0F 40 00 00 00]"),
        (Condition.PAPER_OUT, "[10 0F 05 00 00 00]"),
        (Condition.COVER_OPEN, "[10 0F 01 02 00 00]"),
        (Condition.COVER_OPEN, "[10 0F 00 01 00 00]"),
        (Condition.PAPER_JAM, "[10 0F 20 00 40 00]"),
        (Condition.HEAD_FAULT, "[10 0F 00 00 01 00]"),
        (Condition.HEAD_FAULT, "[10 0F 00 00 08 00]"),
        (Condition.FAULT, "[10 0F 00 00 02 00]"),
        (Condition.FAULT, "[10 0F 00 00 20 00]"),
        (Condition.FAULT, "[10 0F 00 00 80 00]"),
        (Condition.CUTTER_ERROR, "[10 0F 01 02 40 01]"),
        (Condition.COVER_OPEN, "[10 0F 00 00 00 02]"),
        (Condition.UNRECOVERABLE, "[10 0F 00 00 00 04]"),
        (Condition.UNRECOVERABLE, "[10 0F 00 00 00 09]"),
        (Condition.MUTE, "--"),
        (Condition.WRONG_DEVICE, "12"),
        (Condition.WRONG_DEVICE, "AA"),
    ],
)
def test_condition_by_full_status(condition: Condition, block: str) -> None:
    assert CUSTOM.condition(answers(block)) is condition


def test_who_never_answers_is_never_ok() -> None:
    assert MUTE.condition([]) is Condition.NO_STATUS
    assert not Condition.NO_STATUS.answered
    assert (MUTE.proof, MUTE.queries) == (Proof.NONE, ())


@pytest.mark.parametrize("profile", DLE_EOT, ids=BY_NAME.get)
@given(raw=st.lists(st.none() | st.integers(0, 255).filter(lambda byte: byte not in (0x37, 0x11, 0x13)), min_size=4, max_size=4))
def test_only_four_valid_answers_can_ever_allow_printing(profile: Profile, raw: list[int | None]) -> None:
    given_answers = [Answer(AnswerKind.REAL_TIME if byte & 0x13 == 0x12 else AnswerKind.STRAY, bytes((byte,)))
                     if byte is not None else None for byte in raw]
    if profile.condition(given_answers).can_print:
        assert all(byte is not None and byte & 0x13 == 0x12 for byte in raw)
        assert raw[0] is not None and not raw[0] & 0x08


@given(st.binary(min_size=4, max_size=4))
def test_a_full_status_that_allows_printing_has_paper_and_no_error(status: bytes) -> None:
    if CUSTOM.condition([Answer(AnswerKind.FULL_STATUS, status)]).can_print:
        assert not status[0] & 0x01 and not status[1] & 0x03 and not status[2] & 0x4B and not status[3] & 0x0F


@pytest.mark.parametrize(
    ("profile", "told", "waits"),
    [
        (CUSTOM, "[10 0F 20 00 00 00]", True),
        (CUSTOM, "[10 0F 24 00 40 00]", True),
        (CUSTOM, "[10 0F DF FF FF FF]", False),
        (CUSTOM, "--", False),
        (CLONE, "92 12 12 12", True),
        (CLONE, "9A 32 12 7E", True),
        (CLONE, "12 12 12 12", False),
        (CLONE, "92 92 92 92", False),  # it sets the bit everywhere and means nothing by it
        (CLONE, "92 12 -- --", False),
        (EPSON, "92 12 12 12", False),
        (SNBC, "92 12 12 12", False),
    ],
)
def test_a_slip_in_the_mouth(profile: Profile, told: str, waits: bool) -> None:
    assert profile.ticket_waits(answers(told)) is waits


def test_who_never_answers_tells_nothing_of_its_mouth() -> None:
    assert not MUTE.ticket_waits([])


@pytest.mark.parametrize("profile", DLE_EOT, ids=BY_NAME.get)
@pytest.mark.parametrize(
    ("byte", "cause"),
    [(0x12, Condition.OK), (0x16, Condition.COVER_OPEN), (0x32, Condition.PAPER_OUT), (0x52, Condition.FAULT)],
)
def test_why_a_running_slip_stands_still(profile: Profile, byte: int, cause: Condition) -> None:
    assert profile.stop_query == bytes.fromhex("10 04 02")
    assert profile.stop_cause(Answer(AnswerKind.REAL_TIME, bytes((byte,)))) is cause


@pytest.mark.parametrize(
    ("block", "cause"),
    [
        ("[10 0F 00 08 00 00]", Condition.OK), ("[10 0F 04 00 00 00]", Condition.OK), ("[10 0F 20 00 00 00]", Condition.OK),
        ("[10 0F 01 00 00 00]", Condition.PAPER_OUT), ("[10 0F 00 00 40 00]", Condition.PAPER_JAM),
    ],
)
def test_why_a_running_slip_stands_still_by_full_status(block: str, cause: Condition) -> None:
    (answer,) = answers(block)
    assert answer is not None
    assert CUSTOM.stop_query == bytes.fromhex("10 04 14")
    assert CUSTOM.stop_cause(answer) is cause


# ------------------------------------------------------------------------------------------------ the stream


@pytest.mark.parametrize("byte", [0x00, 0x03, 0x0C, 0x0F])
def test_fence_answers(byte: int) -> None:
    assert AnswerParser().feed(bytes((byte,))) == [Answer(AnswerKind.FENCE, bytes((byte,)))]


def test_the_inner_bytes_of_a_process_id_are_neither_fence_nor_status() -> None:
    parsed = AnswerParser().feed(b"\x12" + bytes.fromhex("37 22 30 30 30 32 00") + b"\x00")
    assert [answer.kind for answer in parsed] == [AnswerKind.REAL_TIME, AnswerKind.PROCESS_ID, AnswerKind.FENCE]
    assert parsed[1].data == b"0002"


def test_a_broken_process_id_block_is_stray() -> None:
    assert AnswerParser().feed(bytes.fromhex("37 00 30 30 30 31 00"))[0].kind is AnswerKind.STRAY


def test_automatic_status_is_one_answer_and_none_to_a_fence() -> None:
    assert AnswerParser().feed(bytes.fromhex("18 00 0C 0F 00")) == [
        Answer(AnswerKind.AUTOMATIC, bytes.fromhex("18 00 0C 0F")), Answer(AnswerKind.FENCE, b"\x00"),
    ]


def test_a_cut_automatic_status_swallows_no_status_answer() -> None:
    parsed = AnswerParser().feed(bytes.fromhex("18 00 12 16"))
    assert [answer.kind for answer in parsed] == [
        AnswerKind.AUTOMATIC, AnswerKind.FENCE, AnswerKind.REAL_TIME, AnswerKind.REAL_TIME,
    ]


def test_a_full_status_is_one_answer_where_the_model_has_it() -> None:
    block = bytes.fromhex("10 0F 12 37 00 10")
    assert AnswerParser(full_status=True).feed(block + b"\x00") == [
        Answer(AnswerKind.FULL_STATUS, block[2:]), Answer(AnswerKind.FENCE, b"\x00"),
    ]
    assert AnswerKind.FULL_STATUS not in {answer.kind for answer in AnswerParser().feed(block)}


def test_an_automatic_status_of_a_model_with_full_status() -> None:
    assert [answer.kind for answer in AnswerParser(full_status=True).feed(bytes.fromhex("10 00 00 0F"))] == [AnswerKind.AUTOMATIC]


def test_flow_control_bytes_are_no_answers() -> None:
    assert AnswerParser().feed(bytes.fromhex("13 12 11 13")) == [Answer(AnswerKind.REAL_TIME, b"\x12")]


PARTS = [b"\x12", b"\x7e", b"\x00", b"\x0c", bytes.fromhex("18 00 0C 0F"), PROCESS_ID, b"\xaa"]


@given(st.lists(st.sampled_from(PARTS)), st.data())
def test_answers_do_not_depend_on_how_the_line_cuts_them(parts: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(parts)
    cut = data.draw(st.integers(0, len(stream)))
    pieces = AnswerParser()
    assert pieces.feed(stream[:cut]) + pieces.feed(stream[cut:]) == AnswerParser().feed(stream)
    assert len(AnswerParser().feed(stream)) == len(parts)


@given(st.binary(max_size=200), st.booleans(), st.data())
def test_any_bytes_are_answers_of_some_kind(stream: bytes, full_status: bool, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(stream)))
    pieces = AnswerParser(full_status)
    parsed = pieces.feed(stream[:cut]) + pieces.feed(stream[cut:])
    assert parsed == AnswerParser(full_status).feed(stream)
    assert sum(len(answer.data) for answer in parsed) <= len(stream)
