"""The wire between the kiosk and a device, told to a technician: commands, status bytes and sizes, by white list.

What a card holds, what a slip says and what a code means is never told, not even in part: it is counted. Pure; the
bytes come from a Tap.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

from kiosk.devices.idcard import codec as samv
from kiosk.devices.printer import decode as escpos
from kiosk.devices.printer.escpos import full_status_query
from kiosk.devices.printer.status import Answer, AnswerKind, AnswerParser
from kiosk.devices.scanner.codec import NEWLAND_QUERY, Frame, Framer, NewlandAnswer, type_frame
from kiosk.devices.scanner.events import ScanRefused
from kiosk.devices.serial_line import Direction
from kiosk.devices.socialcard.crt310 import codec as crt310
from kiosk.domain.status import DeviceKind

Told = list[tuple[str, int]]
"""What was recognised, in order, each with the bytes it took."""
_APDUS = {0xA4: "SELECT", 0xB2: "READ RECORD", 0xC0: "GET RESPONSE", 0x20: "VERIFY", 0x84: "GET CHALLENGE"}
_APDU_COMMANDS = (crt310.Command.APDU_T0, crt310.Command.APDU_T1)
_PLAIN_PARAMETERS = frozenset({"DLE EOT", "DLE ENQ", "ESC @", "GS a", "GS r", "GS V", "GS v 0", "GS I", "GS e"})
"""ESC/POS commands whose parameters say nothing about a person."""
_ANSWER_LONGEST = 7
"""Bytes of a printer's longest answer, a process ID."""
_ANSWER_KINDS = {"DLE EOT": AnswerKind.REAL_TIME, "GS r": AnswerKind.FENCE, "GS ( H": AnswerKind.PROCESS_ID}


@dataclass(frozen=True, slots=True)
class TraceLine:
    direction: Direction
    text: str


class Tracer(ABC):
    """Explains one line. Bytes that nothing is recognised in are counted when the next question goes out."""

    def __init__(self) -> None:
        self._loose = dict.fromkeys(Direction, 0)
        self.reset()

    def feed(self, direction: Direction, data: bytes) -> list[TraceLine]:
        lines = self.rest() if direction is Direction.SENT else []
        told = self.sent(data) if direction is Direction.SENT else self.received(data)
        self._loose[direction] += len(data) - sum(size for _, size in told)
        return lines + [TraceLine(direction, text) for text, _ in told]

    def rest(self) -> list[TraceLine]:
        """The bytes so far that belong to nothing."""
        lines = [TraceLine(direction, f"{count} bytes not understood") for direction, count in self._loose.items() if count > 0]
        self._loose = dict.fromkeys(Direction, 0)
        self.reset()
        return lines

    @abstractmethod
    def reset(self) -> None:
        """Forgets what has begun and is not whole."""

    @abstractmethod
    def sent(self, data: bytes) -> Told:
        """What the kiosk said, in one piece as it was written."""

    @abstractmethod
    def received(self, data: bytes) -> Told:
        """What the next bytes from the device complete."""


def tracer(kind: DeviceKind) -> Tracer:
    """Raises KeyError for a device that is on no serial line."""
    return _TRACERS[kind]()


class _IdCard(Tracer):
    """SAM_V: 7 bytes before and 1 after the body."""

    def reset(self) -> None:
        self._parser = samv.FrameParser()

    def sent(self, data: bytes) -> Told:
        bodies = samv.FrameParser(shortest=3).feed(data)
        return [(_samv_command(body), len(body) + 8) for body in bodies if isinstance(body, bytes)]

    def received(self, data: bytes) -> Told:
        return [_samv_answer(found) for found in self._parser.feed(data)]


def _samv_command(body: bytes) -> str:
    known = {command.value: command.name for command in samv.Command}
    return known.get(body, f"a command not on the list, {len(body)} bytes")


def _samv_answer(found: bytes | samv.FrameFault) -> tuple[str, int]:
    if isinstance(found, samv.FrameFault):
        return f"a frame with wrong {found.value}", 1  # the parser goes on one byte later
    answer = samv.parse_answer(found)
    known = {sw3.value: sw3.name for sw3 in samv.Sw3}
    return f"SW3 {answer.sw3:02X} {known.get(answer.sw3, 'unknown')}, {len(answer.data)} bytes of data", len(found) + 8


class _SocialCard(Tracer):
    """CRT-310: 3 bytes before and 2 after the body."""

    def reset(self) -> None:
        self._parser = crt310.TalkParser()

    def sent(self, data: bytes) -> Told:
        return [_crt_told(token, _crt_request) for token in crt310.TalkParser().feed(data)]

    def received(self, data: bytes) -> Told:
        return [_crt_told(token, _crt_reply) for token in self._parser.feed(data)]


