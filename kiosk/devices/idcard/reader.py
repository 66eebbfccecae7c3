"""One question, one answer: commands to the reader over a serial line, each within its deadline."""

from __future__ import annotations

import logging
import time
from enum import Enum

from kiosk.devices.idcard.codec import Answer, Command, FrameFault, FrameParser, Sw3, encode_frame, parse_answer
from kiosk.devices.serial_line import SerialLine

_log = logging.getLogger(__name__)

_LONGER_S = {Command.READ: 3.0}
"""Where a command may take longer than `_DEADLINE_S`; a whole record needs 1.35 s at 9600 baud."""
_DEADLINE_S = 1.0
_SETTLE_S = 0.3
"""After a missed deadline: silence this long before the next command, so that a late answer is not taken for its own."""


class NoAnswer(Enum):
    SILENT = "silent"
    """Not one byte until the deadline."""
    GARBLED = "garbled"
    """Bytes, but no whole frame until the deadline, or a wrong checksum."""


class IdCardReader:
    """The driver. Keeps no state of the card; logs commands, status bytes, sizes and times, never content."""

    def __init__(self, line: SerialLine) -> None:
        self._line = line
        self._unsettled = False

    def ask(self, command: Command) -> Answer | NoAnswer:
        """Sends a command and waits for its answer; once more if the reader received it damaged. Raises LineLost."""
        answer = self._ask_once(command)
        if isinstance(answer, Answer) and answer.sw3 in (Sw3.HOST_CHECKSUM, Sw3.HOST_LENGTH):
            answer = self._ask_once(command)
        return answer

    def _ask_once(self, command: Command) -> Answer | NoAnswer:
        if self._unsettled:
            self._settle()
        started = time.monotonic()
        self._line.discard_input()
        self._line.write(encode_frame(command))
        answer = self._receive(started + _LONGER_S.get(command, _DEADLINE_S))
        self._unsettled = isinstance(answer, NoAnswer)
        _note(command, answer, time.monotonic() - started)
        return answer

    def _receive(self, deadline: float) -> Answer | NoAnswer:
        parser = FrameParser()
        missing = NoAnswer.SILENT
        while data := self._line.read_some(deadline):
            missing = NoAnswer.GARBLED
            for result in parser.feed(data):
                if result is FrameFault.CHECKSUM:
                    return missing
                if isinstance(result, bytes):
                    return parse_answer(result)
        return missing

    def _settle(self) -> None:
        """Waits for silence, at most as long as one command may take."""
        longest = time.monotonic() + _DEADLINE_S
        while self._line.read_some(min(longest, time.monotonic() + _SETTLE_S)):
            pass


def _note(command: Command, answer: Answer | NoAnswer, seconds: float) -> None:
    if isinstance(answer, Answer):
        _log.debug("%s: SW3 %02X, %d bytes, %.0f ms", command.name, answer.sw3, len(answer.data), 1000 * seconds)
    else:
        _log.debug("%s: %s, %.0f ms", command.name, answer.value, 1000 * seconds)
