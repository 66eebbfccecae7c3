"""How delivery stands, for every process that asks: counts come from the rows, the rest is noted by the service."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from kiosk.config.retention import RetentionConfig
from kiosk.domain.join import Shut
from kiosk.store.account import late_count, lost_count
from kiosk.store.outbox import count
from kiosk.store.roster import Roster
from kiosk.store.settings import get_setting, put_setting
from kiosk.sync.clock import read_clock
from kiosk.sync.content import in_use
from kiosk.sync.identity import load_identity
from kiosk.sync.standing import (
    ALARM,
    CLOCK_TROUBLE,
    CLONE,
    CONTENT_TROUBLE,
    HEARTBEAT_TROUBLE,
    OUTCOMES_TROUBLE,
    PULL_TROUBLE,
    RENEW_TROUBLE,
    noted,
    refused,
)

RECENT = dt.timedelta(hours=24)
_CONTACT = "sync_contact"
UNSAFE_ALARM_H = RetentionConfig().unsafe_alarm_h
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
    """Of the roster."""
    outcomes_trouble: str | None
    content_trouble: str | None
    heartbeat_trouble: str | None
    roster_version: int
    roster_size: int
    content_version: int
    """Of the content package in use; 0: the one built into the software."""
    content_date: str | None
    """内容日期 of that package."""
    unsafe: int
    """Delivered, and not yet in a verified backup of the office."""
    unsafe_late: int
    """Of those and the held ones, for longer than `retention.unsafe_alarm_h`: the office makes no good backup."""
    lost: int
    """Erased here and missing at the office: it has to take in its archive of envelopes."""
    clone: bool
    """The office has seen two machines with this identity: enrol the right one anew."""
    renew_trouble: str | None
    clock: str
    """A ClockState: whether the clock was checked since this boot and is right."""
    clock_skew_s: float | None
    """Ahead of the office when last compared."""
    clock_trouble: str | None
    green: bool
    """Nothing unsent, held, refused, lost or unsafe for long, and the office was heard within a day."""


def read_status(engine: Engine, now: dt.datetime, unsafe_alarm_h: float = UNSAFE_ALARM_H) -> SyncStatus:
    counts = count(engine)
    roster = Roster(engine)
    identity = load_identity(engine)
    with Session(engine.execution_options(read_only=True)) as session, session.begin():
        contact, alarm, pull_trouble, outcomes_trouble, content_trouble, heartbeat_trouble = (
            get_setting(session, name) or None
            for name in (_CONTACT, ALARM, PULL_TROUBLE, OUTCOMES_TROUBLE, CONTENT_TROUBLE, HEARTBEAT_TROUBLE)
        )
        lost, late = lost_count(session), late_count(session, now - dt.timedelta(hours=unsafe_alarm_h))
        clone, renew_trouble = bool(noted(session, CLONE)), noted(session, RENEW_TROUBLE) or None
    clock, content = read_clock(engine, now), in_use(engine)
    heard = contact is not None and abs(now - dt.datetime.fromisoformat(contact)) < RECENT
    return SyncStatus(
        terminal_id=identity.terminal_id if identity else None,
        unsent=counts.unsent, held=counts.held, dead=counts.dead, delivered=counts.delivered,
        oldest_unsent_s=max(0.0, (now - counts.oldest_unsent).total_seconds()) if counts.oldest_unsent else None,
        last_contact=contact, last_error=counts.last_error, alarm=alarm,
        pull_trouble=pull_trouble, outcomes_trouble=outcomes_trouble, content_trouble=content_trouble,
        heartbeat_trouble=heartbeat_trouble,
        roster_version=roster.version(), roster_size=roster.size(),
        content_version=content.version, content_date=content.dated.isoformat() if content.dated else None,
        unsafe=counts.unsafe, unsafe_late=late, lost=lost, clone=clone, renew_trouble=renew_trouble,
        clock=clock.state.value, clock_skew_s=clock.skew_s, clock_trouble=clock.trouble or None,
        green=heard and not (counts.unsent or counts.held or counts.dead or lost or late),
    )


def standing(engine: Engine) -> tuple[Shut | None, str]:
    """Why this machine must not take cases, and the text id of what staff should know although it may."""
    if load_identity(engine) is None:
        return Shut.NOT_ENROLLED, ""
    with Session(engine.execution_options(read_only=True)) as session, session.begin():
        if refused(session):
            return Shut.DEVICE_REFUSED, ""
        if noted(session, CLONE):
            return None, "staff.clone"
        if lost_count(session):
            return None, "staff.cases_lost"
        return None, f"staff.{trouble}" if (trouble := noted(session, CLOCK_TROUBLE)) else ""


def note_upload(engine: Engine, contact: dt.datetime | None, alarm: str | None) -> None:
    _note(engine, contact, ALARM, alarm)


def note_pull(engine: Engine, contact: dt.datetime | None, trouble: str | None) -> None:
    _note(engine, contact, PULL_TROUBLE, trouble)


def note_outcomes(engine: Engine, contact: dt.datetime | None, trouble: str | None) -> None:
    _note(engine, contact, OUTCOMES_TROUBLE, trouble)


def note_content(engine: Engine, contact: dt.datetime | None, trouble: str | None) -> None:
    _note(engine, contact, CONTENT_TROUBLE, trouble)


def note_heartbeat(engine: Engine, contact: dt.datetime | None, trouble: str | None) -> None:
    _note(engine, contact, HEARTBEAT_TROUBLE, trouble)


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
