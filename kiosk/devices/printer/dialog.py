"""Questions to a printer and its answers: every wait has an end, and no answer is an answer of its own."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from kiosk.devices.printer.profile import Profile
from kiosk.devices.printer.status import Answer, AnswerKind, AnswerParser, Condition
from kiosk.devices.serial_line import SerialLine

OnStop = Callable[[Condition], None]
"""Hears why a slip stands still; OK when it runs, or when the printer names no cause."""

_ANSWER_S = 0.4
_QUIET_S = 0.05
_TRIES = 2
_POLL_S = 0.5


@dataclass(frozen=True, slots=True)
class Report:
    """The answers to the profile's status queries; None where nothing came."""

    profile: Profile
    answers: tuple[Answer | None, ...]

    @property
    def condition(self) -> Condition:
        return self.profile.condition(self.answers)

    @property
    def ticket_waits(self) -> bool:
        return self.profile.ticket_waits(self.answers)

    @property
    def evidence(self) -> str:
        """For the journal: `1A 32 12 7E`, `--` where nothing came."""
        return " ".join(answer.data.hex(" ").upper() if answer else "--" for answer in self.answers)


class PrinterDialog:
    """Owned by one thread. Every call raises LineLost when the port fails, and returns early once `stop` is set."""

    def __init__(self, line: SerialLine, stop: threading.Event, profile: Profile) -> None:
        self._line = line
        self._stop = stop
        self._profile = profile
        self._parser = self._new_parser()
        self._answers: deque[Answer] = deque()

    def send(self, data: bytes) -> None:
        self._line.write(data)

    def report(self) -> Report:
        """The printer's state, asked a second time when the answers are not complete."""
        for _ in range(_TRIES):
            self._wait_for_quiet()
            report = self._report_once()
            if report.condition not in (Condition.MUTE, Condition.WRONG_DEVICE):
                break
        return report

    def ask(
        self, question: bytes, kind: AnswerKind, expected: bytes | None, *, line_time: float, patience: float, on_stop: OnStop
    ) -> bool:
        """Sends bytes that end in a question and waits for one answer of `kind` (with exactly the data `expected`, if given).

        line_time: seconds the bytes need on the line; patience: seconds to wait beyond that. When the answer is late,
        the printer is asked why twice a second, and `on_stop` hears the cause. False: no such answer.
        """
        asked_why = False
        self._forget()
        self._line.write(question)
        asked_at = time.monotonic() + line_time
        while not self.stopped and time.monotonic() < asked_at + patience:
            poll_at = max(asked_at, time.monotonic()) + _POLL_S
            answer = self._next(min(poll_at, asked_at + patience))
            if answer is None:
                self._line.write(self._profile.stop_query)
                asked_why = True
            elif answer.kind is kind and expected in (None, answer.data):
                on_stop(Condition.OK)
                if asked_why:
                    self._wait_for_quiet()  # half an answer to that would pass for the next fence
                return True
            elif answer.kind is self._profile.answers:
                on_stop(self._profile.stop_cause(answer))
        return False

    def wait(self, seconds: float) -> None:
        """Lets time pass, unless stopped; whatever the printer says meanwhile is forgotten."""
        self._stop.wait(seconds)
        self._forget()

    @property
    def stopped(self) -> bool:
        return self._stop.is_set()

    def _report_once(self) -> Report:
        """A printer that does not answer as it should is not asked further."""
        queries = self._profile.queries
        answers: list[Answer | None] = [None] * len(queries)
        for at, query in enumerate(queries):
            answers[at] = answer = self._ask_status(query)
            if answer is None or answer.kind is not self._profile.answers:
                break
        return Report(self._profile, tuple(answers))

    def _ask_status(self, query: bytes) -> Answer | None:
        """The answer to a status query; if none comes, whatever else did, or None for silence."""
        self._line.write(query)
        deadline = time.monotonic() + _ANSWER_S
        other = None
        while answer := self._next(deadline):
            if answer.kind in (self._profile.answers, AnswerKind.STRAY):
                return answer
            other = answer
        return other

    def _wait_for_quiet(self) -> None:
        """Status answers do not say which question they belong to: a late one would stand for the next."""
        give_up = time.monotonic() + _ANSWER_S
        while time.monotonic() < give_up and self._line.read_some(time.monotonic() + _QUIET_S):
            pass
        self._forget()

    def _forget(self) -> None:
        """Drops everything that came in before."""
        self._line.discard_input()
        self._parser = self._new_parser()
        self._answers.clear()

    def _new_parser(self) -> AnswerParser:
        return AnswerParser(full_status=self._profile.answers is AnswerKind.FULL_STATUS)

    def _next(self, deadline: float) -> Answer | None:
        while not self._answers:
            data = self._line.read_some(deadline)
            if not data:
                return None
            self._answers.extend(self._parser.feed(data))
        return self._answers.popleft()
