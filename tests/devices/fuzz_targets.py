"""Every parser of the device room that takes bytes from a wire, with valid inputs to begin from and what it may refuse with."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from kiosk.devices.a4 import codec as ipp
from kiosk.devices.a4.exchange import read_answer
from kiosk.devices.a4.pages import count_pages
from kiosk.devices.a4.states import JobAnswer, PrinterAnswer, came_out_whole, printer_condition, queue_condition
from kiosk.devices.camera.v4l2 import parse_capability
from kiosk.devices.emulated.cards import EmulatedCard, sample_of
from kiosk.devices.emulated.socialcard import ScriptedCard, second_generation, third_generation
from kiosk.devices.idcard import codec as samv
from kiosk.devices.idcard.capture import CaptureError, as_json, decode_capture
from kiosk.devices.idcard.layouts import LAYOUTS, CardDataError, decode_new_address, decode_read_answer, decode_text_block
from kiosk.devices.idcard.photo import BMP_BYTES, HEIGHT, RGB_BYTES, WIDTH, picture_of
from kiosk.devices.printer import decode as escpos
from kiosk.devices.printer.profile import PROFILES
from kiosk.devices.printer.status import AnswerParser
from kiosk.devices.scanner import codec as scanner
from kiosk.devices.serial_line import Direction
from kiosk.devices.socialcard import records
from kiosk.devices.socialcard.atr import parse_atr
from kiosk.devices.socialcard.crt310 import codec as crt
from kiosk.devices.socialcard.reader import SocialCardReader
from kiosk.devices.socialcard.transport import CardFault, CardState, resolve
from kiosk.devices.trace import tracer
from kiosk.domain.lookup_code import parse_lookup
from kiosk.domain.status import DeviceKind

Refusals = tuple[type[Exception], ...]


@dataclass(frozen=True, slots=True)
class Target:
    parse: Callable[[bytes], object]
    seeds: tuple[bytes, ...]
    refusals: Refusals = ()
    """The documented errors; any other exception is a finding."""
    factor: int = 2
    """The value may be this many times as large as the input, and a few hundred bytes more."""


def size(value: Any) -> int:
    """Roughly the characters and bytes a value holds."""
    if isinstance(value, (bytes, bytearray, str)):
        return 1 + len(value)
    if isinstance(value, dict):
        return 1 + sum(size(key) + size(one) for key, one in value.items())
    if isinstance(value, (list, tuple)):
        return 1 + sum(map(size, value))
    if is_dataclass(value):
        return 1 + sum(size(getattr(value, item.name)) for item in fields(value))
    return 1


# --- identity card ---

_CARDS = [EmulatedCard.of(sample_of(kind)) for kind in LAYOUTS]
_READ = tuple(card.read_answer() for card in _CARDS)
_PRINTS = tuple(_READ[0][:4] + size.to_bytes(2, "big") + _READ[0][4:] + bytes(size) for size in (0, 512, 1024))
_SAMV = tuple(samv.encode_frame(b"\0\0\x90" + data) for data in (*_READ, b"", bytes(16), bytes(70), bytes(8))) + tuple(
    samv.encode_frame(bytes((0, 0, sw3)) + bytes(4 * (sw3 == 0x9F))) for sw3 in (0x9F, 0x80, 0x81, 0x41, 0x60)
)
_SHORT_SAMV = (*_SAMV[len(_READ) :], samv.encode_frame(samv.Command.READ))


def _samv_frames(data: bytes) -> list[object]:
    """Cut in two; what comes out must be the same in one piece, and only what may become a frame is held back."""
    parser, at = samv.FrameParser(shortest=3), len(data) // 3
    found = parser.feed(data[:at]) + parser.feed(data[at:])
    assert found == samv.FrameParser(shortest=3).feed(data)
    held = parser._buffer
    assert len(held) < len(samv.HEADER) or held.startswith(samv.HEADER)
    assert len(held) < 7 or len(held) < 7 + int.from_bytes(held[5:7], "big") <= 7 + samv.LONGEST
    return list(found)


def _samv_answer(data: bytes) -> object:
    answer = samv.parse_answer(data.ljust(3, b"\0"))
    for command in samv.Command:
        samv.answers(command, answer)
    return answer


def _capture(data: bytes) -> object:
    card = decode_capture(data)
    return [as_json(card, show=True), as_json(card, show=False)]


_RGB = bytes(range(126)) * (RGB_BYTES // 126)
_BMP = (b"BM" + BMP_BYTES.to_bytes(4, "little") + bytes(4) + (54).to_bytes(4, "little") + (40).to_bytes(4, "little")
        + WIDTH.to_bytes(4, "little") + HEIGHT.to_bytes(4, "little") + b"\1\0\x18\0").ljust(BMP_BYTES, b"\0")


# --- printer, scanner ---


def _printer(data: bytes) -> object:
    plain, custom = (AnswerParser(full_status).feed(data) for full_status in (False, True))
    told: list[object] = [plain, custom]
    for profile in PROFILES.values():
        asked = (custom if len(profile.queries) == 1 else plain)[: len(profile.queries)]
        whole = [*asked, *[None] * (len(profile.queries) - len(asked))]
        told += [profile.condition(whole), profile.ticket_waits(whole)]
        told += [profile.stop_cause(one) for one in asked if one.kind is profile.answers]
    return told


def _scanner(data: bytes) -> object:
    framer, at = scanner.Framer(), len(data) // 3
    found = framer.feed(data[:at]) + framer.feed(data[at:])
    assert found == scanner.Framer().feed(data)
    assert len(framer._text) <= scanner.LONGEST
    found += framer.silence()
    assert not framer.pending
    codes = [one for one in found if isinstance(one, scanner.Frame)]
    return [scanner.type_frame(code, aim_id) for code in codes for aim_id in (False, True)]


def _escpos(data: bytes) -> object:
    listing = list(escpos.commands(escpos.capture_bytes(data)))
    assert b"".join(command.data for command in listing) == escpos.capture_bytes(data)
    return listing


_SLIP = (b"\x1b@\x1da\x00", b"\x1c&" + "测试凭条\n".encode("gb18030"), b"\x1dv0\x00\x02\x00\x03\x00abcdef", b"\x1dVB\x00",
         b"\x1d(H\x06\x0000" + b"0007", b"\x1d(k\x05\x001P0ab", b"\x10\x04\x01", b"\x1de\x03\x0c")
_CODES = (b"HGK1:" + b"aB3_-" * 5, b"HG01-20261124-000001", b"0" * 18 + b"A" * 14, b"]Q1HGK1:" + b"x" * 22, b"]E0690123456789")

# --- social security card ---

_RECORDS = (
    b"\x08\x12999901194807120021", b"\x09\x1e" + "测试员".encode("gb18030").ljust(30, b"\0"), b"\x0a\x011",
    b"\x07\x09A12345678", b"\x05\x04\x20\x20\x01\x01", b"\x05\x042012", b"\x03\x04" + b"3.00", b"\x01\x10" + b"\xff" * 16,
)


def _records(data: bytes) -> object:
    split = records.split_records(data)
    return [split, [records.single_record(bytes((tag, len(value))) + value, tag) for tag, value in split.items()]]


def _record_value(data: bytes) -> object:
    date = records.date(data[:4])
    assert date is None or isinstance(date, (int, dt.date))
    half = len(data) // 2
    return [
        records.code(data), records.digits(data), records.text(data), records.version(data),
        records.name(data), records.name(data[:half], data[half:]),
    ]


def _crt_talk(data: bytes) -> list[object]:
    parser, at = crt.TalkParser(), len(data) // 3
    found = parser.feed(data[:at]) + parser.feed(data[at:])
    assert found == crt.TalkParser().feed(data)
    assert len(parser._buffer) <= crt.LONGEST + 5
    return list(found)


def _crt_reply(data: bytes) -> object:
    return [crt.error_reason(data, 0x31), crt.parse_status(data), crt.without_length(data)]


def _resolved(data: bytes) -> object:
    """The card's answers, one after the other: each as long as its first byte says."""
    stream = io.BytesIO(data)
    asked = 0

    def card(apdu: bytes) -> bytes:
        nonlocal asked
        asked += 1
        assert asked <= 64, "it never ends"
        return stream.read(stream.read(1)[0]) if stream.tell() < len(data) else b""

    return resolve(card, bytes.fromhex("00B2010500"))


