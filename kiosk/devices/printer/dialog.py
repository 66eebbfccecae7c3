"""Questions to a printer and its answers: every wait has an end, and no answer is an answer of its own."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from kiosk.devices.printer.escpos import status_query
from kiosk.devices.printer.status import Answer, AnswerKind, AnswerParser, Condition, decode, stop_cause
from kiosk.devices.serial_line import SerialLine

OnStop = Callable[[Condition], None]
"""Hears why a slip stands still; OK when it runs, or when the printer names no cause."""

_ANSWER_S = 0.4
_TRIES = 2
_POLL_S = 0.5


@dataclass(frozen=True, slots=True)
class Report:
    """The answers to DLE EOT 1, 2, 3, 4; None where nothing came."""

    answers: tuple[Answer | None, ...]

    @property
    def condition(self) -> Condition:
        return decode(self.answers)

    @property
    def evidence(self) -> str:
        """For the journal: `1A 32 12 7E`, `--` where nothing came."""
        return " ".join(answer.data.hex().upper() if answer else "--" for answer in self.answers)


class PrinterDialog:
    """Owned by one thread. Every call raises LineLost when the port fails, and returns early once `stop` is set."""

    def __init__(self, line: SerialLine, stop: threading.Event) -> None:
        self._line = line
        self._stop = stop
        self._parser = AnswerParser()
        self._answers: deque[Answer] = deque()

    def send(self, data: bytes) -> None:
        self._line.write(data)

    def report(self) -> Report:
        """The printer's state by DLE EOT 1-4. A silent printer is not asked further."""
        self._forget()
        answers: list[Answer | None] = []
        for n in (1, 2, 3, 4):
            answer = self._ask(n) if None not in answers else None
            answers.append(answer)
        return Report(tuple(answers))

    def ask(
        self, question: bytes, kind: AnswerKind, expected: bytes | None, line_time: float, patience: float, on_stop: OnStop
    ) -> bool:
        """Sends bytes that end in a question and waits for one answer of `kind` (with exactly the data `expected`, if given).

        line_time: seconds the bytes need on the line; patience: seconds to wait beyond that. When the answer is late,
        the printer is asked why twice a second, and `on_stop` hears the cause. False: no such answer.
        """
        self._forget()
        self._line.write(question)
        asked_at = time.monotonic() + line_time
        while not self.stopped and time.monotonic() < asked_at + patience:
            poll_at = max(asked_at, time.monotonic()) + _POLL_S
            answer = self._next(min(poll_at, asked_at + patience))
            if answer is None:
                self._line.write(status_query(2))
            elif answer.kind is kind and expected in (None, answer.data):
                on_stop(Condition.OK)
                return True
            elif answer.kind is AnswerKind.REAL_TIME:
                on_stop(stop_cause(answer))
        return False

    @property
    def stopped(self) -> bool:
        return self._stop.is_set()

    def _forget(self) -> None:
        """Drops everything that came in before, so that no late answer is taken for a new one."""
        self._line.discard_input()
        self._parser = AnswerParser()
        self._answers.clear()

    def _ask(self, n: int) -> Answer | None:
        """The answer to DLE EOT n; a stray byte if only such came; None for silence."""
        stray = None
        for _ in range(_TRIES):
            self._line.write(status_query(n))
            deadline = time.monotonic() + _ANSWER_S
            while answer := self._next(deadline):
                if answer.kind is AnswerKind.REAL_TIME:
                    return answer
                stray = answer
        return stray

    def _next(self, deadline: float) -> Answer | None:
        while not self._answers:
            data = self._line.read_some(deadline)
            if not data:
                return None
            self._answers.extend(self._parser.feed(data))
        return self._answers.popleft()
