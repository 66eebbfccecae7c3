"""The few IPP operations a kiosk needs, at a CUPS queue or at a printer. An answer or a Failure, never an exception."""

from __future__ import annotations

import itertools
import threading
from enum import IntEnum, StrEnum

from kiosk.devices.a4.codec import Attribute, Group, GroupTag, Message, Tag, decode, encode
from kiosk.devices.a4.exchange import Failure, IppAddress, post
from kiosk.devices.a4.states import A4, JobAnswer, PrinterAnswer

_USER = "kiosk"
"""Owner of every job; the same at CUPS and at the printer, so that both let us see and cancel our own."""
PDF = "application/pdf"
PREPARED_PDF = "application/vnd.cups-pdf"
"""CUPS's word for a PDF that needs no preparing; as plain PDF its filters would write the document anew."""
_PRINTER_ATTRIBUTES = ("printer-state", "printer-state-reasons", "printer-is-accepting-jobs", "media-ready")
_JOB_ATTRIBUTES = ("job-id", "job-name", "job-state", "job-impressions-completed", "job-media-sheets-completed")
_SUCCESS = range(0x100)


class Operation(IntEnum):
    PRINT_JOB = 0x02
    CANCEL_JOB = 0x08
    GET_JOB_ATTRIBUTES = 0x09
    GET_JOBS = 0x0A
    GET_PRINTER_ATTRIBUTES = 0x0B


class Jobs(StrEnum):
    OPEN = "not-completed"
    DONE = "completed"
    """Ended in whatever way."""


class IppPeer:
    """A CUPS queue or a printer. Every call ends by its deadline (time.monotonic() seconds), or at once when stopped."""

    def __init__(self, address: IppAddress, stop: threading.Event) -> None:
        self._address = address
        self._stop = stop
        self._request_ids = itertools.count(1)

    def unstoppable(self) -> IppPeer:
        """The same peer for the last words after a stop; the deadline alone ends its calls."""
        return IppPeer(self._address, threading.Event())

    def printer(self, deadline: float) -> PrinterAnswer | Failure:
        asked = Attribute.of(Tag.KEYWORD, "requested-attributes", *_PRINTER_ATTRIBUTES)
        answer = self._ask(Operation.GET_PRINTER_ATTRIBUTES, (asked,), deadline)
        if isinstance(answer, Failure):
            return answer
        for group in answer.of(GroupTag.PRINTER):
            return PrinterAnswer(
                state=_first(group.numbers("printer-state")),
                reasons=tuple(group.texts("printer-state-reasons")),
                accepting=all(group.flags("printer-is-accepting-jobs")),
                media_ready=tuple(group.texts("media-ready")),
            )
        return Failure.MALFORMED

    def submit(
        self, pdf: bytes, name: str, cancel_after_s: int, deadline: float, kind: str = PREPARED_PDF
    ) -> int | Failure:
        """Print-Job on A4, one side, at its own size. The job id; after a Failure the job may exist all the same.

        cancel_after_s: CUPS itself drops the job after so long, should nobody be left to do it; kind: PDF at a printer.
        """
        about = (Attribute.of(Tag.NAME, "job-name", name), Attribute.of(Tag.MIME, "document-format", kind))
        ticket = Group(GroupTag.JOB, (
            Attribute.of(Tag.INTEGER, "job-cancel-after", cancel_after_s),
            Attribute.of(Tag.KEYWORD, "media", A4),
            Attribute.of(Tag.KEYWORD, "print-scaling", "none"),
            Attribute.of(Tag.KEYWORD, "sides", "one-sided"),
        ))
        answer = self._ask(Operation.PRINT_JOB, about, deadline, (ticket,), pdf)
        if isinstance(answer, Failure):
            return answer
        numbers = [number for group in answer.of(GroupTag.JOB) for number in group.numbers("job-id")]
        return numbers[0] if numbers else Failure.MALFORMED

    def jobs(self, which: Jobs, deadline: float) -> list[JobAnswer] | Failure:
        asked = (
            Attribute.of(Tag.KEYWORD, "requested-attributes", *_JOB_ATTRIBUTES),
            Attribute.of(Tag.KEYWORD, "which-jobs", which.value),
        )
        answer = self._ask(Operation.GET_JOBS, asked, deadline)
        return answer if isinstance(answer, Failure) else _jobs(answer)

    def job(self, job_id: int, deadline: float) -> JobAnswer | Failure:
        """REFUSED: it does not know such a job, or does not remember it."""
        asked = (
            Attribute.of(Tag.INTEGER, "job-id", job_id),
            Attribute.of(Tag.KEYWORD, "requested-attributes", *_JOB_ATTRIBUTES),
        )
        answer = self._ask(Operation.GET_JOB_ATTRIBUTES, asked, deadline)
        if isinstance(answer, Failure):
            return answer
        return next((job for job in _jobs(answer) if job.id == job_id), Failure.MALFORMED)

    def cancel(self, job_id: int, deadline: float) -> Failure | None:
        """None: the peer agreed; the job may take a while to stop. REFUSED: it has ended already."""
        answer = self._ask(Operation.CANCEL_JOB, (Attribute.of(Tag.INTEGER, "job-id", job_id),), deadline)
        return answer if isinstance(answer, Failure) else None

    def _ask(
        self, operation: Operation, attributes: tuple[Attribute, ...], deadline: float,
        groups: tuple[Group, ...] = (), document: bytes = b"",
    ) -> Message | Failure:
        """The standard wants the first attributes in this order: charset, language, target, job."""
        target = (
            Attribute.of(Tag.CHARSET, "attributes-charset", "utf-8"),
            Attribute.of(Tag.LANGUAGE, "attributes-natural-language", "en"),
            Attribute.of(Tag.URI, "printer-uri", self._address.uri),
        )
        job = tuple(one for one in attributes if one.name == "job-id")
        rest = tuple(one for one in attributes if one.name != "job-id")
        who = (Attribute.of(Tag.NAME, "requesting-user-name", _USER),)
        request_id = next(self._request_ids)
        request = Message(operation, request_id, (Group(GroupTag.OPERATION, target + job + who + rest), *groups))
        body = post(self._address, encode(request) + document, deadline, self._stop)
        if isinstance(body, Failure):
            return body
        answer = decode(body)
        if answer is None or answer.request_id != request_id:
            return Failure.MALFORMED
        return answer if answer.code in _SUCCESS else Failure.REFUSED


def _jobs(answer: Message) -> list[JobAnswer]:
    """Jobs without an id are passed over: nothing can be done with them."""
    return [
        JobAnswer(
            id=group.numbers("job-id")[0],
            name="".join(group.texts("job-name")[:1]),
            state=_first(group.numbers("job-state")),
            impressions=_first(group.numbers("job-impressions-completed")),
            sheets=_first(group.numbers("job-media-sheets-completed")),
        )
        for group in answer.of(GroupTag.JOB)
        if group.numbers("job-id")
    ]


def _first(numbers: list[int]) -> int | None:
    return numbers[0] if numbers else None
