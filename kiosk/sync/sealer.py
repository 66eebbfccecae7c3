"""Turns a finished case into signed bytes that only the office can open."""

from __future__ import annotations

import datetime as dt
import math
import time
from pathlib import Path

from sqlalchemy import Engine

from kiosk.domain.case import CaseDraft
from kiosk.domain.decision import FaceEvidence
from kiosk.domain.document import CardKind
from kiosk.store.cases import Sealed, Terminal, Ticket
from kiosk.sync.identity import Identity, load_identity
from kiosk.sync.wire.envelope import digest, seal
from kiosk.sync.wire.keys import key_id
from kiosk.sync.wire.models import AttemptBody, AuditHead, CaseBody, ConsentBody, EnvelopeHeader, PersonBody
from kiosk.sync.wire.signing import Context, sign

PHOTO_BYTES_MAX = 700_000
"""Of all photographs of one case: in base64 they stay below one request."""


class EnvelopeSealer:
    """The store's Sealer. The identity is read for each case, so a new enrolment holds at once in every process."""

    def __init__(self, engine: Engine, simulated: bool) -> None:
        """simulated: cases of emulated devices, marked so for ever."""
        self._engine = engine
        self._simulated = simulated

    def terminal(self) -> Terminal | None:
        identity = load_identity(self._engine)
        return None if identity is None else Terminal(identity.terminal_id, identity.epoch)

    def seal(self, draft: CaseDraft, ticket: Ticket) -> Sealed:
        """Only for a ticket of the enrolled terminal."""
        identity = load_identity(self._engine)
        if identity is None or (identity.terminal_id, identity.epoch) != (ticket.terminal.terminal_id, ticket.terminal.epoch):
            raise RuntimeError("the enrolment changed inside the transaction")
        data = seal(_header(identity, draft, ticket), self._body(draft, ticket).to_json(), identity.office_sealing)
        return Sealed(data, sign(Context.TXN, digest(data), identity.signing_key))

    def _body(self, draft: CaseDraft, ticket: Ticket) -> CaseBody:
        attempts, left_out = _attempts(draft.attempts)
        card, consent, due = draft.card, draft.consent, draft.due
        return CaseBody(
            item=draft.item, case_number=ticket.case_number, outcome=draft.outcome,
            person=PersonBody(
                document=card.kind, number=card.number, name=card.name, sex=card.sex, birth=card.birth,
                valid_from=card.valid_from, valid_to=card.valid_to, category=draft.category, in_roster=draft.in_roster,
            ),
            consent=ConsentBody(
                scopes=tuple(sorted(consent.scopes)), text_version=consent.text_version, given_at=consent.given_at,
            ),
            attempts=attempts, photos_left_out=left_out, captured_at=draft.captured_at,
            due=due.date if due else None, due_confirmed=due is not None and due.confirmed_by_office,
            repeat=draft.repeat, simulated=self._simulated,
        )


def _header(identity: Identity, draft: CaseDraft, ticket: Ticket) -> EnvelopeHeader:
    return EnvelopeHeader(
        schema_version=_schema_version(draft.card.kind), kid=key_id(identity.office_sealing), id=ticket.case_id,
        kiosk=identity.terminal_id, epoch=identity.epoch,
        seq=ticket.seq, day=ticket.day, created=ticket.created.astimezone(dt.UTC), boot=_boot_id(),
        mono_ms=time.monotonic_ns() // 1_000_000, audit=AuditHead(n=ticket.audit.n, link=ticket.audit.link.hex()),
        consent=draft.consent.text_version,
    )


def _schema_version(document: CardKind) -> int:
    return 2 if document is CardKind.SOCIAL_SECURITY else 1


def _attempts(tries: tuple[FaceEvidence, ...]) -> tuple[tuple[AttemptBody, ...], int]:
    """All tries, oldest first, and how many photographs found no room; the newest try is served first."""
    room, left_out = PHOTO_BYTES_MAX, 0
    bodies: list[AttemptBody] = []
    for one in reversed(tries):
        photos: list[bytes] = []
        for photo in one.photos:
            if len(photo) <= room:
                photos.append(photo)
                room -= len(photo)
            else:
                left_out += 1
        bodies.append(AttemptBody(
            distance=one.distance if math.isfinite(one.distance) else None, frames=one.frames, templates=one.templates,
            liveness=one.liveness, engine=one.engine, photos=tuple(photos),
        ))
    return tuple(reversed(bodies)), left_out


def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
