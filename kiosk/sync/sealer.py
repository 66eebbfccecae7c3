"""Turns a finished case or enrolment into signed bytes that only the office can open."""

from __future__ import annotations

import datetime as dt
import time
from pathlib import Path

from sqlalchemy import Engine

from kiosk.domain.consent import ConsentScope
from kiosk.domain.document import CardKind
from kiosk.domain.enrolment import EnrolmentDraft
from kiosk.store.cases import Draft, Sealed, Terminal, Ticket
from kiosk.sync.bodies import case_body, enrolment_body
from kiosk.sync.identity import Identity, load_identity
from kiosk.sync.wire.envelope import digest, seal
from kiosk.sync.wire.face_enrolment import ENROLMENT_SCHEMA
from kiosk.sync.wire.keys import key_id
from kiosk.sync.wire.models import CASE_SCHEMA, AuditHead, EnvelopeHeader
from kiosk.sync.wire.signing import Context, sign


class EnvelopeSealer:
    """The store's Sealer. The identity is read for each case, so a new enrolment holds at once in every process."""

    def __init__(self, engine: Engine, simulated: bool) -> None:
        """simulated: cases of emulated devices, marked so for ever."""
        self._engine = engine
        self._simulated = simulated

    def terminal(self) -> Terminal | None:
        identity = load_identity(self._engine)
        return None if identity is None else Terminal(identity.terminal_id, identity.epoch)

    def seal(self, draft: Draft, ticket: Ticket) -> Sealed:
        """Only for a ticket of the enrolled terminal."""
        identity = load_identity(self._engine)
        if identity is None or (identity.terminal_id, identity.epoch) != (ticket.terminal.terminal_id, ticket.terminal.epoch):
            raise RuntimeError("the enrolment changed inside the transaction")
        data = seal(_header(identity, draft, ticket), self._body(draft, ticket), identity.office_sealing)
        return Sealed(data, sign(Context.TXN, digest(data), identity.signing_key))

    def _body(self, draft: Draft, ticket: Ticket) -> bytes:
        if isinstance(draft, EnrolmentDraft):
            return enrolment_body(draft, ticket.case_number, self._simulated).to_json()
        return case_body(draft, ticket.case_number, self._simulated).to_json()


def _header(identity: Identity, draft: Draft, ticket: Ticket) -> EnvelopeHeader:
    schema_name, schema_version = _schema(draft)
    return EnvelopeHeader(
        schema_name=schema_name, schema_version=schema_version, kid=key_id(identity.office_sealing), id=ticket.case_id,
        kiosk=identity.terminal_id, epoch=identity.epoch,
        seq=ticket.seq, day=ticket.day, created=ticket.created.astimezone(dt.UTC), boot=_boot_id(),
        mono_ms=time.monotonic_ns() // 1_000_000, audit=AuditHead(n=ticket.audit.n, link=ticket.audit.link.hex()),
        consent=draft.consent.text_version,
    )


def _schema(draft: Draft) -> tuple[str, int]:
    """Name, and the oldest version that knows everything in the body."""
    if isinstance(draft, EnrolmentDraft):
        return ENROLMENT_SCHEMA, 1
    if draft.consent.allows(ConsentScope.ENROL):
        return CASE_SCHEMA, 3
    return CASE_SCHEMA, 2 if draft.card.kind is CardKind.SOCIAL_SECURITY else 1


def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
