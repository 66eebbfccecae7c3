"""The tables of the terminal's database. Migrations under `migrations/` create them; a test holds both equal."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, MetaData, String, Text, TypeDecorator
from sqlalchemy import DateTime as SqlDateTime
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class UtcDateTime(TypeDecorator[dt.datetime]):
    """Aware moments only; stored as UTC text of fixed width, so that comparing in SQL is right."""

    impl = SqlDateTime
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        return value.astimezone(dt.UTC).replace(tzinfo=None)

    def process_result_value(self, value: Any, dialect: Dialect) -> dt.datetime | None:
        return None if value is None else value.replace(tzinfo=dt.UTC)


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    })
    type_annotation_map = {dt.datetime: UtcDateTime, bytes: LargeBinary, str: Text}


class SettingRow(Base):
    """Small facts this terminal keeps: its identity, index key, roster cursor, last contact."""

    __tablename__ = "setting"
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]


class CounterRow(Base):
    """Gap-free running numbers, raised inside the transaction that uses them."""

    __tablename__ = "counter"
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[int]


class AuditRow(Base):
    """Hash chain: link is the hash of the previous link and these event bytes."""

    __tablename__ = "audit"
    n: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    event: Mapped[bytes]
    link: Mapped[bytes]
    alg: Mapped[str] = mapped_column(String(16), default="sha256", server_default="sha256")
    """Which hash makes this link: `sha256` or `sm3`."""


class CaseRow(Base):
    """One case or enrolment. Who it is about stands only inside `sealed`, which this terminal cannot open."""

    __tablename__ = "cases"
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    """uuid7"""
    business_key: Mapped[bytes] = mapped_column(unique=True)
    """Blind index (`hashes.blind`) of item, number, period and repeat: the same wish twice is one case."""
    case_number: Mapped[str] = mapped_column(unique=True)
    query_token: Mapped[str]
    item: Mapped[str]
    day: Mapped[dt.date]
    """Local day of the capture."""
    sealed: Mapped[bytes]
    """The exact bytes to send. Empty once `purged`: the row stays, so that a restored office can be told of its loss."""
    digest: Mapped[bytes]
    """SHA-256 of what `sealed` is or was."""
    signature: Mapped[str]
    audit_n: Mapped[int] = mapped_column(ForeignKey("audit.n", ondelete="RESTRICT"))
    """The entry of the audit chain that names the digest."""
    created: Mapped[dt.datetime]
    purged: Mapped[dt.datetime | None]
    """When the bytes were erased; never before the office said `safe`."""


class PartRow(Base):
    """A piece of a case too large for one request: bytes of its ciphertext, addressed by their SHA-256."""

    __tablename__ = "part"
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    case_id: Mapped[str] = mapped_column(String(36), ForeignKey("cases.id", ondelete="RESTRICT"), index=True)
    position: Mapped[int]
    body: Mapped[bytes]
    """Empty once the case is purged."""
    delivered: Mapped[dt.datetime | None]
    """When the office signed that it has this piece."""


class OutboxState(StrEnum):
    PENDING = "pending"
    """Not proven received. "In flight" is not stored: a time-out means unknown, so the row stays pending."""
    ACKED = "acked"
    """A signed receipt is at hand; `ack_level` says how far."""
    DEAD = "dead"
    """A signed refusal is at hand. Never deleted, leaves only by staff."""


class OutboxRow(Base):
    """What still has to be proven delivered."""

    __tablename__ = "outbox"
    epoch: Mapped[int] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[str] = mapped_column(String(36), ForeignKey("cases.id", ondelete="RESTRICT"), unique=True)
    state: Mapped[str] = mapped_column(String(8), default=OutboxState.PENDING)
    ack_level: Mapped[str | None] = mapped_column(String(16))
    attempts: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[dt.datetime]
    last_try: Mapped[dt.datetime | None]
    last_error: Mapped[str | None] = mapped_column(String(300))
    """A stable code, with the HTTP status where there was one."""
    answered_at: Mapped[dt.datetime | None]
    answer: Mapped[bytes | None]
    """Receipt or refusal, exactly as signed."""
    answer_signature: Mapped[str | None]
    safe_at: Mapped[dt.datetime | None]
    """When the office first said that the case is in a verified backup."""

    __table_args__ = (
        CheckConstraint("state IN ('pending', 'acked', 'dead')", name="state"),
        Index("ix_outbox_state", "state", "next_at"),
    )


class RosterRow(Base):
    """A person the office said is due here."""

    __tablename__ = "roster"
    number: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    category: Mapped[str]
    next_due: Mapped[dt.date | None]
    templates: Mapped[str]
    """JSON list of [engine, vector, source, taken_on]; the last two are missing in rows of before revision 0003."""
    decision: Mapped[str | None]
    """JSON object of an OfficeDecision."""


class OutcomeRow(Base):
    """What the office decided on a case handed in here, whether or not the person is in the roster."""

    __tablename__ = "outcome"
    case_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    case_number: Mapped[str]
    state: Mapped[str] = mapped_column(String(16))
    """The office's word: `accepted`, `rejected`, `pending`."""
    reason: Mapped[str]
    decided_on: Mapped[dt.date | None]


class PrintState(StrEnum):
    QUEUED = "queued"
    SENDING = "sending"
    PRINTED = "printed"
    BLOCKED = "blocked"
    UNKNOWN = "unknown"


class PrintRow(Base):
    """Print journal: written before a byte goes to the printer, so that a power cut leaves a question, not a lie."""

    __tablename__ = "print_job"
    job: Mapped[int] = mapped_column(primary_key=True)
    case_number: Mapped[str]
    kind: Mapped[str]
    copy: Mapped[int]
    digest: Mapped[str]
    """SHA-256 of what is sent, hex."""
    size: Mapped[int]
    state: Mapped[str] = mapped_column(String(8), default=PrintState.QUEUED)
    evidence: Mapped[str] = mapped_column(default="")
    queued_at: Mapped[dt.datetime]
    sending_at: Mapped[dt.datetime | None]
    ended_at: Mapped[dt.datetime | None]

    __table_args__ = (CheckConstraint("state IN ('queued', 'sending', 'printed', 'blocked', 'unknown')", name="state"),)


class DeviceRow(Base):
    """How a device of this machine is, by its own last word."""

    __tablename__ = "device"
    kind: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(String(8))
    reason: Mapped[str]
    """Stable code, empty where there is nothing to say."""
    since: Mapped[dt.datetime]
    updated_at: Mapped[dt.datetime]
    """When this row was written; `since` is the device's own time of the change."""

    __table_args__ = (CheckConstraint("state IN ('ready', 'degraded', 'offline', 'unknown')", name="state"),)
