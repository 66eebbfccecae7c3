"""The audit chain: link n is the hash of link n-1 and event n, link 0 is 32 zero bytes; each entry names its hash.

An edit is seen by the chain itself. A cut tail, a roll-back to an older copy and a history written anew are seen only
against heads that left this machine: every envelope carries one, and the office counter-signs one with every heartbeat.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from kiosk.store import hashes
from kiosk.store.models import AuditRow, CaseRow

_LINK_0 = bytes(32)
_SALVAGED = "case_salvaged"
_HANDED_IN = ("case_handed_in", "enrolment_handed_in", _SALVAGED)


@dataclass(frozen=True, slots=True)
class AuditHead:
    n: int = 0
    link: bytes = _LINK_0


@dataclass(frozen=True, slots=True)
class AuditBreak:
    """n: first entry that is wrong or missing.

    reason: `edited`, `missing` (inside the chain), `cut` (known entries are gone from the end: cut off, or the machine was
    rolled back), `rewritten` (another chain than the one whose head left this machine: rolled back and worked on, or
    written anew), `case_differs` (a case is not the one this entry names), `case_missing` (its row is gone, and no entry
    says that it was erased).
    """

    n: int
    reason: str


@dataclass(frozen=True, slots=True)
class AuditReport:
    head: AuditHead
    proven: int
    """Up to this entry the chain is the one of a head that left this machine; 0: no such head fits."""
    breaks: tuple[AuditBreak, ...]


def link(previous: bytes, event: bytes, alg: str = hashes.SHA256) -> bytes | None:
    """None for a hash not known here."""
    return hashes.link(previous, event, alg)


def head(session: Session) -> AuditHead:
    last = session.scalars(select(AuditRow).order_by(AuditRow.n.desc()).limit(1)).first()
    return AuditHead() if last is None else AuditHead(last.n, last.link)


def append(session: Session, act: str, **facts: str | int) -> AuditHead:
    """Adds one event to the caller's transaction: it stands if and only if the act itself stands.

    facts: no personal data; ids, digests, counts.
    """
    event = json.dumps({"act": act, **facts}, sort_keys=True, separators=(",", ":")).encode()
    before, alg = head(session), hashes.chosen(session)
    made = link(before.link, event, alg)
    assert made is not None
    session.add(AuditRow(n=before.n + 1, event=event, link=made, alg=alg))
    session.flush()
    return AuditHead(before.n + 1, made)


def entries(engine: Engine, last: int) -> list[AuditRow]:
    """The newest, oldest first."""
    newest = select(AuditRow).order_by(AuditRow.n.desc()).limit(last)
    with Session(engine.execution_options(read_only=True), expire_on_commit=False) as session, session.begin():
        return list(session.scalars(newest))[::-1]


def verify(session: Session, shipped: AuditHead | None = None) -> AuditBreak | None:
    """The chain alone: None when every entry follows from the one before, and nothing known to have existed is gone.

    shipped: a head that left this machine, for example the one an envelope carries.
    """
    found = _walk(session, () if shipped is None else (shipped,))
    return found.breaks[0] if found.breaks else None


def examine(session: Session, shipped: Iterable[AuditHead] = ()) -> AuditReport:
    """As `verify`, against many heads, and whether the cases are those the chain names. Everything found, by entry."""
    found = _walk(session, shipped)
    breaks = sorted({*found.breaks, *_cases(session)}, key=lambda one: (one.n, one.reason))
    return AuditReport(found.head, found.proven, tuple(breaks))


def _walk(session: Session, shipped: Iterable[AuditHead]) -> AuditReport:
    """Stops at the first break: behind it nothing is known."""
    heads: dict[int, set[bytes]] = {}
    for one in shipped:
        heads.setdefault(one.n, set()).add(one.link)
    at, proven = AuditHead(), 0
    for row in session.scalars(select(AuditRow).order_by(AuditRow.n)).yield_per(500):
        if row.n != at.n + 1:
            return AuditReport(at, proven, (AuditBreak(at.n + 1, "missing"),))
        if row.link != link(at.link, row.event, row.alg):
            return AuditReport(at, proven, (AuditBreak(row.n, "edited"),))
        at = AuditHead(row.n, row.link)
        known = heads.get(at.n)
        if known is not None and known != {at.link}:
            return AuditReport(at, proven, (AuditBreak(at.n, "rewritten"),))
        proven = at.n if known else proven
    last = max(session.scalar(select(func.max(CaseRow.audit_n))) or 0, max(heads, default=0))
    return AuditReport(at, proven, (AuditBreak(at.n + 1, "cut"),) if at.n < last else ())


def _cases(session: Session) -> list[AuditBreak]:
    """Every case against the entry that names it, and every entry that names a case against the cases."""
    named: dict[str, tuple[int, str]] = {}
    erased = 0
    for row in session.scalars(select(AuditRow).order_by(AuditRow.n)).yield_per(500):
        event = _event(row.event)
        if event.get("act") in _HANDED_IN:
            named[str(event.get("case"))] = (row.n, str(event.get("sha256")))
        elif event.get("act") == "erased" and event.get("what") == "case_rows":
            erased += int(event.get("count", 0))
    found = []
    for case in session.scalars(select(CaseRow).order_by(CaseRow.audit_n)).yield_per(20):
        as_named = named.pop(case.id, None) == (case.audit_n, case.digest.hex())
        whole = case.purged is not None or hashlib.sha256(case.sealed).digest() == case.digest
        if not (as_named and whole):
            found.append(AuditBreak(case.audit_n, "case_differs"))
    gone = sorted(n for n, _ in named.values())
    return found + ([AuditBreak(gone[0], "case_missing")] if len(gone) > erased else [])


def case_named(event: bytes) -> str | None:
    """The case an entry says was handed in or salvaged; None: it speaks of something else."""
    told = _event(event)
    return str(told.get("case")) if told.get("act") in _HANDED_IN else None


def is_salvage(event: bytes | None) -> bool:
    """Whether this entry took a case over from a damaged database: its envelope carries a head of that one's chain."""
    return event is not None and _event(event).get("act") == _SALVAGED


def cases_erased(event: bytes) -> int:
    """How many rows of cases this entry says were erased."""
    told = _event(event)
    return int(told.get("count", 0)) if told.get("act") == "erased" and told.get("what") == "case_rows" else 0


def _event(event: bytes) -> dict[str, str | int]:
    try:
        told = json.loads(event)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