class _AnyCard:
    """A CardTransport in whose reader a chip answers what the input says: pieces with two bytes of length before each."""

    def __init__(self, data: bytes) -> None:
        self._stream = io.BytesIO(data)
        self._asked = 0

    def _next(self) -> bytes:
        self._asked += 1
        assert self._asked <= 1000, "it never ends"
        return self._stream.read(int.from_bytes(self._stream.read(2), "big"))

    def power_on(self) -> bytes:
        return self._next()

    def transmit(self, apdu: bytes) -> tuple[bytes, int]:
        return resolve(lambda apdu: self._next(), apdu)

    def open(self) -> None: ...

    def admit(self, wanted: bool) -> None: ...

    def card_state(self) -> CardState:
        return CardState.PRESENT

    def power_off(self) -> None: ...

    def eject(self) -> None: ...

    def close(self) -> None: ...


def _whole_card(data: bytes) -> object:
    card = SocialCardReader(_AnyCard(data)).read()
    return [card, card.masked_number, card.masked_name, card.masked_card_number]


def _transcript(card: ScriptedCard) -> bytes:
    """What a sound card answers, as _AnyCard takes it."""
    said: list[bytes] = []

    class Heard(_AnyCard):
        def power_on(self) -> bytes:
            said.append(card.atr)
            return card.atr

        def transmit(self, apdu: bytes) -> tuple[bytes, int]:
            return resolve(self._answer, apdu)

        def _answer(self, apdu: bytes) -> bytes:
            answer = card.answer(apdu)
            assert isinstance(answer, bytes)
            said.append(answer)
            return answer

    SocialCardReader(Heard(b"")).read()
    return b"".join(len(answer).to_bytes(2, "big") + answer for answer in said)


