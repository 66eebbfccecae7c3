"""One PDF from bytes to proof. At most once: what cannot be proved is `unknown`, taken back and never sent again by itself.

CUPS carries the document, but its word is no proof: it has called jobs completed that the printer had aborted, and
it keeps a job for a printer that is gone and prints it when the printer returns, in front of somebody else. So the
printer is asked itself, and whatever is not proved is cancelled at both before the next job.
"""

from __future__ import annotations

import hashlib
import secrets
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kiosk.config import A4Config
from kiosk.devices.a4.exchange import Failure, IppAddress
from kiosk.devices.a4.ipp import IppPeer, Jobs
from kiosk.devices.a4.pages import count_pages
from kiosk.devices.a4.states import (
    PROCESSING,
    Condition,
    JobAnswer,
    Progress,
    came_out_whole,
    printer_condition,
    queue_condition,
)
from kiosk.devices.print_journal import PrintJournal
from kiosk.domain.slip import PrintOutcome, PrintResult

OnStop = Callable[[Condition], None]
"""Hears why a job stands still; OK when it runs."""

_ANSWER_S = 2.0
_CLEAR_S = 6.0
"""A job that has reached the printer ends at its next stop point, a backend that hangs is killed by CUPS after five."""
_GRACE_S = 5.0
"""How long after CUPS is through with a job the printer may take to show it, and the other way round."""
_LAST_WORD_S = 0.06
"""A stop may take a tenth of a second."""
_ORPHAN_S = 30
"""So much later than we would, CUPS drops a job by itself."""
_MACHINE_ID = Path("/etc/machine-id")


def job_prefix(config: A4Config) -> str:
    """What every job name of this terminal and queue begins with, so that two terminals may share a printer."""
    machine = _MACHINE_ID.read_text("ascii") if _MACHINE_ID.exists() else socket.gethostname()
    tag = hashlib.sha256(f"{machine}\n{config.server}\n{config.queue}".encode()).hexdigest()[:8]
    return f"kiosk-{tag}-"


@dataclass(slots=True)
class _Watch:
    """One job under way, and the last that was heard of it."""

    name: str
    pages: int
    deadline: float
    at_printer: JobAnswer | None = None
    at_queue: JobAnswer | None = None
    queue_ended: float | None = None
    """When CUPS was first seen to be through with it."""

    def soon(self) -> float:
        """The deadline of one question; never later than that of the job."""
        return min(_soon(), self.deadline)

    @property
    def evidence(self) -> str:
        printer, queue = self.at_printer, self.at_queue
        counted = printer.counted if printer else None
        return (
            f"printer {printer.progress.value if printer else 'none'}, pages {'?' if counted is None else counted} of "
            f"{self.pages}, cups {queue.progress.value if queue else 'none'}"
        )


