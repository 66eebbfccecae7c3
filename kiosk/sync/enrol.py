"""Enrolment: a one-time code of the office, long or short, against keys made on this machine.

The keys are stored before they are sent: should the answer be lost, the same code with the same keys gets it once more.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from pydantic import ValidationError
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from kiosk.domain.short_code import is_short_code
from kiosk.store.settings import get_setting, put_setting
from kiosk.sync.identity import Identity, Stored, take_identity
from kiosk.sync.link import CERTIFICATE_DATES, Answer, LinkDown, NoAnswer, OfficeLink
from kiosk.sync.wire import enrolment as wire
from kiosk.sync.wire import http
from kiosk.sync.wire.base import Wire
from kiosk.sync.wire.enrolment import EnrolmentCode, ProvenEnrolRequest
from kiosk.sync.wire.keys import private_hex, public_hex, sealing_private, signing_private, signing_public
from kiosk.sync.wire.models import DigestHex, EnrolAnswer, KeyHex
from kiosk.sync.wire.signing import Context, verify

_Genuine = Callable[[Answer], bool]
_ASKED: Final = "enrolment_asked"
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class EnrolFailed:
    """reason: `not_a_code`, `no_office_url`, `needs_https`, `no_connection`, `certificate_dates`, `no_answer` (the same code
    may be tried again), `locked`, `refused_<status>`, `not_the_office`."""

    reason: str


class _Asked(Wire):
    """Keys on their way to the office."""

    token_sha256: DigestHex
    signing_key: KeyHex
    sealing_key: KeyHex


def enrol(engine: Engine, code: EnrolmentCode, name: str, connect_s: float, total_s: float) -> Identity | EnrolFailed:
    """Redeems a long code, which names the office and its keys. A terminal enrolled before gets new keys.

    name: what the clerk sees. Nothing is taken over unless the office's own signature stands under the answer.
    """
    pinned = signing_public(code.signing_key)

    def genuine(answer: Answer) -> bool:
        return verify(Context.ENROL, answer.body, answer.header(http.ENROL_SIGNATURE), pinned)

    return _redeem(engine, code.url, code.token, name, (connect_s, total_s), genuine)


def enrol_short(
    engine: Engine, digits: str, office_url: str | None, name: str, connect_s: float, total_s: float,
) -> Identity | EnrolFailed:
    """Redeems a short code at the office of the configuration: its keys come with the answer, and the proof under the
    token says that nobody else put them there. As `enrol`."""
    if not is_short_code(digits):
        return EnrolFailed("not_a_code")
    if office_url is None:
        return EnrolFailed("no_office_url")
    token = wire.token_of(digits)
    key = wire.proof_key(token)

    def genuine(answer: Answer) -> bool:
        return wire.proves(wire.answer_proof(key, answer.body), answer.header(http.ENROL_PROOF))

    return _redeem(engine, office_url, token, name, (connect_s, total_s), genuine)


def _redeem(
    engine: Engine, url: str, token: str, name: str, times: tuple[float, float], genuine: _Genuine,
) -> Identity | EnrolFailed:
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
        return EnrolFailed("needs_https")
    asked = _keys_for(engine, wire.token_digest(token))
    request = ProvenEnrolRequest(
        token_sha256=asked.token_sha256, name=name, signing_key=public_hex(signing_private(asked.signing_key).public_key()),
        sealing_key=public_hex(sealing_private(asked.sealing_key).public_key()),
    )
    data = request.to_json()
    headers = {"Content-Type": http.JSON_TYPE, http.ENROL_PROOF: wire.request_proof(wire.proof_key(token), data)}
    with OfficeLink(url, *times) as link:
        result = link.exchange("POST", http.ENROL_PATH, headers, data, http.ANSWER_BYTES_MAX)
    match result:
        case LinkDown(reason):
            return EnrolFailed(reason if reason == CERTIFICATE_DATES else "no_connection")
        case NoAnswer():
            return EnrolFailed("no_answer")
        case Answer(status=429):
            return EnrolFailed("locked")
        case Answer(status=status) if status != 200:
            return EnrolFailed(f"refused_{status}")
    answer = _told(result, request) if genuine(result) else None
    if answer is None:
        return EnrolFailed("not_the_office")
    stored = Stored(
        office_url=url, signing_key=asked.signing_key, sealing_key=asked.sealing_key, answer=answer,
        enrolled_at=dt.datetime.now(dt.UTC),
    )
    return take_identity(engine, stored, "enrolled", _ASKED)


def _told(answer: Answer, request: ProvenEnrolRequest) -> EnrolAnswer | None:
    try:
        told = EnrolAnswer.model_validate_json(answer.body)
    except ValidationError:
        return None
    return told if told.signing_key == request.signing_key else None


def _keys_for(engine: Engine, token_sha256: str) -> _Asked:
    """New ones, or those that were sent with this very code before."""
    with Session(engine) as session, session.begin():
        text = get_setting(session, _ASKED)
        known = _Asked.model_validate_json(text) if text else None
        if known is not None and known.token_sha256 == token_sha256:
            return known
        fresh = _Asked(
            token_sha256=token_sha256, signing_key=private_hex(Ed25519PrivateKey.generate()),
            sealing_key=private_hex(X25519PrivateKey.generate()),
        )
        put_setting(session, _ASKED, fresh.model_dump_json())
    return fresh
