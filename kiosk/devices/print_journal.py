"""The print journal: what is known of every slip and sheet, on disk before the first byte leaves. The store implements it.

    queued → blocked                    nothing was sent
    queued → sending → printed          the printer said so itself
                     → unknown          anything else; only a person asks for a 补打, which is a new job
"""

from __future__ import annotations

from typing import Protocol

from kiosk.domain.slip import PrintOutcome


class PrintJournal(Protocol):
    """Called from a printer's thread. Every call is committed when it returns. kind: `slip` or `a4`; the printers of a
    terminal share one journal and know nothing of each other.
    """

    def queue(self, case_number: str, kind: str, copy: int, digest: str, size: int) -> int:
        """A new job, not yet sent. digest: SHA-256 of its bytes, hex; size: how many. The number is never used again."""

    def sending(self, job: int) -> None:
        """The first byte follows."""

    def end(self, job: int, outcome: PrintOutcome, evidence: str) -> None:
        """How it ended. evidence: status bytes in hex, or a reason code; never personal data."""

    def settle_interrupted(self, kind: str) -> int:
        """Called while nothing of this kind is being sent, at program start above all: its jobs in `sending` become unknown.

        Returns how many there were.
        """

    def last_is_unknown(self, kind: str) -> bool:
        """Whether the last job of this kind that was sent did not end `printed`: its remains may still be in the printer."""
