"""Turns a finished case or enrolment into signed bytes that only the office can open."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Engine

from kiosk.config import Suite
from kiosk.domain.consent import ConsentScope
from kiosk.domain.document import CardKind
from kiosk.domain.enrolment import EnrolmentDraft
from kiosk.store.cases import Draft, Sealed, Terminal, Ticket
from kiosk.sync.bodies import case_body, enrolment_body
from kiosk.sync.clock import boot_id, mono_ms, read_clock
from kiosk.sync.identity import Identity, load_identity
from kiosk.sync.wire.envelope import digest, seal, seal_in_pieces, sealed_size
from kiosk.sync.wire.face_enrolment import ENROLMENT_SCHEMA
from kiosk.sync.wire.http import PART_BYTES_MAX
from kiosk.sync.wire.keys import key_id
from kiosk.sync.wire.models import CASE_SCHEMA, AuditHead, ClockState, EnvelopeHeader
from kiosk.sync.wire.signing import Context, sign
from kiosk.sync.wire.suites import HPKE, SM

ALGORITHMS = {Suite.INTERNATIONAL: HPKE, Suite.SM: SM}

class EnvelopeSealer:
    """The store's Sealer. The identity is read for each case, so a new enrolment holds at once in every process."""

    def __init__(
        self, engine: Engine, simulated: bool, part_bytes: int = PART_BYTES_MAX, suite: Suite = Suite.INTERNATIONAL,
    ) -> None:
        """simulated: cases of emulated devices, marked so for ever. part_bytes: what is larger sealed travels in pieces of
        this size."""
        self._engine = engine
        self._simulated = simulated
        self._part_bytes = part_bytes
        self._algorithm = ALGORITHMS[suite]

    def terminal(self) -> Terminal | None:
        identity = load_identity(self._engine)
        return None if identity is None else Terminal(identity.terminal_id, identity.epoch)

    def seal(self, draft: Draft, ticket: Ticket) -> Sealed:
        """Only for a ticket of the enrolled terminal."""
        identity = load_identity(self._engine)
        if identity is None or (identity.terminal_id, identity.epoch) != (ticket.terminal.terminal_id, ticket.terminal.epoch):
            raise RuntimeError("the enrolment changed inside the transaction")
        clock = read_clock(self._engine, ticket.created).state
        header = _header(identity, draft, ticket, clock, self._algorithm)
        body, office = self._body(draft, ticket), identity.office_sealing
        pieces: tuple[bytes, ...] = ()
        if sealed_size(body) > self._part_bytes:
            data, pieces = seal_in_pieces(header, body, office, self._part_bytes)
        else:
            data = seal(header, body, office)
        return Sealed(data, sign(Context.TXN, digest(data), identity.signing_key), pieces)

    def _body(self, draft: Draft, ticket: Ticket) -> bytes:
        if isinstance(draft, EnrolmentDraft):
            return enrolment_body(draft, ticket.case_number, self._simulated).to_json()
        return case_body(draft, ticket.case_number, self._simulated).to_json()


def _header(identity: Identity, draft: Draft, ticket: Ticket, clock: ClockState, alg: str) -> EnvelopeHeader:
    schema_name, schema_version = _schema(draft)
    return EnvelopeHeader(
        schema_name=schema_name, schema_version=schema_version, kid=key_id(identity.office_sealing), id=ticket.case_id,
        kiosk=identity.terminal_id, epoch=identity.epoch,
        seq=ticket.seq, day=ticket.day, created=ticket.created.astimezone(dt.UTC), boot=boot_id(),
        mono_ms=mono_ms(), audit=AuditHead(n=ticket.audit.n, link=ticket.audit.link.hex()),
        consent=draft.consent.text_version, clock=clock, alg=alg,
    )


def _schema(draft: Draft) -> tuple[str, int]:
    """Name, and the oldest version that knows everything in the body."""
    if isinstance(draft, EnrolmentDraft):
        return ENROLMENT_SCHEMA, 1
    if draft.consent.allows(ConsentScope.ENROL):
        return CASE_SCHEMA, 3
    return CASE_SCHEMA, 2 if draft.card.kind is CardKind.SOCIAL_SECURITY else 1
