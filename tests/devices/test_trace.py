"""The masked trace: a technician sees commands, status bytes and sizes; nothing of a person, whatever goes over the wire."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.devices.emulated.cards import EmulatedCard, sample_card
from kiosk.devices.idcard.codec import Command, encode_frame
from kiosk.devices.printer import escpos
from kiosk.devices.scanner.codec import NEWLAND_QUERY
from kiosk.devices.serial_line import Direction
from kiosk.devices.socialcard.apdu import SSSE, read_record, select_name
from kiosk.devices.socialcard.crt310 import codec as crt310
from kiosk.devices.trace import Tracer, tracer
from kiosk.domain.status import DeviceKind

SENT, RECEIVED = Direction.SENT, Direction.RECEIVED
KINDS = [DeviceKind.IDCARD, DeviceKind.SOCIALCARD, DeviceKind.PRINTER, DeviceKind.SCANNER]


def texts(trace: Tracer, *pieces: tuple[Direction, bytes]) -> list[str]:
    lines = [line for direction, data in pieces for line in trace.feed(direction, data)] + trace.rest()
    return [f"{line.direction.value} {line.text}" for line in lines]


def apdu(command: bytes) -> bytes:
    return crt310.encode_frame(crt310.Command.APDU_T0 + crt310.with_length(command))


def test_a_card_is_read_and_only_its_size_is_told() -> None:
    card = replace(sample_card(), photo_wlt=None)
    answer = encode_frame(bytes([0, 0, 0x90]) + EmulatedCard.of(card).read_answer())
    told = texts(
        tracer(DeviceKind.IDCARD),
        (SENT, encode_frame(Command.FIND)), (RECEIVED, encode_frame(bytes([0, 0, 0x9F, 0, 0, 0, 0]))),
        (SENT, encode_frame(Command.READ)), (RECEIVED, answer[:500]), (RECEIVED, answer[500:]),
        (SENT, encode_frame(b"\x77\x01secret")), (RECEIVED, b"noise" + encode_frame(bytes([0, 0, 0x80]))),
        (SENT, encode_frame(Command.STATUS)), (RECEIVED, answer[:-1] + b"\x00"),
    )
    assert told[:5] == ["> FIND", "< SW3 9F FOUND, 4 bytes of data", "> READ", f"< SW3 90 OK, {len(answer) - 11} bytes of data",
                        "> a command not on the list, 8 bytes"]
    assert told[5] == "< SW3 80 NO_CARD, 0 bytes of data" and told[6] == "< 5 bytes not understood"
    assert "< a frame with wrong checksum" in told
    assert not any(secret in "".join(told) for secret in (card.name_cn or "?", card.number, "secret"))


def test_a_social_security_card_is_read_and_only_words_of_the_standard_are_told() -> None:
    record = b"\x08\x12999901199003070017"
    told = texts(
        tracer(DeviceKind.SOCIALCARD),
        (SENT, crt310.encode_frame(crt310.Command.STATUS)), (RECEIVED, b"\x06"), (SENT, b"\x05"),
        (RECEIVED, bytes.fromhex("02 00 05 31 30 4E 4A 4E 03 4F")),
        (SENT, apdu(select_name(SSSE))), (RECEIVED, b"\x06"), (SENT, b"\x05"),
        (RECEIVED, crt310.encode_frame(b"\x37\x31Y" + crt310.with_length(b"\x6f\x16\x90\x00"))),
        (SENT, apdu(read_record(8, 0x14))),
        (RECEIVED, crt310.encode_frame(b"\x37\x31Y" + crt310.with_length(record + b"\x90\x00"))),
        (SENT, apdu(bytes.fromhex("00 20 00 00 03 12 34 56"))),
        (RECEIVED, bytes.fromhex("02 00 03 4E 77 00 03 3B")),
    )
    assert told == [
        "> STATUS, 0 bytes of data", "< ACK", "> ENQ", "< STATUS 4E 4A 4E",
        "> APDU_T0 SELECT, 20 bytes", "< ACK", "> ENQ", "< APDU_T0 59, status word 9000, 2 bytes of data",
        "> APDU_T0 READ RECORD, 5 bytes", "< APDU_T0 59, status word 9000, 20 bytes of data",
        "> APDU_T0 VERIFY, 8 bytes", "< error 00 about 77",
    ]


def test_a_slip_is_told_by_its_commands() -> None:
    band = b"\x1dv0\x00\x02\x00\x03\x00abcdef"
    told = texts(
        tracer(DeviceKind.PRINTER),
        (SENT, escpos.status_query(2)), (RECEIVED, b"\x32"),
        (SENT, escpos.START + band + "测试员甲 999901199003070017\n".encode("gb18030") + escpos.FENCE), (RECEIVED, b"\x00"),
        (SENT, escpos.CUT + escpos.process_id_request("0042")), (RECEIVED, b"\x37\x220042\x00"), (RECEIVED, b"\x99"),
    )
    assert told == [
        "> DLE EOT 02", "< DLE EOT 32",
        "> ESC @", "> GS a 00", "> GS v 0 16 x 3 dots", "> text, 28 bytes", "> GS r 01", "< GS r 00",
        "> GS V 42 00", "> GS ( H, 11 bytes", "< GS ( H, 7 bytes", "< 1 bytes not understood",
    ]


def test_a_code_is_told_by_its_length_and_kind() -> None:
    token = b"9f86d081884c7d659a2feaa0c55ad015"
    told = texts(
        tracer(DeviceKind.SCANNER),
        (SENT, NEWLAND_QUERY), (RECEIVED, b"\x02\x010000#QRCENA1\x06;\x03"),
        (RECEIVED, b"]Q1" + token[:9]), (RECEIVED, token[9:] + b"\r"), (RECEIVED, b"6901234567892"),
    )
    assert told == ["> QUERY", "< 17 bytes", "< ANSWER", "< 12 bytes", "< 24 bytes", "< a code of 35 characters: ScannedToken",
                    "< 13 bytes", "< a code of 13 characters: unknown"]


def test_a_scanner_on_the_printers_port_is_not_spelled_out_as_status_bytes() -> None:
    told = texts(tracer(DeviceKind.PRINTER), (SENT, escpos.status_query(1)), (RECEIVED, b"BJOBZKPBJOBZKP"), (RECEIVED, b"Q"))
    assert told == ["> DLE EOT 01", "< 15 bytes not understood"]


@pytest.mark.parametrize("question", [b"", *(escpos.status_query(n) for n in (1, 4)), escpos.full_status_query(), escpos.FENCE,
                                      escpos.process_id_request("0042"), escpos.CUT])
@pytest.mark.parametrize("piece", [b"26", b"@BCDEFGH", b"ABCDEF\r", b"HGK1:ABC", b"0000", b"\x117", b"2\r"])
def test_bytes_that_look_like_answers_are_not_told_unless_they_are_one(question: bytes, piece: bytes) -> None:
    told = texts(tracer(DeviceKind.PRINTER), *([(SENT, question)] if question else []), (RECEIVED, piece))
    assert told[-1] == f"< {len(piece)} bytes not understood" and not any(line.startswith("< ") for line in told[:-1])


def test_an_answer_is_told_after_its_own_question_and_once() -> None:
    full = b"\x10\x0f\x01\x00\x00\x02"
    told = texts(
        tracer(DeviceKind.PRINTER),
        (SENT, escpos.full_status_query()), (RECEIVED, full[:3]), (RECEIVED, full[3:]),
        (SENT, escpos.FENCE), (RECEIVED, b"2"), (SENT, escpos.status_query(2)), (RECEIVED, b"\x00"),
        (SENT, escpos.status_query(2)), (RECEIVED, b"2"), (RECEIVED, b"6"), (SENT, escpos.CUT), (RECEIVED, b"2"),
    )
    assert told == [
        "> DLE EOT 14", "< DLE EOT 20 01 00 00 02", "> GS r 01", "< 1 bytes not understood", "> DLE EOT 02",
        "< 1 bytes not understood", "> DLE EOT 02", "< DLE EOT 32", "< 1 bytes not understood", "> GS V 42 00",
        "< 1 bytes not understood",
    ]


def test_there_is_no_trace_of_what_is_on_no_serial_line() -> None:
    with pytest.raises(KeyError):
        tracer(DeviceKind.CAMERA)


SECRET = "Zq9-" * 6  # in no word of ours


@given(st.sampled_from(KINDS), st.lists(st.tuples(st.sampled_from(Direction), st.binary(max_size=60)), max_size=8))
def test_any_bytes_either_way_are_told_and_counted(kind: DeviceKind, pieces: list[tuple[Direction, bytes]]) -> None:
    texts(tracer(kind), *pieces)


@pytest.mark.parametrize("wrap", [
    lambda data: data,
    encode_frame,
    lambda data: encode_frame(bytes([0, 0, 0x90]) + data),
    lambda data: crt310.encode_frame(b"\x37\x31" + crt310.with_length(b"\x00\x20\x00\x00" + bytes([len(data)]) + data)),
    lambda data: crt310.encode_frame(b"\x37\x31Y" + crt310.with_length(data + b"\x90\x00")),
    lambda data: crt310.encode_frame(b"\x37\x30Y" + crt310.with_length(data)),
    lambda data: crt310.encode_frame(b"\x4e" + data),
    lambda data: b"\x1dv0\x00\x01\x00\x18\x00" + data,
    lambda data: b"\x1d(k" + len(data).to_bytes(2, "little") + data,
    lambda data: b"\x1d(H" + len(data).to_bytes(2, "little") + data,
    lambda data: b"\x1bZ" + data,
    lambda data: b"\x37\x22" + data,
    lambda data: b"]Q1" + data + b"\r",
    lambda data: b"]Q1HGK1:" + data + b"\r",
])
@pytest.mark.parametrize("kind", KINDS)
def test_no_secret_in_any_wrapping_comes_through(kind: DeviceKind, wrap: object) -> None:
    data = wrap(SECRET.encode())  # type: ignore[operator]
    told = "".join(texts(tracer(kind), (SENT, data), (RECEIVED, data), (RECEIVED, data[:20]), (SENT, data[:20])))
    for piece in range(len(SECRET) - 3):
        part = SECRET[piece : piece + 4]
        assert part not in told and part.encode().hex(" ").upper() not in told and part.encode().hex().upper() not in told