def _crt_told(token: crt310.Token, explain: Callable[[str, bytes], str]) -> tuple[str, int]:
    if isinstance(token, crt310.FrameFault):
        return f"a frame with wrong {token.value}", 1  # the parser goes on one byte later
    if isinstance(token, crt310.Control):
        return token.name, 1
    known = {command.value: command.name for command in crt310.Command}
    return explain(known.get(token[:2], "a command not on the list"), token), len(token) + 5


def _crt_request(name: str, body: bytes) -> str:
    if body[:2] in _APDU_COMMANDS and len(body) >= 8:
        return f"{name} {_APDUS.get(body[5], 'not on the list')}, {len(body) - 4} bytes"
    return f"{name}, {len(body) - 2} bytes of data"


def _crt_reply(name: str, body: bytes) -> str:
    data = body[2:]
    if body[0] == crt310.ERROR_CM:
        return f"error {data[0]:02X} about {body[1]:02X}" if len(data) == 1 else f"an error of {len(data)} bytes"
    status = crt310.parse_status(data)
    if body[:2] == crt310.Command.STATUS and status:
        return f"{name} {status.place:02X} {status.front:02X} {status.rear:02X}"
    result = f"{name} {data[0]:02X}" if data[:1] else name
    if body[:2] in _APDU_COMMANDS and len(data) >= 5:
        return f"{result}, status word {data[-2:].hex().upper()}, {len(data) - 5} bytes of data"
    return f"{result}, {max(0, len(data) - 1)} bytes of data"


class _Printer(Tracer):
    """ESC/POS: commands by name, letters and pictures by size."""

    def reset(self) -> None:
        self._asked: AnswerKind | None = None
        self._heard = b""

    def sent(self, data: bytes) -> Told:
        commands = list(escpos.commands(data))
        self._asked = _asked(commands[-1]) if commands else None
        return [(_escpos_command(command), len(command.data)) for command in commands]

    def received(self, data: bytes) -> Told:
        """Any byte can be read as a status: only what is the one answer to the last question, and no more, is told."""
        self._heard = (self._heard + data)[: _ANSWER_LONGEST + 1]
        answers = AnswerParser(full_status=self._asked is AnswerKind.FULL_STATUS).feed(self._heard)
        told = [_printer_answer(answer) for answer in answers if answer.kind is self._asked]
        return told if [size for _, size in told] == [len(self._heard)] else []


def _asked(command: escpos.Command) -> AnswerKind | None:
    """The kind of answer that a printer owes to this command."""
    return AnswerKind.FULL_STATUS if command.data == full_status_query() else _ANSWER_KINDS.get(command.name)


def _escpos_command(command: escpos.Command) -> str:
    if not command.understood:
        return f"not on the list, {len(command.data)} bytes"
    if command.name in _PLAIN_PARAMETERS:
        return f"{command.name} {command.detail}".strip()
    return f"{command.name}, {len(command.data)} bytes"


def _printer_answer(answer: Answer) -> tuple[str, int]:
    if answer.kind is AnswerKind.PROCESS_ID:
        return f"{answer.kind.value}, 7 bytes", 7
    frame = 2 if answer.kind is AnswerKind.FULL_STATUS else 0  # bytes around the data
    return f"{answer.kind.value} {answer.data.hex(' ').upper()}", len(answer.data) + frame


class _Scanner(Tracer):
    """A code ends with its suffix, or where nothing more came."""

    def reset(self) -> None:
        self._framer = Framer()

    def rest(self) -> list[TraceLine]:
        begun = [TraceLine(Direction.RECEIVED, _scan(frame)) for frame in self._framer.silence()]
        return begun + super().rest()

    def sent(self, data: bytes) -> Told:
        return [("QUERY", len(data))] if data == NEWLAND_QUERY else []

    def received(self, data: bytes) -> Told:
        return [(f"{len(data)} bytes", len(data)), *((_scan(frame), 0) for frame in self._framer.feed(data))]


def _scan(frame: Frame | NewlandAnswer) -> str:
    if isinstance(frame, NewlandAnswer):
        return "ANSWER"
    event = type_frame(frame)
    meaning = event.refusal.value if isinstance(event, ScanRefused) else type(event).__name__
    return f"a code of {len(frame.text)} characters: {meaning}"


_TRACERS: dict[DeviceKind, type[Tracer]] = {
    DeviceKind.IDCARD: _IdCard,
    DeviceKind.SOCIALCARD: _SocialCard,
    DeviceKind.PRINTER: _Printer,
    DeviceKind.SCANNER: _Scanner,
}
