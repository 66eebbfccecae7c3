"""SAM_V frames against known bytes, and against any bytes at all."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.devices.idcard.codec import (
    HEADER,
    Answer,
    Command,
    FrameFault,
    FrameParser,
    Sw3,
    answers,
    encode_frame,
    format_sam_id,
    parse_answer,
)

VECTORS: dict[str, Any] = tomllib.loads(Path(__file__).with_name("idcard_vectors.toml").read_text(encoding="utf-8"))
BODIES = st.binary(min_size=3, max_size=300)


@pytest.mark.parametrize("name", VECTORS["requests"])
def test_requests_both_ways(name: str) -> None:
    frame = bytes.fromhex(VECTORS["requests"][name])
    assert encode_frame(Command[name]) == frame
    assert FrameParser(shortest=3).feed(frame) == [Command[name].value]


@pytest.mark.parametrize("sw3", VECTORS["answers"])
def test_answers_both_ways(sw3: str) -> None:
    frame = bytes.fromhex(VECTORS["answers"][sw3])
    (body,) = FrameParser().feed(frame)
    assert isinstance(body, bytes)
    answer = parse_answer(body)
    assert answer.sw3 == int(sw3, 16)
    assert answer.sw3 in set(Sw3)
    assert encode_frame(bytes([0, 0, answer.sw3]) + answer.data) == frame


def test_every_command_and_status_has_a_known_frame() -> None:
    assert set(VECTORS["requests"]) == {command.name for command in Command}
    assert {int(sw3, 16) for sw3 in VECTORS["answers"]} == set(Sw3)


def test_select_answer_carries_eight_bytes() -> None:
    frame = bytes.fromhex(VECTORS["selected"])
    assert FrameParser().feed(frame) == [bytes([0, 0, Sw3.OK]) + bytes(8)]


def test_sam_id_is_written_as_printed_on_the_module() -> None:
    (body,) = FrameParser().feed(bytes.fromhex(VECTORS["sam_id"]))
    assert isinstance(body, bytes)
    assert format_sam_id(parse_answer(body).data) == VECTORS["sam_id_text"]
    with pytest.raises(ValueError, match="16 bytes"):
        format_sam_id(body)


def test_a_longer_run_before_the_header_still_syncs() -> None:
    assert FrameParser().feed(b"\xaa\xaa" + encode_frame(b"\0\0\x90")) == [b"\0\0\x90"]


def test_two_answers_in_one_read() -> None:
    assert FrameParser().feed(encode_frame(b"\0\0\x9f") + encode_frame(b"\0\0\x80")) == [b"\0\0\x9f", b"\0\0\x80"]


def test_after_a_wrong_checksum_the_next_frame_is_found() -> None:
    broken = encode_frame(b"\0\0\x90")[:-1] + b"\x00"
    assert FrameParser().feed(broken + encode_frame(b"\0\0\x80")) == [FrameFault.CHECKSUM, b"\0\0\x80"]


@pytest.mark.parametrize("length", [0, 3, 4097, 0xFFFF])
def test_an_impossible_length_is_a_fault_and_not_waited_for(length: int) -> None:
    noise = HEADER + length.to_bytes(2, "big")
    assert FrameParser().feed(noise + encode_frame(b"\0\0\x80")) == [FrameFault.LENGTH, b"\0\0\x80"]


def test_the_vendors_own_timeout_frame_gives_nothing() -> None:
    assert FrameParser().feed(bytes.fromhex(VECTORS["vendor_timeout"])) == []


@pytest.mark.parametrize("size", [1024, 512, 0])
def test_an_answer_with_a_fingerprint_is_a_whole_frame(size: int) -> None:
    frame = bytes.fromhex(VECTORS["fingerprint_prefixes"][str(size)])
    whole = encode_frame(frame[7:] + bytes(256 + 1024 + size))
    assert len(whole) == {1024: 2321, 512: 1809, 0: 1297}[size]
    assert whole[:16] == frame
    (body,) = FrameParser().feed(whole)
    assert isinstance(body, bytes) and answers(Command.READ_WITH_FINGERPRINT, parse_answer(body))


@pytest.mark.parametrize("suffix", range(5))
def test_speed_commands_have_their_known_checksums(suffix: int) -> None:
    """Never sent; a technician meets them in captures."""
    assert encode_frame(bytes([0x60, suffix]))[-1] == [0x63, 0x62, 0x61, 0x60, 0x67][suffix]


@pytest.mark.parametrize("command", Command, ids=lambda command: command.name)
def test_a_good_answer_to_another_command_is_not_taken_for_this_one(command: Command) -> None:
    good = {
        Command.RESET: Answer(Sw3.OK),
        Command.STATUS: Answer(Sw3.OK),
        Command.SAM_ID: Answer(Sw3.OK, bytes(16)),
        Command.FIND: Answer(Sw3.FOUND, bytes(4)),
        Command.SELECT: Answer(Sw3.OK, bytes(8)),
        Command.READ: Answer(Sw3.OK, bytes(1284)),
        Command.READ_NEW_ADDRESS: Answer(Sw3.OK, bytes(70)),
        Command.READ_WITH_FINGERPRINT: Answer(Sw3.OK, bytes(2310)),
    }
    alike = ({Command.RESET, Command.STATUS, Command.SELECT}, {Command.READ, Command.READ_WITH_FINGERPRINT})
    for other, answer in good.items():
        fits = command is other or any({command, other} <= group for group in alike)
        assert answers(command, answer) is fits
    assert answers(command, Answer(Sw3.NO_CONTENT)) is (command is Command.READ_NEW_ADDRESS)
    for sw3 in {*Sw3} - {Sw3.OK, Sw3.FOUND, Sw3.NO_CONTENT}:
        assert answers(command, Answer(sw3))


@given(st.lists(BODIES, max_size=4), st.data())
def test_frames_survive_any_cutting(bodies: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(map(encode_frame, bodies))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    parser = FrameParser()
    found: list[bytes | FrameFault] = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += parser.feed(stream[start:end])
    assert found == bodies


@given(st.binary(max_size=40).filter(lambda noise: b"\xaa" not in noise), BODIES)
def test_noise_before_a_frame_is_skipped(noise: bytes, body: bytes) -> None:
    assert FrameParser().feed(noise + encode_frame(body)) == [body]


@given(st.lists(st.one_of(st.binary(max_size=60), st.just(HEADER), BODIES.map(encode_frame)), max_size=12))
def test_any_bytes_give_bodies_or_faults_and_cutting_does_not_matter(parts: list[bytes]) -> None:
    whole, pieces = FrameParser(), FrameParser()
    results = whole.feed(b"".join(parts))
    assert all(isinstance(result, FrameFault) or len(result) >= 3 for result in results)
    assert [result for part in parts for byte in part for result in pieces.feed(bytes([byte]))] == results
