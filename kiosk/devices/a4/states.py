"""What printers and CUPS say about themselves and their jobs, in one word each. Pure; RFC 8011, 5.3.7 and 5.4.11-12."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

A4 = "iso_a4_210x297mm"
IDLE, PROCESSING, STOPPED = 3, 4, 5
"""The values of printer-state."""


@dataclass(frozen=True, slots=True)
class PrinterAnswer:
    """Get-Printer-Attributes, of a printer or of a CUPS queue."""

    state: int | None
    reasons: tuple[str, ...] = ()
    accepting: bool = True
    media_ready: tuple[str, ...] = ()
    """Sizes in the trays; empty when the printer does not say."""


class Condition(StrEnum):
    """One word for the whole way to paper; the value is the reason code of a DeviceStatus."""

    OK = "ok"
    PAPER_LOW = "paper_low"
    TONER_LOW = "toner_low"
    COVER_OPEN = "cover_open"
    JAM = "jam"
    PAPER_OUT = "paper_out"
    TONER_OUT = "toner_out"
    WRONG_PAPER = "wrong_paper"
    """The trays hold other sizes than A4."""
    FAULT = "fault"
    """Cannot print for another cause: a tray is missing, a box is full, something is too hot."""
    STOPPED = "stopped"
    """Paused at its panel, or takes no jobs."""
    UNCLEAR = "unclear"
    """Answers, but not in which state it is: nothing is known."""
    UNREACHABLE = "unreachable"
    """Switched off or not connected."""
    MUTE = "mute"
    """Connected, without an answer: nothing is known."""
    WRONG_DEVICE = "wrong_device"
    """Answers something that is not IPP."""
    REFUSED = "refused"
    """Does not let us ask: wrong address path, or it wants a password."""
    NO_SPOOLER = "no_spooler"
    """CUPS does not run."""
    NO_QUEUE = "no_queue"
    QUEUE_STOPPED = "queue_stopped"
    OLD_JOB = "old_job"
    """An earlier job of ours could not be taken back yet; until then nothing new is sent."""

    @property
    def can_print(self) -> bool:
        return self in (Condition.OK, Condition.PAPER_LOW, Condition.TONER_LOW)

    @property
    def silent(self) -> bool:
        return self in (Condition.UNREACHABLE, Condition.MUTE)


_HINDRANCES = {
    "cover-open": Condition.COVER_OPEN,
    "door-open": Condition.COVER_OPEN,
    "interlock-open": Condition.COVER_OPEN,
    "media-jam": Condition.JAM,
    "media-empty": Condition.PAPER_OUT,
    "media-needed": Condition.PAPER_OUT,
    "toner-empty": Condition.TONER_OUT,
    "marker-supply-empty": Condition.TONER_OUT,
    "developer-empty": Condition.TONER_OUT,
    "input-tray-missing": Condition.FAULT,
    "output-tray-missing": Condition.FAULT,
    "output-area-full": Condition.FAULT,
    "marker-waste-full": Condition.FAULT,
    "fuser-over-temp": Condition.FAULT,
    "spool-area-full": Condition.FAULT,
    "paused": Condition.STOPPED,
    "moving-to-paused": Condition.STOPPED,
    "stopping": Condition.STOPPED,
    "shutdown": Condition.STOPPED,
}
"""These hinder whatever their suffix: CUPS passes an empty tray on as a warning, and a printer that is idle calls it a
mere report."""
_WARNINGS = {
    "media-low": Condition.PAPER_LOW,
    "toner-low": Condition.TONER_LOW,
    "marker-supply-low": Condition.TONER_LOW,
    "developer-low": Condition.TONER_LOW,
}
_SUFFIXES = ("-error", "-warning", "-report")
_WORST_FIRST = (
    Condition.COVER_OPEN, Condition.JAM, Condition.PAPER_OUT, Condition.TONER_OUT, Condition.WRONG_PAPER, Condition.FAULT,
    Condition.STOPPED, Condition.PAPER_LOW, Condition.TONER_LOW,
)


def printer_condition(answer: PrinterAnswer, ignored: Collection[str] = ()) -> Condition:
    """ignored: reasons exactly as this model sends them that mean nothing here. The worst word that is true wins."""
    found = {_meaning(reason) for reason in answer.reasons if reason not in ignored}
    if answer.state == STOPPED or not answer.accepting:
        found.add(Condition.STOPPED)
    if answer.media_ready and A4 not in answer.media_ready:
        found.add(Condition.WRONG_PAPER)
    worst = next((condition for condition in _WORST_FIRST if condition in found), Condition.OK)
    return Condition.UNCLEAR if worst.can_print and answer.state not in (IDLE, PROCESSING) else worst


def queue_condition(answer: PrinterAnswer) -> Condition:
    """Of the CUPS queue only whether it passes jobs on: what it repeats of the printer's state comes late and softened."""
    passes_on = answer.state in (IDLE, PROCESSING) and answer.accepting
    return Condition.OK if passes_on else Condition.QUEUE_STOPPED


def _meaning(reason: str) -> Condition:
    suffix = next((one for one in _SUFFIXES if reason.endswith(one)), "")
    keyword = reason.removesuffix(suffix)
    if keyword in _HINDRANCES:
        return _HINDRANCES[keyword]
    if keyword in _WARNINGS:
        return _WARNINGS[keyword]
    return Condition.FAULT if suffix == "-error" else Condition.OK


class Progress(StrEnum):
    """How far a job is. The last three are final."""

    UNKNOWN = "unknown"
    WAITING = "waiting"
    PRINTING = "printing"
    HALTED = "halted"
    """Stands still in the middle, for paper for example."""
    CANCELED = "canceled"
    ABORTED = "aborted"
    COMPLETED = "completed"

    @property
    def final(self) -> bool:
        return self in (Progress.CANCELED, Progress.ABORTED, Progress.COMPLETED)


_PROGRESS = {
    3: Progress.WAITING, 4: Progress.WAITING, 5: Progress.PRINTING, 6: Progress.HALTED,
    7: Progress.CANCELED, 8: Progress.ABORTED, 9: Progress.COMPLETED,
}


@dataclass(frozen=True, slots=True)
class JobAnswer:
    """One job, as a printer or CUPS sees it."""

    id: int
    name: str
    state: int | None
    impressions: int | None = None
    """job-impressions-completed."""
    sheets: int | None = None
    """job-media-sheets-completed; equal to impressions, since we print on one side."""

    @property
    def progress(self) -> Progress:
        return _PROGRESS.get(self.state or 0, Progress.UNKNOWN)

    @property
    def counted(self) -> int | None:
        """Pages that came out, where the printer counts them."""
        return self.sheets if self.impressions is None else self.impressions


def came_out_whole(job: JobAnswer, pages: int, counter: bool) -> bool:
    """The printer's own word that all pages are on paper. counter: this model's count of pages can be trusted."""
    return job.progress is Progress.COMPLETED and (not counter or job.counted in (None, pages))
