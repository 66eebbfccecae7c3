"""Handing in: one transaction of case, sealed payload, outbox row and audit entry, or nothing at all."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import logging
import secrets
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from sqlalchemy import Engine, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from kiosk.domain.case import CaseDraft, CaseReceipt, Item
from kiosk.domain.enrolment import EnrolmentDraft
from kiosk.domain.period import local_day
from kiosk.domain.roster import PersonRecord
from kiosk.domain.trouble import HandInTrouble
from kiosk.store import audit
from kiosk.store.models import CaseRow, OutboxRow, OutboxState
from kiosk.store.roster import find_entry
from kiosk.store.settings import get_setting, next_number, put_setting
from kiosk.store.uuid7 import uuid7

Draft = CaseDraft | EnrolmentDraft
"""Whatever is handed in."""

_log = logging.getLogger(__name__)
_INDEX_KEY = "index_key"
_PROVEN = ("committed", "safe")
_UNCLEAR = ("SQLITE_IOERR", "SQLITE_CORRUPT", "SQLITE_NOTADB")
"""After a failed fsync the row is invisible now, yet may be there after a restart."""


@dataclass(frozen=True, slots=True)
class Terminal:
    """Who this machine is for the office. epoch: issued at each enrolment."""

    terminal_id: str
    epoch: int


@dataclass(frozen=True, slots=True)
class Ticket:
    """What the store allocated for one case, inside the transaction that will hold it."""

    case_id: str
    case_number: str
    terminal: Terminal
    seq: int
    day: dt.date
    created: dt.datetime
    audit: audit.AuditHead
    """Head of the audit chain just before this case."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """data: exact bytes to send; signature: hex, over `data`."""

    data: bytes = field(repr=False)
    signature: str


class Sealer(Protocol):
    def terminal(self) -> Terminal | None:
        """None before enrolment: no case can be taken."""

    def seal(self, draft: Draft, ticket: Ticket) -> Sealed:
        """Turns a draft into bytes only the office can open."""


@dataclass(frozen=True, slots=True)
class SubmitFailed:
    """Nothing is committed, or nobody knows. reason: `disk_low`, `not_enrolled`, `restart_needed` or the database's code."""

    trouble: HandInTrouble
    reason: str


