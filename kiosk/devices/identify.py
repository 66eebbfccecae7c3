"""Who answers at a serial port: every kind of device is asked the one question that it answers and nobody minds.

The order is part of the safety. A receipt printer prints what it does not understand, so it is asked first, at its
usual speeds, and known before anything else is sent. To the others a foreign question is noise.

    DLE EOT 1 to 4        printer: one status byte each, and nothing else
    CRT-310 status        card reader, 9600: acknowledged, called for, answered
    SAM_V status          identity-card reader, 115200; at its other speeds only when asked to be thorough
    Newland query         code scanner; one that cannot be asked is not found
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kiosk.devices.idcard import codec as samv
from kiosk.devices.printer.escpos import status_query
from kiosk.devices.printer.status import AnswerKind, AnswerParser
from kiosk.devices.scanner.codec import NEWLAND_QUERY, Framer, NewlandAnswer
from kiosk.devices.serial_line import LineLost, SerialLine, Tap
from kiosk.devices.socialcard.crt310 import codec as crt310
from kiosk.domain.status import DeviceKind

_LISTEN_S = 0.1
"""Listened for so long before each question."""
_OFTEN = 3
"""A device heard unasked this many times is no person who happens to show a code."""
_ANSWER_S = 0.5
_SETTLE_S = 0.06
"""Silence after which the answer to one question is not taken for that to the next."""
_CRT = 9600
_PRINTER, _PRINTER_ALL = (115200, 9600), (115200, 9600, 19200, 38400, 57600)
_SAMV, _SAMV_ALL = (115200,), (115200, 9600, 19200, 38400, 57600)
_SCANNER, _SCANNER_ALL = (9600,), (9600, 115200)
"""Bits a second: the speeds devices are delivered with, and all that are asked when thorough."""


@dataclass(frozen=True, slots=True)
class Answers:
    """This kind of device is at the port. detail: what it said of itself, a few words in English."""

    kind: DeviceKind
    baud: int
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Nobody:
    """reason: `mute`, `babbling` (it sends without being asked), `unknown` (it answers, but as none of ours),
    `stopped`, or a reason of LineLost.
    """

    reason: str


Probe = Callable[["Conversation"], str | None]
"""Asks one question. What the device said of itself, or None if it is not of this kind. Raises LineLost."""


def identify(
    port: str, *, thorough: bool = False, patience: float = 1.0, stop: threading.Event | None = None, tap: Tap | None = None
) -> Answers | Nobody:
    """Opens the port, asks around, closes it. Takes about 4 s when nobody answers, 10 s when thorough.

    patience: factor on every deadline, for slow converters. stop: ends everything at once when set.
    """
    stop = stop or threading.Event()
    unasked = heard = 0
    for kind, baud, probe in _plan(thorough):
        try:
            line = SerialLine.open(port, baud, stop, tap)
            try:
                talk = Conversation(line, patience)
                unasked += talk.heard_unasked()
                detail = probe(talk)
                heard += talk.heard
            finally:
                line.close()
        except LineLost as lost:
            return Nobody(lost.reason)
        if stop.is_set():
            return Nobody("stopped")
        if detail is not None:
            return Answers(kind, baud, detail)
    if unasked >= _OFTEN:
        return Nobody("babbling")
    return Nobody("unknown" if unasked or heard else "mute")


class Conversation:
    """An open line for probing: questions with a deadline each."""

    def __init__(self, line: SerialLine, patience: float) -> None:
        self._line = line
        self._patience = patience
        self.heard = False
        """Bytes came back, whatever they were."""

    def heard_unasked(self) -> bool:
        return bool(self._line.read_some(self._within(_LISTEN_S)))

    def ask(self, question: bytes) -> Iterator[bytes]:
        """Sends the question once the line is quiet; gives what comes back, piece by piece, until the deadline.

        Whoever does not stop talking is not asked: anything could be found in what it says.
        """
        patience_ends = self._within(_ANSWER_S)
        while self._line.read_some(self._within(_SETTLE_S)):
            self.heard = True
            if time.monotonic() > patience_ends:
                return iter(())
        return self.go_on(question)

    def go_on(self, question: bytes) -> Iterator[bytes]:
        """As `ask`, in the middle of a talk."""
        self._line.write(question)
        deadline = self._within(_ANSWER_S)
        while data := self._line.read_some(deadline):
            self.heard = True
            yield data

    def _within(self, seconds: float) -> float:
        return time.monotonic() + seconds * self._patience


def _plan(thorough: bool) -> list[tuple[DeviceKind, int, Probe]]:
    printers, modules, scanners = (_PRINTER_ALL, _SAMV_ALL, _SCANNER_ALL) if thorough else (_PRINTER, _SAMV, _SCANNER)
    return [
        *((DeviceKind.PRINTER, baud, _printer) for baud in printers),
        (DeviceKind.SOCIALCARD, _CRT, _crt310),
        *((DeviceKind.IDCARD, baud, _samv) for baud in modules),
        *((DeviceKind.SCANNER, baud, _newland) for baud in scanners),
    ]


def _printer(talk: Conversation) -> str | None:
    """Four questions, exactly one status byte to each: noise hardly ever does that."""
    return "ESC/POS" if all(_is_status(next(talk.ask(status_query(n)), b"")) for n in (1, 2, 3, 4)) else None


def _is_status(data: bytes) -> bool:
    return [answer.kind for answer in AnswerParser().feed(data)] == [AnswerKind.REAL_TIME]


def _samv(talk: Conversation) -> str | None:
    parser = samv.FrameParser()
    for data in talk.ask(samv.encode_frame(samv.Command.STATUS)):
        for frame in parser.feed(data):
            if isinstance(frame, bytes):
                return f"SAM_V, status {samv.parse_answer(frame).sw3:02X}"
    return None


def _newland(talk: Conversation) -> str | None:
    framer = Framer()
    for data in talk.ask(NEWLAND_QUERY):
        if any(isinstance(found, NewlandAnswer) for found in framer.feed(data)):
            return "Newland"
    return None


def _crt310(talk: Conversation) -> str | None:
    """Its status, by its own talk: asked, acknowledged, called for, answered with a place that exists."""
    if next(talk.ask(crt310.encode_frame(crt310.Command.STATUS)), b"") != bytes((crt310.Control.ACK,)):
        return None
    parser = crt310.TalkParser()
    for data in talk.go_on(bytes((crt310.Control.ENQ,))):
        for reply in parser.feed(data):
            if isinstance(reply, bytes):
                return "CRT-310" if _is_card_status(reply) else None
    return None


def _is_card_status(reply: bytes) -> bool:
    status = crt310.parse_status(reply[2:])
    return reply[:2] == crt310.Command.STATUS and status is not None and status.place in set(crt310.CardPlace)
