"""For printing outside the terminal: a print journal that keeps nothing, because nothing printed here belongs to a case."""

from __future__ import annotations

from kiosk.domain.slip import PrintOutcome


class NoJournal:
    def queue(self, case_number: str, kind: str, copy: int, digest: str, size: int) -> int:
        return 1

    def sending(self, job: int) -> None: ...

    def end(self, job: int, outcome: PrintOutcome, evidence: str) -> None: ...

    def settle_interrupted(self, kind: str) -> int:
        return 0

    def last_is_unknown(self, kind: str) -> bool:
        return False
