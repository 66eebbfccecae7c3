"""Heads of the audit chain that left this machine: in envelopes, and in heartbeats the office has counter-signed."""

from __future__ import annotations

import json
from dataclasses import dataclass

from pydantic import ValidationError
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from kiosk.store import audit
from kiosk.store.audit import AuditBreak, AuditHead, AuditReport
from kiosk.store.models import AuditRow, CaseRow
from kiosk.store.settings import get_setting, put_setting
from kiosk.sync.identity import Identity
from kiosk.sync.wire import models as wire
from kiosk.sync.wire.base import Wire
from kiosk.sync.wire.envelope import EnvelopeError, parse_header
from kiosk.sync.wire.keys import public_hex, signing_public
from kiosk.sync.wire.signing import Context, verify

_SETTING = "audit_countersigned"


class Countersigned(Wire):
    """The newest head the office has signed for, with its own words."""

    head: wire.AuditHead
    answer: str
    """The HeartbeatAnswer as signed."""
    signature: str
    key: wire.KeyHex
    """Which of the office's keys signed; it may be an earlier one."""

    def holds(self) -> bool:
        """Whether the office's signature stands under exactly this head."""
        if not verify(Context.HEARTBEAT_ANSWER, self.answer.encode(), self.signature, signing_public(self.key)):
            return False
        return bool(json.loads(self.answer).get("audit") == self.head.model_dump())


@dataclass(frozen=True, slots=True)
class Examined:
    report: AuditReport
    countersigned: int | None
    """Number of the newest head the office has signed for; None: it never has."""
    shipped: int
    """So many heads that left this machine were compared."""


def present_head(engine: Engine) -> wire.AuditHead:
    with Session(engine.execution_options(read_only=True)) as session, session.begin():
        return _told(audit.head(session))


def keep_countersigned(engine: Engine, identity: Identity, head: wire.AuditHead, answer: bytes, signature: str) -> None:
    """answer: the HeartbeatAnswer with the echo of this head, proven before. Writes only a head that is new."""
    with Session(engine.execution_options(read_only=True)) as session, session.begin():
        known = _read(session)
    if known is not None and known.head == head:
        return
    signers = (key for key in identity.office_signing if verify(Context.HEARTBEAT_ANSWER, answer, signature, key))
    kept = Countersigned(head=head, answer=answer.decode(), signature=signature, key=public_hex(next(signers)))
    with Session(engine) as session, session.begin():
        put_setting(session, _SETTING, kept.model_dump_json())


def examine(engine: Engine, further: tuple[AuditHead, ...] = ()) -> Examined:
    """The chain and its cases against every head known here; `further` are heads somebody brings, such as the desk's."""
    with Session(engine.execution_options(read_only=True)) as session, session.begin():
        heads, forged = list(further), []
        cases = (
            select(CaseRow.sealed, CaseRow.audit_n, AuditRow.event).outerjoin(AuditRow, AuditRow.n == CaseRow.audit_n)
            .where(CaseRow.purged.is_(None))
        )
        for sealed, at, entry in session.execute(cases).yield_per(20):
            try:
                header = parse_header(sealed)
            except EnvelopeError:
                forged.append(AuditBreak(at, "case_differs"))
                continue
            if header.audit.n and not audit.is_salvage(entry):
                heads.append(_own(header.audit))
        signed = _read(session)
        if signed is not None:
            heads.append(_own(signed.head))
            if not signed.holds():
                forged.append(AuditBreak(signed.head.n, "countersignature"))
        report = audit.examine(session, heads)
    breaks = tuple(sorted({*report.breaks, *forged}, key=lambda one: (one.n, one.reason)))
    return Examined(
        AuditReport(report.head, report.proven, breaks), None if signed is None else signed.head.n, len(heads),
    )


def _read(session: Session) -> Countersigned | None:
    text = get_setting(session, _SETTING)
    if text is None:
        return None
    try:
        return Countersigned.model_validate_json(text)
    except ValidationError:
        return None


def _told(head: AuditHead) -> wire.AuditHead:
    return wire.AuditHead(n=head.n, link=head.link.hex())


def _own(head: wire.AuditHead) -> AuditHead:
    return AuditHead(head.n, bytes.fromhex(head.link))