_REPLIES = (b"\x30\x30\x59", b"\x31\x30\x4b\x4a\x4e", b"\x4e\x30\x04", b"\x37\x31\x59\x00\x02\x90\x00", b"\x30\x30" + bytes(264))
_CRT = (*map(crt.encode_frame, _REPLIES), b"\x06", b"\x15\x06")
_ATR = (bytes.fromhex("3B6D00000081544A86603201999001234567"), bytes.fromhex("3BFF9600FF81FE451F0301020304050607080910111213"),
        bytes.fromhex("3B9F958131FE5D0064"))

# --- A4 printer, camera ---

def _a4_states(data: bytes) -> object:
    text = data[2:].decode("utf-8", "replace")
    reasons = tuple(text.split(","))
    state = data[0] if data else None
    answer = PrinterAnswer(state, reasons, accepting=len(data) % 2 == 0, media_ready=reasons[3:])
    job = JobAnswer(1, text, state, len(data), None)
    return [printer_condition(answer), printer_condition(answer, reasons[:1]), queue_condition(answer), job.progress,
            came_out_whole(job, 1, counter=True)]


_PDF = (b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\nxref\n0 4\n0000000000 65535 f \n0000000009 00000 n \n"
        b"0000000052 00000 n \n0000000101 00000 n \ntrailer<</Size 4/Root 1 0 R>>\nstartxref\n163\n%%EOF\n")
