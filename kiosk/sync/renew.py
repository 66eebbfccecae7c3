"""Renewal of the device keys, by themselves and without anybody's hand: once a key is old, however long offline it was.

The request is stored, keys and all, before it is sent and sent again byte for byte until its answer is stored: neither a
crash nor a lost answer leaves this machine without an identity. It is kept afterwards too: an office restored from a
backup of before can be shown it once more.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from pydantic import ValidationError
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from kiosk.config import SyncConfig
from kiosk.store.settings import get_setting, put_setting
from kiosk.sync.clock import read_clock
from kiosk.sync.identity import Identity, Stored, drop_proven_keys, load_identity, take_identity
from kiosk.sync.link import Answer, OfficeLink
from kiosk.sync.refusal import signed_refusal
from kiosk.sync.standing import CLONE, RENEW_TROUBLE, note, refused
from kiosk.sync.wire import http
from kiosk.sync.wire.base import Wire
from kiosk.sync.wire.keys import private_hex, public_hex
from kiosk.sync.wire.models import ClockState, EnrolAnswer, KeyHex, RefusalCode
from kiosk.sync.wire.renewal import RenewRequest
from kiosk.sync.wire.signing import Context, sign

_ASKED: Final = "renewal_asked"
_LAST: Final = "renewal_last"
_LOOK_S = 60.0
"""How often it is looked whether it is time, and an unanswered request is sent again."""
_REFUSED_S = 3600.0
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class RenewFailed:
    """reason: of the link, `http_<status>`, `not_the_office`, `refused_<code>`."""

    reason: str


class _Asked(Wire):
    """A request with the keys it is about. It stays what it is until it is answered."""

    epoch: int
    """Of the enrolment that asked."""
    request: str
    signature: str
    signing_key: KeyHex
    sealing_key: KeyHex


class RenewJob:
    """Used by one thread."""

    def __init__(self, engine: Engine, config: SyncConfig, now: Callable[[], dt.datetime]) -> None:
        self._engine, self._config, self._now = engine, config, now
        self._next_at = 0.0

    def run(self) -> None:
        """Called often."""
        if monotonic() < self._next_at:
            return
        self._next_at = monotonic() + _LOOK_S
        drop_proven_keys(self._engine)
        result = renew_if_due(self._engine, self._config, self._now)
        if isinstance(result, RenewFailed) and result.reason.startswith("refused_"):
            self._next_at = monotonic() + _REFUSED_S


def renew_if_due(
    engine: Engine, config: SyncConfig, now: Callable[[], dt.datetime],
) -> Identity | RenewFailed | None:
    """None: not enrolled, or not yet time. While a request is unanswered it is time, whatever the clock says."""
    identity = load_identity(engine)
    if identity is None:
        return None
    with Session(engine.execution_options(read_only=True)) as session, session.begin():
        asked, last = _read(session, _ASKED), _read(session, _LAST)
        ended = refused(session)
    if ended and last is not None and last.signing_key == private_hex(identity.signing_key):
        return _ask(engine, config, identity, last, now)  # should the office have lost it, it is made again
    if asked is None or asked.epoch != identity.epoch:
        if not _is_old(engine, config, identity, now()):
            return None
        asked = _prepare(engine, identity, now())
    return _ask(engine, config, identity, asked, now)


def _is_old(engine: Engine, config: SyncConfig, identity: Identity, now: dt.datetime) -> bool:
    """By a clock that was checked: one that was not could renew at every start. A key of the future is as good as old."""
    if read_clock(engine, now).state is not ClockState.CONFIRMED:
        return False
    age = None if identity.enrolled_at is None else now - identity.enrolled_at
    return age is None or not -_DAY <= age < dt.timedelta(days=config.renew_days)


def _prepare(engine: Engine, identity: Identity, now: dt.datetime) -> _Asked:
    signing_key, sealing_key = Ed25519PrivateKey.generate(), X25519PrivateKey.generate()
    request = RenewRequest(
        kiosk=identity.terminal_id, epoch=identity.epoch, sent_at=now.astimezone(dt.UTC),
        signing_key=public_hex(signing_key.public_key()), sealing_key=public_hex(sealing_key.public_key()),
    ).to_json()
    asked = _Asked(
        epoch=identity.epoch, request=request.decode(), signature=sign(Context.RENEW, request, identity.signing_key),
        signing_key=private_hex(signing_key), sealing_key=private_hex(sealing_key),
    )
    with Session(engine) as session, session.begin():
        put_setting(session, _ASKED, asked.model_dump_json())
    return asked


def _ask(
    engine: Engine, config: SyncConfig, identity: Identity, asked: _Asked, now: Callable[[], dt.datetime],
) -> Identity | RenewFailed:
    data = asked.request.encode()
    headers = {"Content-Type": http.JSON_TYPE, http.SIGNATURE: asked.signature}
    with OfficeLink(identity.office_url, config.connect_timeout_s, config.total_timeout_s) as link:
        result = link.exchange("POST", http.RENEW_PATH, headers, data, http.ANSWER_BYTES_MAX)
    if not isinstance(result, Answer):
        return _failed(engine, result.reason)
    answer = _told(result, identity, asked)
    if answer is None:
        sha256 = hashlib.sha256(data).hexdigest()
        refusal = signed_refusal(result, identity, sha256, sha256)
        if refusal is None:
            return _failed(engine, "not_the_office" if result.status == 200 else f"http_{result.status}")
        if refusal.code == RefusalCode.CLONE:
            note(engine, CLONE, "noticed")
        return _failed(engine, f"refused_{refusal.code}")
    stored = Stored(
        office_url=identity.office_url, signing_key=asked.signing_key, sealing_key=asked.sealing_key, answer=answer,
        enrolled_at=now(),
    )
    with Session(engine) as session, session.begin():
        put_setting(session, _LAST, asked.model_dump_json())
    return take_identity(engine, stored, "renewed", _ASKED)


def _failed(engine: Engine, reason: str) -> RenewFailed:
    note(engine, RENEW_TROUBLE, reason)
    return RenewFailed(reason)


def _told(answer: Answer, identity: Identity, asked: _Asked) -> EnrolAnswer | None:
    if not identity.office_signed(Context.ENROL, answer.body, answer.header(http.ENROL_SIGNATURE)):
        return None
    try:
        told = EnrolAnswer.model_validate_json(answer.body)
    except ValidationError:
        return None
    request = RenewRequest.model_validate_json(asked.request)
    return told if (told.terminal_id, told.signing_key) == (request.kiosk, request.signing_key) else None


def _read(session: Session, name: str) -> _Asked | None:
    text = get_setting(session, name)
    return _Asked.model_validate_json(text) if text else None
