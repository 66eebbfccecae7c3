"""The terminal's part that takes cases: the real store and sealer, at random moments, with a journal of its own.

Lines of the journal, each on the disk before the next step: `sealed VISIT ID SHA256` inside the transaction,
`accepted VISIT ID` after the receipt. A visit without `accepted` is made again after a restart, as the person would.
"""

from __future__ import annotations

import datetime as dt
import os
import random
import time
from dataclasses import dataclass
from pathlib import Path

from harness import people
from kiosk.config import load_config
from kiosk.domain.case import CaseReceipt
from kiosk.store.cases import CaseStore, Draft, Sealed, Terminal, Ticket
from kiosk.store.opening import open_store
from kiosk.sync.sealer import EnvelopeSealer
from kiosk.sync.wire.envelope import digest


@dataclass(frozen=True)
class Orders:
    config: Path
    journal: Path
    last: int
    """Visits are numbered from `first` to here; then the process ends."""
    first: int = 1
    pause_s: float = 0.1
    seed: int = 0
    boasts: bool = False
    """A control: says `accepted` before the commit."""


@dataclass
class Journal:
    """What was promised to people, by whoever promised it; independent of the terminal's database."""

    path: Path

    def write(self, *words: object) -> None:
        with self.path.open("a", encoding="ascii") as file:
            print(*words, file=file, flush=True)
            os.fsync(file.fileno())

    def accepted(self) -> dict[int, str]:
        """Id of the case by visit."""
        return {int(words[1]): words[2] for words in self._lines("accepted", 3)}

    def sealed(self) -> dict[str, str]:
        """SHA-256 by id, also of what was never committed."""
        return {words[2]: words[3] for words in self._lines("sealed", 4)}

    def _lines(self, kind: str, words: int) -> list[list[str]]:
        if not self.path.exists():
            return []
        found = [line.split() for line in self.path.read_text(encoding="ascii").splitlines()]
        return [line for line in found if len(line) == words and line[0] == kind]


class _Noting:
    """The real sealer; what it sealed is noted while the transaction is still open."""

    def __init__(self, sealer: EnvelopeSealer, orders: Orders, journal: Journal) -> None:
        self._sealer, self._orders, self._journal = sealer, orders, journal
        self.visit = 0

    def terminal(self) -> Terminal | None:
        return self._sealer.terminal()

    def seal(self, draft: Draft, ticket: Ticket) -> Sealed:
        sealed = self._sealer.seal(draft, ticket)
        self._journal.write("sealed", self.visit, ticket.case_id, digest(sealed.data).hex())
        if self._orders.boasts:
            self._journal.write("accepted", self.visit, ticket.case_id)
        return sealed


def submit(orders: Orders) -> None:
    chance = random.Random(f"{orders.seed}/{os.getpid()}")
    config = load_config(orders.config)
    engine = open_store(config)
    journal = Journal(orders.journal)
    store = CaseStore(engine, 0)
    real = EnvelopeSealer(engine, True, config.sync.part_kb * 1024, config.store.suite)
    sealer = _Noting(real, orders, journal)
    done = set(journal.accepted())
    for visit in range(orders.first, orders.last + 1):
        if visit in done:
            continue
        sealer.visit = visit
        now = dt.datetime.now(dt.UTC)
        receipt = store.submit(people.draft(visit, now), sealer, now)
        if not isinstance(receipt, CaseReceipt):
            raise SystemExit(f"visit {visit} was not taken: {receipt.reason}")
        if not orders.boasts:
            journal.write("accepted", visit, receipt.case_id)
        time.sleep(chance.uniform(0, orders.pause_s))
    engine.dispose()
