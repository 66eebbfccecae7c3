"""What travels between terminal and office: envelopes, cases, receipts, the roster, heartbeats."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Annotated

from pydantic import AwareDatetime, Field

from kiosk.domain.case import Item
from kiosk.domain.consent import ConsentScope
from kiosk.domain.decision import Outcome
from kiosk.domain.document import CardKind
from kiosk.sync.wire.base import Wire, Word
from kiosk.sync.wire.face import AttemptBody, TemplateBody
from kiosk.sync.wire.suites import HPKE

ALGORITHM = HPKE
"""What an envelope is sealed with unless its header names another suite."""
WIRE_VERSION = 1
CASE_SCHEMA = "certification"
CASE_SCHEMA_VERSION = 3
"""The newest one understood here. 2: the document may be a social security card. 3: the consent may name `enrol`."""

KeyHex = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
DigestHex = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
CaseId = Annotated[str, Field(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")]
TerminalId = Annotated[str, Field(pattern=r"^[A-Z0-9]{2,8}$")]
COUNT_MAX = 2_147_483_647
NUMBER_MAX = 9_223_372_036_854_775_807
"""What a database can hold."""
Count = Annotated[int, Field(ge=0, le=COUNT_MAX)]
Moment = Annotated[AwareDatetime, Field(ge=dt.datetime(1970, 1, 1, tzinfo=dt.UTC), lt=dt.datetime(9999, 1, 1, tzinfo=dt.UTC))]
"""By a clock that may be wrong, but can be written in every time zone."""


class AuditHead(Wire):
    """The terminal's audit chain just before this case: number of its last entry and that entry's link."""

    n: int = Field(ge=0, le=NUMBER_MAX)
    link: DigestHex


class ClockState(StrEnum):
    """What the terminal knew of its own clock when the case was made."""

    CONFIRMED = "confirmed"
    """Set or checked by the network or the office since this boot."""
    UNCONFIRMED = "unconfirmed"
    UNKNOWN = "unknown"
    """Of a terminal that does not say."""


class EnvelopeHeader(Wire):
    """The clear part of an envelope: no personal data. Earlier cases are pinned by `audit`, whose chain holds each
    case's digest."""

    v: int = Field(WIRE_VERSION, ge=1)
    alg: str = Field(ALGORITHM, max_length=80)
    kid: str = Field(max_length=64)
    """Key id of the office key the body is sealed to."""
    schema_name: str = Field(CASE_SCHEMA, max_length=40)
    schema_version: int = Field(1, ge=1)
    """The oldest version in which the body can be read, so that an office not yet updated holds only what it must."""
    id: CaseId
    kiosk: TerminalId
    epoch: int = Field(ge=1, le=COUNT_MAX)
    """Issued at each enrolment; (kiosk, epoch, seq) is unique."""
    seq: int = Field(ge=1, le=NUMBER_MAX)
    """Gap-free running number within the epoch."""
    day: dt.date
    """Local day of the capture, frozen; reconciliation groups by it."""
    created: AwareDatetime
    """Terminal clock, UTC."""
    boot: str = Field(max_length=64)
    """Boot id of the terminal; with `mono_ms` it orders cases of one boot whatever the clock did."""
    mono_ms: int = Field(ge=0, le=NUMBER_MAX)
    audit: AuditHead
    consent: str = Field(max_length=80)
    """Version of the consent notice, so that the office can find cases by it without opening them."""
    parts: tuple[DigestHex, ...] = Field((), max_length=64)
    """SHA-256 of the pieces of a ciphertext too long for one request, in order; then no ciphertext follows the header."""
    clock: ClockState = ClockState.UNKNOWN


class PersonBody(Wire):
    """What certification needs of the card, and no more."""

    document: CardKind
    number: str = Field(min_length=1, max_length=18, repr=False)
    name: str = Field(max_length=200, repr=False)
    sex: str | None = Field(None, max_length=2, repr=False)
    """GB/T 2261.1: 0 未知, 1 男, 2 女, 9 未说明"""
    birth: dt.date | None = Field(None, repr=False)
    valid_from: dt.date | None = Field(None, repr=False)
    valid_to: dt.date | None = Field(None, repr=False)
    """None: 长期, or not on this card."""
    category: str = Field(max_length=80)
    in_roster: bool


class ConsentBody(Wire):
    scopes: tuple[ConsentScope, ...]
    text_version: str = Field(max_length=80)
    given_at: AwareDatetime


class CaseBody(Wire):
    """The certification record (认证记录), sealed inside an envelope."""

    item: Item
    case_number: str = Field(max_length=40)
    outcome: Outcome
    person: PersonBody
    consent: ConsentBody
    attempts: tuple[AttemptBody, ...]
    photos_left_out: int = Field(0, ge=0)
    """Photographs that did not fit into one request; the newest attempt is kept first, clips after all photographs."""
    captured_at: AwareDatetime
    due: dt.date | None
    due_confirmed: bool
    """The due date is the office's own word, not the terminal's calculation."""
    repeat: int = Field(ge=0)
    simulated: bool
    """From emulated devices: never a real certification."""


class AckLevel(StrEnum):
    HELD = "held"
    """Stored, but of a schema or key the office does not know yet."""
    COMMITTED = "committed"
    SAFE = "safe"
    """Also in a verified backup."""


class Receipt(Wire):
    """The office's word that it holds exactly these bytes. Valid only with its signature."""

    id: CaseId
    sha256: DigestHex
    received: AwareDatetime
    level: AckLevel
    kid: str = Field(max_length=64)
    """Key id of the signing key."""


