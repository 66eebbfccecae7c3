"""The terminal's clock: checked against the office's word, never set from here. Boot id and monotonic time go beside it."""

from __future__ import annotations

import datetime as dt
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field, ValidationError
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from kiosk.config import KioskConfig
from kiosk.store.settings import get_setting, put_setting
from kiosk.sync.identity import Identity
from kiosk.sync.link import CERTIFICATE_DATES, Answer, OfficeLink
from kiosk.sync.standing import CLOCK_TROUBLE, note, noted
from kiosk.sync.wire import http
from kiosk.sync.wire.base import Wire
from kiosk.sync.wire.clock import TimeAnswer
from kiosk.sync.wire.models import ClockState, Moment
from kiosk.sync.wire.signing import Context

SKEW_MAX = dt.timedelta(minutes=5)
"""A clock further off is not right."""
_SETTING = "office_clock"
_NOTE_EVERY_MS = 600_000
_TIMESYNCD = Path("/run/systemd/timesync/synchronized")
"""Made by systemd-timesyncd once the network has set the clock since this boot."""


class _Checked(Wire):
    boot: str
    mono_ms: int = Field(ge=0)
    office: Moment
    """The office's clock at `mono_ms`."""
    skew_s: float
    """How far this machine's clock was ahead."""


@dataclass(frozen=True, slots=True)
class Clock:
    state: ClockState
    skew_s: float | None
    """As last checked, in this boot or before; positive: ahead of the office. None: never checked."""
    trouble: str
    """TLS fails on nothing but dates: `clock_wrong` of this machine, `office_certificate`, or `certificate_dates` where the
    office did not say what time it is. Empty otherwise."""


def boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def mono_ms() -> int:
    return time.monotonic_ns() // 1_000_000


def note_office_time(engine: Engine, office: dt.datetime, now: dt.datetime) -> None:
    """The office has just said, in an answer nobody can replay, what time it is. Written when it says something new."""
    fresh = _Checked(boot=boot_id(), mono_ms=mono_ms(), office=office, skew_s=(now - office).total_seconds())
    with Session(engine.execution_options(read_only=True)) as session, session.begin():
        known = _read(session)
    if (
        known is not None and known.boot == fresh.boot and fresh.mono_ms - known.mono_ms < _NOTE_EVERY_MS
        and abs(fresh.skew_s - known.skew_s) < 1.0
    ):
        return
    with Session(engine) as session, session.begin():
        put_setting(session, _SETTING, fresh.model_dump_json())


def read_clock(engine: Engine, now: dt.datetime) -> Clock:
    """What is known of this machine's clock, `now` being what it shows."""
    with Session(engine.execution_options(read_only=True)) as session, session.begin():
        known, trouble = _read(session), noted(session, CLOCK_TROUBLE)
    return Clock(_state(known, now), None if known is None else known.skew_s, trouble)


def last_office_time(engine: Engine) -> dt.datetime | None:
    """The newest time the office ever told this terminal, as it was then."""
    with Session(engine.execution_options(read_only=True)) as session, session.begin():
        known = _read(session)
    return None if known is None else known.office


def check_dates(
    engine: Engine, config: KioskConfig, identity: Identity, reason: str | None, now: Callable[[], dt.datetime],
) -> None:
    """After an exchange: where TLS failed on nothing but dates, the office is asked for the time without minding them.

    reason: of the exchange. Notes whose fault it is, this clock's or the office's certificate's; nothing is set.
    """
    if reason != CERTIFICATE_DATES:
        note(engine, CLOCK_TROUBLE, "")
        return
    times = config.sync
    with OfficeLink(identity.office_url, times.connect_timeout_s, times.total_timeout_s, any_date=True) as link:
        office = ask_time(link, identity)
    if isinstance(office, str):
        note(engine, CLOCK_TROUBLE, CERTIFICATE_DATES)
        return
    note_office_time(engine, office, now())
    wrong = abs(now() - office) > SKEW_MAX
    note(engine, CLOCK_TROUBLE, "clock_wrong" if wrong else "office_certificate")


def ask_time(link: OfficeLink, identity: Identity) -> dt.datetime | str:
    """The office's time, or a stable code for why there is none."""
    nonce = secrets.token_hex(16)
    answer = link.exchange("GET", http.TIME_PATH, {http.NONCE: nonce}, None, http.ANSWER_BYTES_MAX)
    if not isinstance(answer, Answer):
        return answer.reason
    told = _told(answer, identity, nonce)
    if told is not None:
        return told
    return "not_the_office" if answer.status == 200 else f"http_{answer.status}"


def _told(answer: Answer, identity: Identity, nonce: str) -> dt.datetime | None:
    if not identity.office_signed(Context.TIME, answer.body, answer.header(http.TIME_SIGNATURE)):
        return None
    try:
        told = TimeAnswer.model_validate_json(answer.body)
    except ValidationError:
        return None
    return told.now if told.nonce == nonce else None


def _state(known: _Checked | None, now: dt.datetime) -> ClockState:
    """Only what was learnt since this boot counts, and only while the clock has not been moved since."""
    if known is not None and known.boot == boot_id():
        office_now = known.office + dt.timedelta(milliseconds=mono_ms() - known.mono_ms)
        return ClockState.CONFIRMED if abs(now - office_now) <= SKEW_MAX else ClockState.UNCONFIRMED
    return ClockState.CONFIRMED if _TIMESYNCD.exists() else ClockState.UNCONFIRMED


def _read(session: Session) -> _Checked | None:
    text = get_setting(session, _SETTING)
    return None if text is None else _Checked.model_validate_json(text)
