"""Handing in: one transaction of case, sealed payload, outbox row and audit entry, or nothing at all."""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
import secrets
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from sqlalchemy import Engine, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from kiosk.domain.case import CaseDraft, CaseReceipt, Item
from kiosk.domain.enrolment import EnrolmentDraft
from kiosk.domain.period import local_day
from kiosk.domain.roster import OfficeDecision, PersonRecord
from kiosk.domain.trouble import HandInTrouble
from kiosk.store import audit, ballast, hashes
from kiosk.store.models import CaseRow, OutboxRow, OutboxState, PartRow
from kiosk.store.outcomes import last_decision
from kiosk.store.roster import find_entry
from kiosk.store.settings import get_setting, next_number, put_setting
from kiosk.store.uuid7 import uuid7

Draft = CaseDraft | EnrolmentDraft
"""Whatever is handed in."""

_log = logging.getLogger(__name__)
_INDEX_KEY = "index_key"
_MONTHS_BACK = 12
"""So far back the cases of a person are looked for: longer than a period the roster has told the decision."""
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
    """data: exact bytes to send; signature: hex, over `data`; parts: ciphertext that travels beside it, in order."""

    data: bytes = field(repr=False)
    signature: str
    parts: tuple[bytes, ...] = field(default=(), repr=False)


class Sealer(Protocol):
    def terminal(self) -> Terminal | None:
        """None before enrolment: no case can be taken."""

    def seal(self, draft: Draft, ticket: Ticket) -> Sealed:
        """Turns a draft into bytes only the office can open."""


@dataclass(frozen=True, slots=True)
class SubmitFailed:
    """Nothing is committed, or nobody knows. reason: `disk_low`, `too_many_unsent`, `not_enrolled`, `restart_needed`
    or the database's code."""

    trouble: HandInTrouble
    reason: str


class CaseStore:
    """The terminal's cases. Thread-safe; every call is its own transaction."""

    def __init__(self, engine: Engine, free_floor_bytes: int, max_unsent: int | None = None) -> None:
        """No new case is taken with less free disk than free_floor_bytes, or with max_unsent cases waiting to be sent."""
        self._engine = engine
        self._reader = engine.execution_options(read_only=True)
        self._folder = Path(str(engine.url.database)).absolute().parent
        self._free_floor = free_floor_bytes
        self._max_unsent = max_unsent
        self._ballast = ballast.of(engine)
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
            if self._ballast is not None and self._ballast.spent and not self._ballast.keep():
                return SubmitFailed(HandInTrouble.DISK_FULL, "disk_low")
            return self._commit(draft, sealer, now)
        except DBAPIError as error:
            return self._failed(_code(error))
        except OSError as error:
            return self._failed(f"os_{error.errno}")

    def _commit(self, draft: Draft, sealer: Sealer, now: dt.datetime) -> CaseReceipt | SubmitFailed:
        """A disk that fills up now gives up its ballast for the person who stands here, and the transaction runs once more."""
        for last_try in (False, True):
            try:
                with Session(self._engine) as session, session.begin():
                    return self._hand_in(session, draft, sealer, now)
            except DBAPIError as error:
                gave = self._ballast is not None and self._ballast.spent
                if last_try or not (gave and ballast.is_full(_code(error))):
                    raise
        raise AssertionError("the second try returns or raises")

    def find_person(self, number: str, today: dt.date) -> PersonRecord:
        """What is known when a card is laid. An unknown number is never a refusal."""
        with Session(self._reader) as session, session.begin():
            cases = _handed_in(session, Item.CERTIFICATION, number, today)
            enrolments = _handed_in(session, Item.ENROLMENT, number, today)
            last = cases[-1].case_number if cases else None
            entry = find_entry(session, number)
            told = _decision_here(session, number, today)
            if told and entry and entry.decision and entry.decision.decided_on > told.decided_on:
                told = None
            return PersonRecord(entry, len(cases), last, len(enrolments), told)

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
        index_key, wish = _index_key(session), _wish(draft.item, draft.card.number, day, draft.repeat)
        known = _receipt_of(session, index_key, wish)
        if known is not None:
            return known
        if self._max_unsent is not None and _unsent(session) >= self._max_unsent:
            return self._failed("too_many_unsent")
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
            id=ticket.case_id, business_key=hashes.blind(index_key, wish, hashes.chosen(session)),
            case_number=ticket.case_number, query_token=secrets.token_urlsafe(16),
            item=draft.item.value, day=day, sealed=sealed.data, digest=digest, signature=sealed.signature,
            audit_n=entry.n, created=now,
        )
        session.add(case)
        session.flush()
        session.add_all(
            PartRow(sha256=hashlib.sha256(body).hexdigest(), case_id=case.id, position=position, body=body)
            for position, body in enumerate(sealed.parts)
        )
        session.add(OutboxRow(epoch=terminal.epoch, seq=ticket.seq, case_id=case.id, next_at=now))
        return CaseReceipt(case.id, case.case_number, case.query_token)

    def _failed(self, reason: str) -> SubmitFailed:
        _log.error("a case could not be committed: %s", reason)
        if ballast.is_full(reason) or reason == "too_many_unsent":
            return SubmitFailed(HandInTrouble.DISK_FULL, reason)
        self.restart_needed |= reason.startswith(_UNCLEAR)
        return SubmitFailed(HandInTrouble.STORE_FAILED, reason)


def _code(error: DBAPIError) -> str:
    return getattr(error.orig, "sqlite_errorname", None) or type(error).__name__


def _wish(item: Item, number: str, day: dt.date, repeat: int) -> bytes:
    """What one case is about; the period is the certification month of `day`. Never stored but as a blind index."""
    return "\x1f".join((item.value, number, f"{day:%Y-%m}", str(repeat))).encode()


def _unsent(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(OutboxRow).where(OutboxRow.state == OutboxState.PENDING)) or 0


def _index_key(session: Session) -> bytes:
    key = get_setting(session, _INDEX_KEY)
    if key is None:
        key = secrets.token_hex(32)
        put_setting(session, _INDEX_KEY, key)
    return bytes.fromhex(key)


def _handed_in(session: Session, item: Item, number: str, day: dt.date) -> list[CaseReceipt]:
    """Of this person in the month of `day`, in the order of their repeat."""
    index_key = get_setting(session, _INDEX_KEY)
    found: list[CaseReceipt] = []
    while index_key is not None:
        receipt = _receipt_of(session, bytes.fromhex(index_key), _wish(item, number, day, repeat=len(found)))
        if receipt is None:
            break
        found.append(receipt)
    return found


def _decision_here(session: Session, number: str, today: dt.date) -> OfficeDecision | None:
    """Of somebody the roster may not know: by the cases this terminal has taken from this person, newest month last."""
    month_index = today.year * 12 + today.month - 1
    months = (dt.date(one // 12, one % 12 + 1, 1) for one in range(month_index - _MONTHS_BACK, month_index + 1))
    cases = (case for month in months for case in _handed_in(session, Item.CERTIFICATION, number, month))
    return last_decision(session, [case.case_id for case in cases])


def _receipt_of(session: Session, index_key: bytes, wish: bytes) -> CaseReceipt | None:
    """By whichever hash it was indexed: after a switch of suite the same wish is still the same case."""
    row = session.execute(
        select(CaseRow.id, CaseRow.case_number, CaseRow.query_token)
        .where(CaseRow.business_key.in_(hashes.blinds(index_key, wish)))
    ).first()
    return None if row is None else CaseReceipt(*row)