class PdfDriver:
    """Owned by one thread. Never raises for what printer, CUPS or network may do; returns early once `stop` is set."""

    def __init__(
        self, config: A4Config, journal: PrintJournal, on_stop: OnStop, stop: threading.Event, poll_s: float = 0.5
    ) -> None:
        server = IppAddress.parse(config.server)
        self._queue = IppPeer(IppAddress(server.host, server.port, f"/printers/{config.queue}"), stop)
        self._printer = IppPeer(IppAddress.parse(config.printer), stop)
        self._config = config
        self._journal = journal
        self._on_stop = on_stop
        self._stop = stop
        self._poll_s = poll_s
        self._prefix = job_prefix(config)
        self._clear = False
        """Neither CUPS nor the printer holds a job of ours. Not known at first: an earlier run may have left some."""
        self.begun = False
        """Something of a job may have been sent, and its end is not in the journal yet."""

    def condition(self) -> Condition:
        """What stands between a job and paper; the printer's own state first."""
        printer = self._printer_condition(_soon())
        queue = self._queue_condition() if printer.can_print else Condition.OK
        return printer if queue.can_print else queue

    def clear(self, seconds: float = _CLEAR_S) -> bool:
        """Cancels every job of ours until neither CUPS nor the printer holds one. False: not proved in time.

        seconds: 0 tries once.
        """
        give_up = time.monotonic() + seconds
        while not self._clear and not self._stop.is_set():
            if self._withdraw(self._queue, _soon()) == 0 and self._queue_at_rest():  # first what feeds the printer
                left = self._withdraw(self._printer, _soon())
                self._clear = left == 0
                if left is None:  # it is away: CUPS sends it nothing more, and what it may hold has to wait
                    break
            if self._clear or time.monotonic() >= give_up:
                break
            self._stop.wait(self._poll_s)
        return self._clear

    def settle(self) -> None:
        """After a proved job: CUPS may take a moment to notice, and only then what it still holds is cancelled."""
        give_up = time.monotonic() + _GRACE_S
        while not self._stop.is_set() and time.monotonic() < give_up and not self._queue_at_rest():
            self._stop.wait(self._poll_s)
        self.clear()

    def print_pdf(self, job: int, pdf: bytes) -> PrintResult:
        """Leaves nothing behind that could print later, or knows that it did: then nothing is sent until it is gone, and
        the reason is `not_taken_back`.
        """
        pages = count_pages(pdf)
        hindrance = "not_a_pdf" if pages is None else self._hindrance()
        if pages is None or hindrance:
            return self._end(job, PrintOutcome.BLOCKED, hindrance, hindrance)
        self._journal.sending(job)
        self.begun, self._clear = True, False
        seconds = self._config.patience_s + pages * self._config.page_s
        watch = _Watch(self._prefix + secrets.token_hex(6), pages, time.monotonic() + seconds)
        submitted = self._queue.submit(pdf, watch.name, round(seconds) + _ORPHAN_S, watch.deadline)
        doubt = _not_taken(submitted).value if isinstance(submitted, Failure) else self._follow(watch, submitted)
        if not doubt:
            return self._end(job, PrintOutcome.PRINTED, "", watch.evidence)
        if self._stop.is_set():
            self._last_word()
            doubt = Failure.INTERRUPTED.value
        elif not self.clear():
            return self._end(job, PrintOutcome.UNKNOWN, "not_taken_back", f"{doubt}, {watch.evidence}")
        return self._end(job, PrintOutcome.UNKNOWN, doubt, watch.evidence)

    def _hindrance(self) -> str:
        """Why nothing must be sent now; "" when all is well."""
        condition = self.condition()
        if condition.can_print and not self.clear():
            condition = Condition.OLD_JOB
        if self._stop.is_set():
            return Failure.INTERRUPTED.value
        return "" if condition.can_print else condition.value

    def _follow(self, watch: _Watch, queue_job: int) -> str:
        """"" once the printer has said that every page came out, else why that is in doubt."""
        cause = Condition.OK
        word = "too_slow"
        while not self._stop.is_set() and time.monotonic() < watch.deadline:
            self._look(watch, queue_job)
            cause = self._printer_condition(watch.soon())
            self._on_stop(Condition.OK if cause.can_print else cause)
            printer = watch.at_printer
            if printer and came_out_whole(printer, watch.pages, self._config.page_counter):
                return ""
            if printer and printer.progress.final:
                word = "pages_missing" if printer.progress is Progress.COMPLETED else printer.progress.value
                break
            if not printer and watch.queue_ended and time.monotonic() > watch.queue_ended + _GRACE_S:
                word = "no_proof"
                break
            self._stop.wait(self._poll_s)
        return word if cause.can_print else cause.value

    def _look(self, watch: _Watch, queue_job: int) -> None:
        """Asks both where the job is; what does not answer leaves the last word standing."""
        if found := self._find_at_printer(watch):
            watch.at_printer = found
        answer = self._queue.job(queue_job, watch.soon())
        if isinstance(answer, JobAnswer):
            watch.at_queue = answer
            if answer.progress.final and not watch.queue_ended:
                watch.queue_ended = time.monotonic()

    def _find_at_printer(self, watch: _Watch) -> JobAnswer | None:
        """By its number once that is known, by its name before; a quick job may have ended before it was first seen."""
        if watch.at_printer:
            answer = self._printer.job(watch.at_printer.id, watch.soon())
            if isinstance(answer, JobAnswer) and answer.name == watch.name:  # numbers start again with the printer
                return answer
            return None
        for which in (Jobs.OPEN, Jobs.DONE):
            jobs = self._printer.jobs(which, watch.soon())
            if isinstance(jobs, Failure):
                return None
            for job in jobs:
                if job.name == watch.name:
                    return job
        return None

    def _queue_at_rest(self) -> bool:
        """A cancelled job is gone from the list at once, while its backend may still be feeding the printer."""
        queue = self._queue.printer(_soon())
        return not isinstance(queue, Failure) and queue.state != PROCESSING

    def _withdraw(self, peer: IppPeer, deadline: float) -> int | None:
        """Cancels what the peer holds of ours. How many jobs that were; None when it did not answer."""
        jobs = peer.jobs(Jobs.OPEN, deadline)
        if isinstance(jobs, Failure):
            return None
        ours = [job for job in jobs if job.name.startswith(self._prefix)]
        for job in ours:
            peer.cancel(job.id, deadline)
        return len(ours)

    def _last_word(self) -> None:
        """The program ends in the middle of a job: one try to take it back. The next start looks again."""
        deadline = time.monotonic() + _LAST_WORD_S
        for peer in (self._queue, self._printer):
            self._withdraw(peer.unstoppable(), deadline)

    def _printer_condition(self, deadline: float) -> Condition:
        answer = self._printer.printer(deadline)
        if isinstance(answer, Failure):
            return Condition.UNCLEAR if answer is Failure.INTERRUPTED else Condition(answer.value)
        return printer_condition(answer, self._config.ignored_reasons)

    def _queue_condition(self) -> Condition:
        answer = self._queue.printer(_soon())
        if isinstance(answer, Failure):
            return Condition.NO_QUEUE if answer is Failure.REFUSED else Condition.NO_SPOOLER
        return queue_condition(answer)

    def _end(self, job: int, outcome: PrintOutcome, reason: str, evidence: str) -> PrintResult:
        self._journal.end(job, outcome, evidence)
        self.begun = False
        return PrintResult(job, outcome, reason)


def _not_taken(failure: Failure) -> Condition:
    return Condition.REFUSED if failure is Failure.REFUSED else Condition.NO_SPOOLER


def _soon() -> float:
    return time.monotonic() + _ANSWER_S
