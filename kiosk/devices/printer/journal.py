"""The print journal: what is known of every slip, on disk before the first byte leaves. The store implements it.

    queued → blocked                    nothing was sent
    queued → sending → printed          the printer said so itself
                     → unknown          anything else; only a person asks for a 补打, which is a new job
"""

from __future__ import annotations

from typing import Protocol

from kiosk.domain.slip import PrintOutcome


class PrintJournal(Protocol):
    """Called from the printer thread. Every call is committed when it returns."""

    def queue(self, case_number: str, kind: str, copy: int, digest: str, size: int) -> int:
        """A new job, not yet sent. digest: SHA-256 of the picture, hex; size: its bytes. The number is never used again."""

    def sending(self, job: int) -> None:
        """The first byte follows."""

    def end(self, job: int, outcome: PrintOutcome, evidence: str) -> None:
        """How it ended. evidence: status bytes in hex, or a reason code; never personal data."""

    def settle_interrupted(self) -> int:
        """Called while nothing is being sent, at program start above all: every job in `sending` becomes unknown.

        Returns how many there were.
        """
