"""Comparing with the office, day by day, what is delivered and what is safe; what a restored office has lost goes again.

One request tells the digest of every day, further ones the ids of the days that differ. Only an answer the office has
signed for this very request changes anything, and only about what was asked.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import random
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from time import monotonic

from pydantic import ValidationError
from sqlalchemy import Engine

from kiosk.config import SyncConfig
from kiosk.domain.period import LOCAL_ZONE
from kiosk.store.account import Delivered, delivered_days, make_safe, not_safe_any_more, note_lost, send_again
from kiosk.sync.identity import Identity, load_identity
from kiosk.sync.link import Answer, OfficeLink
from kiosk.sync.refusal import signed_refusal
from kiosk.sync.standing import note, read
from kiosk.sync.wire import http
from kiosk.sync.wire.reconcile import IDS_MAX, DayAnswer, DayBody, DayState, ReconcileAnswer, ReconcileBody, day_digest
from kiosk.sync.wire.signing import Context, heartbeat_message, sign

OFFICE_BACKUP = "office_backup"
"""Id of the newest verified backup, as the heartbeat's answer named it."""
_COMPARED_BACKUP, _COMPARED_DAY = "reconciled_backup", "reconciled_day"
_NIGHT = dt.time(2)
_SPREAD_S = 7200
"""Terminals must not come in step."""
_RETRY_S = 600.0
_IDS_AT_ONCE = 5000
"""In one request: with those purged it stays well below what proxies let through."""

Days = dict[dt.date, list[Delivered]]


@dataclass(frozen=True, slots=True)
class DayCompared:
    """live, safe: whether the office, and its newest verified backup, hold exactly these cases."""

    day: dt.date
    cases: int
    live: bool
    safe: bool
    missing: int = 0
    """Not in the office: they go again, or are lost."""


@dataclass(frozen=True, slots=True)
class Reconciled:
    """trouble: stable code of why it was not finished, None when it was; what was done until then stays."""

    trouble: str | None
    days: int = 0
    differing: int = 0
    made_safe: int = 0
    sent_again: int = 0
    lost: int = 0
    backup: str = ""
    not_safe_any_more: int = 0
    table: tuple[DayCompared, ...] = ()


def reconcile(engine: Engine, link: OfficeLink, identity: Identity, most: int, now: dt.datetime) -> Reconciled:
    """most: so many days. Only ids told in the very request are touched: a case delivered meanwhile has its turn next time."""
    days = delivered_days(engine, most)
    if not days:
        return Reconciled(None)
    bodies = [DayBody(day=day, digest=day_digest(one.case_id for one in cases)) for day, cases in days.items()]
    first = _ask(link, identity, bodies)
    if isinstance(first, str):
        return Reconciled(first, len(days))
    table = {
        one.day: DayCompared(
            one.day, len(days[one.day]), one.live is DayState.SAME, bool(first.backup) and one.safe is DayState.SAME,
        )
        for one in first.days
    }
    whole = [day for day, found in table.items() if found.live and found.safe]
    differing = [day for day in table if day not in whole]
    made_safe = make_safe(engine, [one.case_id for day in whole for one in days[day]], now)
    sent_again = lost = undone = 0

    def done(trouble: str | None) -> Reconciled:
        return Reconciled(
            trouble, len(days), len(differing), made_safe, sent_again, lost, first.backup, undone, tuple(table.values()),
        )

    for asked in _requests(days, differing):
        answer = _ask(link, identity, asked)
        if isinstance(answer, str):
            return done(answer)
        missing = {one for day in answer.days for one in day.missing}
        saved = {one for day in answer.days for one in day.saved if answer.backup} - missing
        made_safe += make_safe(engine, saved, now)
        if answer.backup:
            undone += not_safe_any_more(engine, {one for day in asked for one in day.ids or ()} - saved - missing)
        again, gone = send_again(engine, missing, now)
        sent_again, lost = sent_again + again, lost + gone
        for day in answer.days:
            table[day.day] = replace(table[day.day], missing=table[day.day].missing + len(day.missing))
    note_lost(engine, lost)
    return done(None)


