"""How delivery stands, for every process that asks: counts come from the rows, the rest is noted by the service."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from kiosk.store.outbox import count
from kiosk.store.roster import Roster
from kiosk.store.settings import get_setting, put_setting
from kiosk.sync.identity import load_identity

RECENT = dt.timedelta(hours=24)
_CONTACT, _ALARM, _PULL_TROUBLE = "sync_contact", "sync_alarm", "sync_pull_trouble"
_HEARTBEAT_TROUBLE = "sync_heartbeat_trouble"
_CONTACT_STEP = dt.timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class SyncStatus:
    """JSON-able. Times are RFC 3339 UTC."""

    terminal_id: str | None
    """None: not enrolled, no case can be taken."""
    unsent: int
    held: int
    dead: int
    delivered: int
    oldest_unsent_s: float | None
    last_contact: str | None
    """When the office last signed something."""
    last_error: str | None
    """What happened to the pending case tried last."""
    alarm: str | None
    """`device_refused`, `portal`, `gateway`"""
    pull_trouble: str | None
    heartbeat_trouble: str | None
    roster_version: int
    roster_size: int
    green: bool
    """Nothing unsent, held or refused, and the office was heard within a day."""


def read_status(engine: Engine, now: dt.datetime) -> SyncStatus:
    counts = count(engine)
    roster = Roster(engine)
    identity = load_identity(engine)
    with Session(engine.execution_options(read_only=True)) as session, session.begin():
        contact, alarm, pull_trouble, heartbeat_trouble = (
            get_setting(session, name) or None for name in (_CONTACT, _ALARM, _PULL_TROUBLE, _HEARTBEAT_TROUBLE)
        )
    heard = contact is not None and abs(now - dt.datetime.fromisoformat(contact)) < RECENT
    return SyncStatus(
        terminal_id=identity.terminal_id if identity else None,
        unsent=counts.unsent, held=counts.held, dead=counts.dead, delivered=counts.delivered,
        oldest_unsent_s=max(0.0, (now - counts.oldest_unsent).total_seconds()) if counts.oldest_unsent else None,
        last_contact=contact, last_error=counts.last_error, alarm=alarm,
        pull_trouble=pull_trouble, heartbeat_trouble=heartbeat_trouble,
        roster_version=roster.version(), roster_size=roster.size(),
        green=heard and not (counts.unsent or counts.held or counts.dead),
    )


def note_upload(engine: Engine, contact: dt.datetime | None, alarm: str | None) -> None:
    _note(engine, contact, _ALARM, alarm)


def note_pull(engine: Engine, contact: dt.datetime | None, trouble: str | None) -> None:
    _note(engine, contact, _PULL_TROUBLE, trouble)


def note_heartbeat(engine: Engine, contact: dt.datetime | None, trouble: str | None) -> None:
    _note(engine, contact, _HEARTBEAT_TROUBLE, trouble)


def _note(engine: Engine, contact: dt.datetime | None, name: str, value: str | None) -> None:
    """Writes only what is new; a contact at most once a minute."""
    with Session(engine.execution_options(read_only=True)) as session, session.begin():
        known, told = get_setting(session, _CONTACT), get_setting(session, name) or None
    old = dt.datetime.fromisoformat(known) if known else None
    newer = contact is not None and (old is None or abs(contact - old) >= _CONTACT_STEP)
    if not newer and told == value:
        return
    with Session(engine) as session, session.begin():
        put_setting(session, name, value or "")
        if contact is not None and newer:
            put_setting(session, _CONTACT, contact.astimezone(dt.UTC).isoformat())
