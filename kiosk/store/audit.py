"""The audit chain: link n is SHA-256(link n-1, event n), link 0 is 32 zero bytes.

An edit is seen by the chain, a cut tail only against a head that was shipped: every envelope carries one.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kiosk.store.models import AuditRow, CaseRow

_LINK_0 = bytes(32)


@dataclass(frozen=True, slots=True)
class AuditHead:
    n: int = 0
    link: bytes = _LINK_0


@dataclass(frozen=True, slots=True)
class AuditBreak:
    """n: first entry that is wrong or missing; reason: edited, missing, cut."""

    n: int
    reason: str


def link(previous: bytes, event: bytes) -> bytes:
    return hashlib.sha256(previous + event).digest()


def head(session: Session) -> AuditHead:
    last = session.scalars(select(AuditRow).order_by(AuditRow.n.desc()).limit(1)).first()
    return AuditHead() if last is None else AuditHead(last.n, last.link)


def append(session: Session, act: str, **facts: str | int) -> AuditHead:
    """Adds one event to the caller's transaction: it stands if and only if the act itself stands.

    facts: no personal data; ids, digests, counts.
    """
    event = json.dumps({"act": act, **facts}, sort_keys=True, separators=(",", ":")).encode()
    before = head(session)
    entry = AuditHead(before.n + 1, link(before.link, event))
    session.add(AuditRow(n=entry.n, event=event, link=entry.link))
    session.flush()
    return entry


def verify(session: Session, shipped: AuditHead | None = None) -> AuditBreak | None:
    """None when every entry follows from the one before, and nothing that is known to have existed is gone.

    shipped: a head that left this machine, for example the one an envelope carries.
    """
    at = AuditHead()
    for row in session.scalars(select(AuditRow).order_by(AuditRow.n)).yield_per(500):
        if row.n != at.n + 1:
            return AuditBreak(at.n + 1, "missing")
        if row.link != link(at.link, row.event):
            return AuditBreak(row.n, "edited")
        at = AuditHead(row.n, row.link)
        if shipped is not None and shipped.n == at.n and shipped.link != at.link:
            return AuditBreak(at.n, "edited")
    known = max(session.scalar(select(func.max(CaseRow.audit_n))) or 0, shipped.n if shipped else 0)
    return AuditBreak(at.n + 1, "cut") if at.n < known else None
