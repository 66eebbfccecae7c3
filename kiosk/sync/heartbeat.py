"""The heartbeat: how this terminal is just now, told to the office. Never queued; the next one says it better."""

from __future__ import annotations

import datetime as dt
import hashlib
import importlib.metadata
import random
import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

from pydantic import ValidationError
from sqlalchemy import Engine

from kiosk.config import KioskConfig
from kiosk.domain.status import DeviceStatus
from kiosk.store.device_states import DeviceStates
from kiosk.store.outbox import count
from kiosk.store.roster import Roster
from kiosk.sync.audit_heads import keep_countersigned, present_head
from kiosk.sync.clock import boot_id, check_dates, mono_ms, note_office_time
from kiosk.sync.content import in_use
from kiosk.sync.identity import Identity, load_identity
from kiosk.sync.link import Answer, OfficeLink
from kiosk.sync.office_keys import learn
from kiosk.sync.reconcile import OFFICE_BACKUP
from kiosk.sync.refusal import signed_refusal
from kiosk.sync.standing import CLONE, note
from kiosk.sync.status import note_heartbeat
from kiosk.sync.wire import http
from kiosk.sync.wire.keys import key_id
from kiosk.sync.wire.models import COUNT_MAX, DeviceBody, HeartbeatAnswer, HeartbeatBody, RefusalCode
from kiosk.sync.wire.signing import Context, heartbeat_message, sign

_PAUSE_S = 5.0
"""A device that comes and goes makes at most one heartbeat in this time."""
_TRIES = 2
"""The second one answers the office's challenge."""
_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class HeartbeatResult:
    """contact: the office itself answered. trouble: stable code, None when it has taken the heartbeat."""

    contact: bool
    trouble: str | None
    told: HeartbeatAnswer | None = field(default=None, compare=False, repr=False)
    """What the office said of a heartbeat it has taken."""
    answer: bytes = field(default=b"", compare=False, repr=False)
    """`told` exactly as signed."""
    signature: str = field(default="", compare=False, repr=False)


def compose(engine: Engine, identity: Identity, config: KioskConfig, now: Callable[[], dt.datetime]) -> HeartbeatBody:
    """What the database says now."""
    states, counts, sent_at = DeviceStates(engine, now), count(engine), now()
    oldest = counts.oldest_unsent
    alive = states.alive()
    return HeartbeatBody(
        kiosk=identity.terminal_id, epoch=identity.epoch, sent_at=sent_at, challenge="",
        app_version=importlib.metadata.version("kiosk"), terminal_seen=_whole(alive),
        devices=tuple(
            DeviceBody(kind=one.kind.value, state=one.state.value, reason=one.reason, since=_whole(one.since))
            for one in states.all()
        ),
        unsent=counts.unsent, held=counts.held, dead=counts.dead,
        oldest_unsent_s=None if oldest is None else min(COUNT_MAX, max(0, int((sent_at - oldest).total_seconds()))),
        roster_version=Roster(engine).version(), free_mb=_free_mb(config),
        content_version=in_use(engine).version, boot=boot_id(), mono_ms=mono_ms(), audit=present_head(engine),
        office_kids=tuple(key_id(key) for key in identity.office_signing),
    )


def send(link: OfficeLink, identity: Identity, body: HeartbeatBody) -> HeartbeatResult:
    """One exchange; a second one when the office cannot tell by the time alone that this is not an old heartbeat."""
    contact = False
    for _ in range(_TRIES):
        nonce, data = secrets.token_hex(16), body.to_json()
        signature = sign(Context.HEARTBEAT, heartbeat_message(http.HEARTBEAT_PATH, nonce, data), identity.signing_key)
        headers = {
            "Content-Type": http.JSON_TYPE, http.KIOSK: identity.terminal_id, http.NONCE: nonce, http.SIGNATURE: signature,
        }
        answer = link.exchange("PUT", http.HEARTBEAT_PATH, headers, data, http.ANSWER_BYTES_MAX)
        if not isinstance(answer, Answer):
            return HeartbeatResult(contact, answer.reason)
        told = _told(answer, identity, nonce)
        if told is None:
            refusal = signed_refusal(answer, identity, nonce, hashlib.sha256(data).hexdigest())
            if refusal is not None:
                return HeartbeatResult(True, f"refused_{refusal.code}")
            return HeartbeatResult(contact, "not_the_office" if answer.status == 200 else f"http_{answer.status}")
        if told.taken:
            return HeartbeatResult(True, None, told, answer.body, answer.header(http.HEARTBEAT_SIGNATURE))
        contact, body = True, body.model_copy(update={"challenge": told.challenge})
    return HeartbeatResult(contact, "not_taken")


def heartbeat_once(engine: Engine, config: KioskConfig, now: Callable[[], dt.datetime]) -> None:
    """Nothing before enrolment."""
    identity = load_identity(engine)
    if identity is None:
        return
    body = compose(engine, identity, config, now)
    with OfficeLink(identity.office_url, config.sync.connect_timeout_s, config.sync.total_timeout_s) as link:
        result = send(link, identity, body)
    note_heartbeat(engine, now() if result.contact else None, result.trouble)
    if result.trouble == f"refused_{RefusalCode.CLONE.value}":
        note(engine, CLONE, "noticed")
    if result.told is not None:
        note(engine, CLONE, "noticed" if result.told.clone else "")
        if result.told.now is not None:
            note_office_time(engine, result.told.now, now())
        if body.audit is not None and result.told.audit == body.audit:
            keep_countersigned(engine, identity, body.audit, result.answer, result.signature)
        note(engine, OFFICE_BACKUP, result.told.backup)
        if result.told.office is not None:
            learn(engine, identity, result.told.office, result.answer, result.signature)
    check_dates(engine, config, identity, result.trouble, now)


class HeartbeatJob:
    """When to say it: every `heartbeat_s`, and soon after a device has changed. Used by one thread."""

    def __init__(self, engine: Engine, config: KioskConfig, now: Callable[[], dt.datetime]) -> None:
        self._engine, self._config, self._now = engine, config, now
        self._states = DeviceStates(engine, now)
        self._told: list[tuple[str, str, str]] = []
        self._next_at = self._soon_at = 0.0

    def run(self) -> None:
        """Called often: sends when it is time, successful or not; what failed is not sent again, but the next one."""
        devices = [_word(status) for status in self._states.all()]
        if monotonic() < (self._next_at if devices == self._told else self._soon_at):
            return
        self._told = devices
        interval = self._config.sync.heartbeat_s
        self._next_at = monotonic() + interval * random.uniform(0.9, 1.1)  # terminals must not come in step
        self._soon_at = monotonic() + min(_PAUSE_S, interval)
        heartbeat_once(self._engine, self._config, self._now)


def _told(answer: Answer, identity: Identity, nonce: str) -> HeartbeatAnswer | None:
    """None: not the office's word on this very heartbeat."""
    if not identity.office_signed(Context.HEARTBEAT_ANSWER, answer.body, answer.header(http.HEARTBEAT_SIGNATURE)):
        return None
    try:
        told = HeartbeatAnswer.model_validate_json(answer.body)
    except ValidationError:
        return None
    return told if told.nonce == nonce else None


def _word(status: DeviceStatus) -> tuple[str, str, str]:
    return status.kind.value, status.state.value, status.reason


def _whole(moment: dt.datetime | None) -> dt.datetime | None:
    return None if moment is None else moment.replace(microsecond=0)


def _free_mb(config: KioskConfig) -> int | None:
    try:
        return shutil.disk_usage(config.store.path.parent).free // _MIB
    except OSError:
        return None