class RefusalCode(StrEnum):
    DEVICE = "device"
    """This terminal is unknown or revoked: it stops sending."""
    CONFLICT = "conflict"
    """The same id came with other bytes before."""
    SEQ = "seq"
    """The same (kiosk, epoch, seq) came with another id: a copied or restored disk."""
    CLONE = "clone"
    """This enrolment was renewed or replaced by another machine: the same disk works in two places."""
    INVALID = "invalid"
    """Unreadable, wrongly signed, of another terminal, or of an algorithm not allowed."""


class Refusal(Wire):
    """The office's word that it will never take these bytes. Valid only with its signature."""

    id: str = Field(max_length=64)
    """The id of the case; for other requests the request's nonce."""
    sha256: str = Field(max_length=64)
    """Digest of the body as received; empty for a request without body."""
    code: str = Field(max_length=40)
    """A RefusalCode; text here, because the office may be newer."""
    kid: str = Field(max_length=64)


class OfficeKeys(Wire):
    sealing: KeyHex
    """X25519: cases are sealed to it."""
    signing: tuple[KeyHex, ...] = Field(min_length=1)
    """Ed25519: receipts, refusals and pulls are signed by one of them."""


class EnrolRequest(Wire):
    token: str = Field(pattern=r"^[0-9a-f]{40}$", repr=False)
    """The one-time secret of the code; the office keeps only its SHA-256."""
    name: str = Field(max_length=80)
    """What the terminal calls itself, for the clerk."""
    signing_key: KeyHex
    sealing_key: KeyHex


class EnrolAnswer(Wire):
    terminal_id: TerminalId
    site: str = Field(max_length=80)
    epoch: int = Field(ge=1)
    signing_key: KeyHex
    """Echo of the terminal's own key: the answer cannot be one to somebody else."""
    office: OfficeKeys


class DecisionBody(Wire):
    case_number: str = Field(max_length=40)
    accepted: bool
    reason: str = Field(max_length=400)
    decided_on: dt.date


class RosterEntryBody(Wire):
    number: str = Field(min_length=1, max_length=18, repr=False)
    name: str = Field(max_length=200, repr=False)
    category: str = Field(max_length=80)
    next_due: dt.date | None
    templates: tuple[TemplateBody, ...] = Field((), repr=False)
    decision: DecisionBody | None = None


class RosterPull(Wire):
    """One page of changes to who is due. Travels sealed to the terminal and signed by the office."""

    after: int = Field(ge=0)
    """Echo of the request: applies only on top of this version."""
    version: int = Field(ge=0)
    """The version the terminal has after this page."""
    replace: bool
    """Forget everything stored before; the office sends it on the first page after 0."""
    more: bool
    """Ask again at once with `after` = `version`."""
    entries: tuple[RosterEntryBody, ...]
    removed: tuple[str, ...] = Field((), repr=False)
    """Numbers no longer in the roster."""


class DeviceBody(Wire):
    """A device as the terminal told it. Kind and state are text, because the terminal may be newer; nothing but
    codes fits in, so nothing personal can."""

    kind: Word
    """A DeviceKind."""
    state: Word
    """A DeviceState, never `busy`."""
    reason: str = Field(pattern=r"^[a-z0-9_]{0,40}$")
    since: Moment | None


class HeartbeatBody(Wire):
    """How a terminal is just now. Only the newest counts; none is kept for later."""

    kiosk: TerminalId
    epoch: int = Field(ge=1, le=COUNT_MAX)
    sent_at: Moment
    """Terminal clock, as all times here."""
    challenge: str = Field("", max_length=64)
    """Of the office's last answer, where it did not take a heartbeat for its time alone."""
    app_version: str = Field(pattern=r"^[0-9A-Za-z.+-]{1,40}$")
    terminal_seen: Moment | None
    """When the terminal process last said that it runs; None: never."""
    devices: tuple[DeviceBody, ...] = Field(max_length=32)
    unsent: Count
    held: Count
    dead: Count
    oldest_unsent_s: Count | None
    roster_version: int = Field(ge=0, le=NUMBER_MAX)
    free_mb: Count | None
    """Room on the disk of the database, MiB."""
    audit: AuditHead | None = None
    """Head of the terminal's audit chain. Once told it must be found again: that is what a cut is seen by."""
    content_version: Count = 0
    """Of the content package in use; 0: the built-in one."""
    boot: str = Field("", pattern=r"^[0-9a-f-]{0,64}$")
    """Boot id: one that comes back after another means two machines with one identity."""
    mono_ms: int = Field(0, ge=0, le=NUMBER_MAX)
    """Monotonic clock of that boot: with the moment of receipt it dates every case of the same boot."""
    office_kids: tuple[Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")], ...] = Field((), max_length=16)
    """Ids of the office's signing keys this terminal trusts: the office signs with a new one once all know it."""


class HeartbeatAnswer(Wire):
    """The office's word that it heard the terminal. Valid only with its signature."""

    nonce: str = Field(max_length=64)
    """Echo of the request: this is no answer to another one."""
    taken: bool
    """False: by its time it could be an old one sent again; sent anew with `challenge` it is taken."""
    challenge: str = Field(max_length=64)
    audit: AuditHead | None = None
    """Echo of the head that was told: with the answer's signature the office's counter-signature of it."""
    now: Moment | None = None
    """The office's clock."""
    office: OfficeKeys | None = None
    """The office's keys from now on: cases are sealed to this one, and its word is signed by one of these."""
    clone: bool = False
    """Two machines work with this identity: staff has to enrol the right one anew."""
    backup: str = Field("", max_length=64)
    """Id of the newest verified backup: when it changes, days not yet safe are worth asking for."""