class ReconcileJob:
    """Every night, and whenever the office has a new verified backup. Used by one thread."""

    def __init__(self, engine: Engine, config: SyncConfig, now: Callable[[], dt.datetime]) -> None:
        self._engine, self._config, self._now = engine, config, now
        self._later = dt.timedelta(seconds=random.uniform(0, _SPREAD_S))
        self._not_before = 0.0

    def run(self) -> Reconciled | None:
        """None when it is not time."""
        if monotonic() < self._not_before or not self._due():
            return None
        self._not_before = monotonic() + _RETRY_S * random.uniform(0.5, 1.5)
        return reconcile_once(self._engine, self._config, self._now)

    def _due(self) -> bool:
        new_backup = read(self._engine, OFFICE_BACKUP) != read(self._engine, _COMPARED_BACKUP)
        local = (self._now() - self._later).astimezone(LOCAL_ZONE)
        return new_backup or (local.time() >= _NIGHT and read(self._engine, _COMPARED_DAY) != local.date().isoformat())


def reconcile_once(engine: Engine, config: SyncConfig, now: Callable[[], dt.datetime]) -> Reconciled | None:
    """None before enrolment."""
    identity = load_identity(engine)
    if identity is None:
        return None
    backup = read(engine, OFFICE_BACKUP)
    with OfficeLink(identity.office_url, config.connect_timeout_s, config.total_timeout_s) as link:
        done = reconcile(engine, link, identity, config.reconcile_days, now())
    if done.trouble is None:
        note(engine, _COMPARED_DAY, now().astimezone(LOCAL_ZONE).date().isoformat())
        note(engine, _COMPARED_BACKUP, backup)
    return done


def _requests(days: Days, differing: Sequence[dt.date]) -> Iterator[list[DayBody]]:
    """The ids of these days, long days in parts."""
    request: list[DayBody] = []
    told = 0
    for day in differing:
        cases = days[day]
        digest = day_digest(one.case_id for one in cases)
        for at in range(0, len(cases), IDS_MAX):
            some = cases[at : at + IDS_MAX]
            if told + len(some) > _IDS_AT_ONCE:
                yield request
                request, told = [], 0
            request.append(DayBody(
                day=day, digest=digest, ids=tuple(one.case_id for one in some),
                purged=tuple(one.case_id for one in some if one.purged),
            ))
            told += len(some)
    if request:
        yield request


def _ask(link: OfficeLink, identity: Identity, days: Sequence[DayBody]) -> ReconcileAnswer | str:
    """The office's word on exactly these days, or why there is none."""
    data = ReconcileBody(kiosk=identity.terminal_id, epoch=identity.epoch, days=tuple(days)).to_json()
    nonce = secrets.token_hex(16)
    message = heartbeat_message(http.RECONCILE_PATH, nonce, data, "POST")
    headers = {
        "Content-Type": http.JSON_TYPE, http.KIOSK: identity.terminal_id, http.NONCE: nonce,
        http.SIGNATURE: sign(Context.RECONCILE, message, identity.signing_key),
    }
    answer = link.exchange("POST", http.RECONCILE_PATH, headers, data, http.RECONCILE_BYTES_MAX)
    if not isinstance(answer, Answer):
        return answer.reason
    told = _told(answer, identity, nonce)
    if told is not None:
        return told if all(map(_answers, days, told.days)) and len(told.days) == len(days) else "wrong_answer"
    refusal = signed_refusal(answer, identity, nonce, hashlib.sha256(data).hexdigest())
    if refusal is not None:
        return f"refused_{refusal.code}"
    return "not_the_office" if answer.status == 200 else f"http_{answer.status}"


def _answers(asked: DayBody, told: DayAnswer) -> bool:
    return told.day == asked.day and {*told.missing, *told.saved} <= set(asked.ids or ())


def _told(answer: Answer, identity: Identity, nonce: str) -> ReconcileAnswer | None:
    if not identity.office_signed(Context.RECONCILE_ANSWER, answer.body, answer.header(http.RECONCILE_SIGNATURE)):
        return None
    try:
        told = ReconcileAnswer.model_validate_json(answer.body)
    except ValidationError:
        return None
    return told if told.nonce == nonce else None
