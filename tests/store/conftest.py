"""A real SQLCipher file per test, a maker of drafts about an invented person, and the plainest sealer there is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import Engine

from kiosk.domain.case import CaseDraft, Item
from kiosk.domain.consent import Consent, ConsentScope
from kiosk.domain.decision import FaceEvidence, Outcome
from kiosk.domain.document import CardKind, IdCard
from kiosk.domain.enrolment import EnrolmentDraft, EnrolmentEvidence
from kiosk.domain.liveness import LivenessReport, Profile
from kiosk.store.cases import CaseStore, Draft, Sealed, Terminal, Ticket
from kiosk.store.database import open_database
from kiosk.store.key import DatabaseKey
from kiosk.store.migrate import migrate

MakeDraft = Callable[..., CaseDraft]


@dataclass
class PlainSealer:
    """Stands in for the sync room: bytes that name the ticket."""

    epoch: int = 1
    enrolled: bool = True
    tickets: list[Ticket] = field(default_factory=list)

    def terminal(self) -> Terminal | None:
        return Terminal("HG01", self.epoch) if self.enrolled else None

    def seal(self, draft: Draft, ticket: Ticket) -> Sealed:
        self.tickets.append(ticket)
        return Sealed(f"sealed {ticket.case_id} {ticket.seq}".encode() + bytes(4000), "00")


@pytest.fixture
def now() -> dt.datetime:
    return dt.datetime(2026, 11, 23, 1, 0, tzinfo=dt.UTC)


@pytest.fixture
def key() -> DatabaseKey:
    return DatabaseKey("0f" * 32)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "terminal.db"


@pytest.fixture
def engine(database: Path, key: DatabaseKey) -> Iterator[Engine]:
    engine = open_database(database, key)
    migrate(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def store(engine: Engine) -> CaseStore:
    return CaseStore(engine, free_floor_bytes=0)


@pytest.fixture
def sealer() -> PlainSealer:
    return PlainSealer()


@pytest.fixture
def draft(now: dt.datetime) -> MakeDraft:
    def make(number: str = "999901195001010026", repeat: int = 0, captured_at: dt.datetime = now) -> CaseDraft:
        return CaseDraft(
            item=Item.CERTIFICATION,
            card=IdCard(CardKind.RESIDENT, number, "张测试"),
            outcome=Outcome.PASSED,
            consent=Consent(frozenset(ConsentScope), "2026-11", now),
            attempts=(FaceEvidence(0.3, 5, 3, LivenessReport(Profile.PAPER, "ab", (), (), 0), "engine", (b"\xff\xd8photo",)),),
            captured_at=captured_at, in_roster=True, category="居保", due=None, repeat=repeat,
        )

    return make


@pytest.fixture
def enrolment(now: dt.datetime) -> EnrolmentDraft:
    """Of the same person."""
    report = LivenessReport(Profile.PAPER, "ab", (), (), 0)
    return EnrolmentDraft(
        card=IdCard(CardKind.RESIDENT, "999901195001010026", "张测试"),
        consent=Consent(frozenset({ConsentScope.ENROL}), "2026-11", now),
        evidence=EnrolmentEvidence((), 0.2, 0.35, report, "engine"), staff="wang", captured_at=now, in_roster=True,
        category="居保",
    )