class CaseStore:
    """The terminal's cases. Thread-safe; every call is its own transaction."""

    def __init__(self, engine: Engine, free_floor_bytes: int) -> None:
        """free_floor_bytes: with less free disk than this no new case is taken."""
        self._engine = engine
        self._reader = engine.execution_options(read_only=True)
        self._folder = Path(str(engine.url.database)).absolute().parent
        self._free_floor = free_floor_bytes
        self.restart_needed = False
        """A commit ended without a clear answer: only a new process knows whether the case stands."""

    def submit(self, draft: Draft, sealer: Sealer, now: dt.datetime) -> CaseReceipt | SubmitFailed:
        """Commits the case, or returns why not. The same business key again gives the same receipt, not a second case.

        A receipt means: on disk, sealed, signed and due for delivery.
        """
        if self.restart_needed:
            return SubmitFailed(HandInTrouble.STORE_FAILED, "restart_needed")
        try:
            if shutil.disk_usage(self._folder).free < self._free_floor:
                return SubmitFailed(HandInTrouble.DISK_FULL, "disk_low")
            with Session(self._engine) as session, session.begin():
                return self._hand_in(session, draft, sealer, now)
        except DBAPIError as error:
            return self._failed(getattr(error.orig, "sqlite_errorname", None) or type(error).__name__)
        except OSError as error:
            return self._failed(f"os_{error.errno}")

    def find_person(self, number: str, today: dt.date) -> PersonRecord:
        """What is known when a card is laid. An unknown number is never a refusal."""
        with Session(self._reader) as session, session.begin():
            cases = _handed_in(session, Item.CERTIFICATION, number, today)
            enrolments = _handed_in(session, Item.ENROLMENT, number, today)
            last = cases[-1].case_number if cases else None
            return PersonRecord(find_entry(session, number), len(cases), last, len(enrolments))

    def is_delivered(self, case_id: str) -> bool:
        """Whether the office has signed that the case is in its database."""
        with Session(self._reader) as session, session.begin():
            row = session.scalars(select(OutboxRow).where(OutboxRow.case_id == case_id)).first()
            return row is not None and row.state == OutboxState.ACKED and row.ack_level in _PROVEN

    def _hand_in(self, session: Session, draft: Draft, sealer: Sealer, now: dt.datetime) -> CaseReceipt | SubmitFailed:
        terminal = sealer.terminal()
        if terminal is None:
            return SubmitFailed(HandInTrouble.STORE_FAILED, "not_enrolled")
        day = local_day(draft.captured_at)
        key = business_key(_index_key(session), draft.item, draft.card.number, day, draft.repeat)
        known = _receipt_of(session, key)
        if known is not None:
            return known
        ticket = Ticket(
            case_id=str(uuid7()),
            case_number=f"{terminal.terminal_id}-{day:%Y%m%d}-{next_number(session, 'case_number'):06d}",
            terminal=terminal,
            seq=next_number(session, f"seq:{terminal.epoch}"),
            day=day,
            created=now,
            audit=audit.head(session),
        )
        sealed = sealer.seal(draft, ticket)
        digest = hashlib.sha256(sealed.data).digest()
        act = "enrolment_handed_in" if draft.item is Item.ENROLMENT else "case_handed_in"
        entry = audit.append(session, act, case=ticket.case_id, sha256=digest.hex(), seq=ticket.seq)
        case = CaseRow(
            id=ticket.case_id, business_key=key, case_number=ticket.case_number, query_token=secrets.token_urlsafe(16),
            item=draft.item.value, day=day, sealed=sealed.data, digest=digest, signature=sealed.signature,
            audit_n=entry.n, created=now,
        )
        session.add(case)
        session.flush()
        session.add(OutboxRow(epoch=terminal.epoch, seq=ticket.seq, case_id=case.id, next_at=now))
        return CaseReceipt(case.id, case.case_number, case.query_token)

    def _failed(self, reason: str) -> SubmitFailed:
        _log.error("a case could not be committed: %s", reason)
        if reason.startswith("SQLITE_FULL"):
            return SubmitFailed(HandInTrouble.DISK_FULL, reason)
        self.restart_needed |= reason.startswith(_UNCLEAR)
        return SubmitFailed(HandInTrouble.STORE_FAILED, reason)


def business_key(index_key: str, item: Item, number: str, day: dt.date, repeat: int) -> bytes:
    """HMAC-SHA-256 under this terminal's own key, 16 bytes; the period is the certification month of `day`."""
    message = "\x1f".join((item.value, number, f"{day:%Y-%m}", str(repeat)))
    return hmac.digest(bytes.fromhex(index_key), message.encode(), "sha256")[:16]


def _index_key(session: Session) -> str:
    key = get_setting(session, _INDEX_KEY)
    if key is None:
        key = secrets.token_hex(32)
        put_setting(session, _INDEX_KEY, key)
    return key


def _handed_in(session: Session, item: Item, number: str, day: dt.date) -> list[CaseReceipt]:
    """Of this person in the month of `day`, in the order of their repeat."""
    index_key = get_setting(session, _INDEX_KEY)
    found: list[CaseReceipt] = []
    while index_key is not None:
        receipt = _receipt_of(session, business_key(index_key, item, number, day, repeat=len(found)))
        if receipt is None:
            break
        found.append(receipt)
    return found


def _receipt_of(session: Session, key: bytes) -> CaseReceipt | None:
    row = session.execute(
        select(CaseRow.id, CaseRow.case_number, CaseRow.query_token).where(CaseRow.business_key == key)
    ).first()
    return None if row is None else CaseReceipt(*row)
