"""One question, one answer: commands to the reader over a serial line, each within its deadline."""

from __future__ import annotations

import logging
import time
from enum import Enum

from kiosk.devices.idcard.codec import Answer, Command, FrameFault, FrameParser, Sw3, answers, encode_frame, parse_answer
from kiosk.devices.idcard.line_quality import LineQuality
from kiosk.devices.serial_line import SerialLine

_log = logging.getLogger(__name__)

_LONGER = {Command.READ: 3.0, Command.READ_NEW_ADDRESS: 2.0}
"""How many times as long as the others a command may take; a whole record needs 1.35 s at 9600 baud."""
_SETTLE = 0.3
"""After a missed deadline: silence for this share of it before the next command, so that a late answer is not its own."""


class NoAnswer(Enum):
    SILENT = "silent"
    """Not one byte until the deadline."""
    GARBLED = "garbled"
    """Bytes, but no whole frame until the deadline, a wrong checksum, or only answers to something else."""


class IdCardReader:
    """The driver. Keeps no state of the card; logs commands, status bytes, sizes and times, never content."""

    def __init__(self, line: SerialLine, quality: LineQuality | None = None, deadline_s: float = 1.0) -> None:
        """quality: told of every exchange. deadline_s: how long a short command may take."""
        self._line = line
        self._quality = quality or LineQuality()
        self._deadline_s = deadline_s
        self._unsettled = False

    def ask(self, command: Command) -> Answer | NoAnswer:
        """Sends a command and waits for its answer; once more if the reader received it damaged. Raises LineLost."""
        answer = self._ask_once(command)
        return self._ask_once(command) if _request_damaged(answer) else answer

    def _ask_once(self, command: Command) -> Answer | NoAnswer:
        if self._unsettled:
            self._settle()
        started = time.monotonic()
        self._line.discard_input()
        self._line.write(encode_frame(command))
        answer = self._receive(command, started + self._deadline_s * _LONGER.get(command, 1.0))
        self._unsettled = isinstance(answer, NoAnswer)
        self._quality.note(not self._unsettled and not _request_damaged(answer))
        _note(command, answer, time.monotonic() - started)
        return answer

    def _receive(self, command: Command, deadline: float) -> Answer | NoAnswer:
        parser = FrameParser()
        missing = NoAnswer.SILENT
        while data := self._line.read_some(deadline):
            missing = NoAnswer.GARBLED
            for result in parser.feed(data):
                if result is FrameFault.CHECKSUM:
                    return missing
                if isinstance(result, bytes) and answers(command, answer := parse_answer(result)):
                    return answer
        return missing

    def _settle(self) -> None:
        """Waits for silence, at most as long as a short command may take."""
        longest = time.monotonic() + self._deadline_s
        while self._line.read_some(min(longest, time.monotonic() + _SETTLE * self._deadline_s)):
            pass


def _request_damaged(answer: Answer | NoAnswer) -> bool:
    return isinstance(answer, Answer) and answer.sw3 in (Sw3.HOST_CHECKSUM, Sw3.HOST_LENGTH)


def _note(command: Command, answer: Answer | NoAnswer, seconds: float) -> None:
    if isinstance(answer, Answer):
        _log.debug("%s: SW3 %02X, %d bytes, %.0f ms", command.name, answer.sw3, len(answer.data), 1000 * seconds)
    else:
        _log.debug("%s: %s, %.0f ms", command.name, answer.value, 1000 * seconds)