_A = ipp.Attribute.of
_IPP = tuple(
    ipp.encode(ipp.Message(code, 7, groups))
    for code, groups in (
        (0, (ipp.Group(1, (_A(ipp.Tag.CHARSET, "attributes-charset", "utf-8"),)),
             ipp.Group(4, (_A(ipp.Tag.ENUM, "printer-state", 3), _A(ipp.Tag.BOOLEAN, "printer-is-accepting-jobs", True),
                           _A(ipp.Tag.KEYWORD, "printer-state-reasons", "none", "media-low"))))),
        (0, (ipp.Group(2, (_A(ipp.Tag.INTEGER, "job-id", 12), _A(ipp.Tag.ENUM, "job-state", 9))),)),
        (0x0406, ()),
    )
)
_HTTP = tuple(
    b"HTTP/1.1 " + status + b"\r\nContent-Type: application/ipp\r\n" + head + b"\r\n" + body
    for status, head, body in (
        (b"200 OK", b"Content-Length: %d\r\n" % len(_IPP[0]), _IPP[0]),
        (b"200 OK", b"Transfer-Encoding: chunked\r\n", b"%x\r\n%s\r\n0\r\n\r\n" % (len(_IPP[1]), _IPP[1])),
        (b"100 Continue", b"", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
        (b"401 Unauthorized", b"WWW-Authenticate: Basic\r\n", b""),
    )
)


def _traced(kind: DeviceKind) -> Callable[[bytes], object]:
    """The input is a dialogue: first what the kiosk says, then what comes back, in two pieces."""

    def parse(data: bytes) -> object:
        trace, third = tracer(kind), len(data) // 3
        lines = trace.feed(Direction.SENT, data[:third])
        lines += trace.feed(Direction.RECEIVED, data[third : 2 * third]) + trace.feed(Direction.RECEIVED, data[2 * third :])
        lines += trace.feed(Direction.SENT, data) + trace.feed(Direction.RECEIVED, data) + trace.rest()
        assert all(len(line.text) < 200 and line.text.isprintable() for line in lines)
        return len(lines)

    return parse


TARGETS: dict[str, Target] = {
    "SAM_V frames": Target(_samv_frames, (*_SHORT_SAMV, *_SAMV[:2])),
    "SAM_V answer": Target(_samv_answer, (b"\0\0\x90", b"\0\0\x9f" + bytes(4), *_READ)),
    "SAM id": Target(samv.format_sam_id, (bytes(range(16)),), (ValueError,)),
    "ID card, answer to read": Target(decode_read_answer, (*_READ, *_PRINTS), (CardDataError,)),
    "ID card, text block": Target(decode_text_block, tuple(card.text for card in _CARDS), (CardDataError,)),
    "ID card, new address": Target(decode_new_address, ("测试市测试区".encode("utf-16-le").ljust(70, b"\0"),), (CardDataError,)),
    "ID card, capture": Target(
        _capture, (*_SAMV[: len(_READ)], *(frame.hex(" ").encode() for frame in _SAMV[: len(_READ)])),
        (CaptureError, CardDataError), factor=4),
    "ID card, capture of a whole frame": Target(
        lambda data: _capture(samv.encode_frame(b"\0\0\x90" + data[:4000])), (*_READ, *_PRINTS), (CaptureError, CardDataError)),
    "ID card, photo": Target(picture_of, (_RGB, _BMP)),
    "printer answers": Target(
        _printer, (bytes.fromhex("16121212"), bytes.fromhex("1A32127E"), b"\x37\x22" + b"0007\0", b"\x10\x0f\0\0\0\0",
                   bytes.fromhex("14000000"), b"\x00"), factor=16),
    "scanner": Target(
        _scanner, (*(code + b"\r\n" for code in _CODES), b"\x02\x010000@QRCENA1\x06;\x03", bytes.fromhex("020003010012FE")),
        factor=8),
    "ESC/POS capture": Target(_escpos, (b"".join(_SLIP), *_SLIP, b"".join(_SLIP).hex(" ").encode()), factor=16),
    "lookup code": Target(lambda data: parse_lookup(data.decode("latin-1")), _CODES),
    "social card, records": Target(_records, (*_RECORDS, b"".join(_RECORDS)), (records.RecordError,), factor=8),
    "social card, values": Target(_record_value, tuple(record[2:] for record in _RECORDS), factor=12),
    "social card, answer to reset": Target(parse_atr, _ATR),
    "social card, T=0": Target(_resolved, (b"\x02\x90\x00", b"\x02\x6c\x12\x14" + bytes(18) + b"\x90\x00", b"\x02\x61\x04" * 20
                                           + b"\x06abcd\x90\x00"), (CardFault,)),
    "social card, whole": Target(
        _whole_card, (*(_transcript(ScriptedCard(card())) for card in (second_generation, third_generation)),), factor=8),
    "CRT-310 talk": Target(_crt_talk, _CRT),
    "CRT-310 reply": Target(_crt_reply, _REPLIES),
    "IPP message": Target(ipp.decode, _IPP, factor=4),
    "IPP over HTTP": Target(lambda data: read_answer(io.BytesIO(data)), _HTTP, (OSError,)),  # type: ignore[arg-type]
    "A4 states": Target(_a4_states, (b"\x03,none", b"\x05,media-empty-error,media-low-warning,paused,na_letter_8.5x11in")),
    "PDF pages": Target(count_pages, (_PDF,)),
    "trace, ID card": Target(_traced(DeviceKind.IDCARD), _SHORT_SAMV),
    "trace, social card": Target(_traced(DeviceKind.SOCIALCARD), _CRT),
    "trace, printer": Target(_traced(DeviceKind.PRINTER), _SLIP),
    "trace, scanner": Target(_traced(DeviceKind.SCANNER), tuple(code + b"\r" for code in _CODES)),
    "V4L2 capability": Target(
        lambda data: parse_capability(data.ljust(104, b"\0")[:104]), (b"uvcvideo".ljust(16, b"\0") + b"Camera",)),
}
