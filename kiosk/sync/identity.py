"""Who this terminal is for the office: its keys, kept in the encrypted database, and how it gets enrolled."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from pydantic import ValidationError
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from kiosk.store import audit
from kiosk.store.roster import start_over
from kiosk.store.settings import get_setting, put_setting
from kiosk.sync.link import Answer, LinkDown, NoAnswer, OfficeLink
from kiosk.sync.wire import http
from kiosk.sync.wire.base import Wire
from kiosk.sync.wire.enrolment import EnrolmentCode
from kiosk.sync.wire.keys import private_hex, public_hex, sealing_private, sealing_public, signing_private, signing_public
from kiosk.sync.wire.models import EnrolAnswer, EnrolRequest, KeyHex
from kiosk.sync.wire.signing import Context, verify

_SETTING = "identity"
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Identity:
    """One enrolment. The private keys never leave this machine."""

    terminal_id: str
    site: str
    epoch: int
    office_url: str
    signing_key: Ed25519PrivateKey = field(repr=False)
    sealing_key: X25519PrivateKey = field(repr=False)
    office_sealing: X25519PublicKey = field(repr=False)
    office_signing: tuple[Ed25519PublicKey, ...] = field(repr=False)

    def office_signed(self, context: Context, message: bytes, signature: str) -> bool:
        return any(verify(context, message, signature, key) for key in self.office_signing)


@dataclass(frozen=True, slots=True)
class EnrolFailed:
    """reason: `needs_https`, `no_connection`, `no_answer` (the code may be used up), `refused_<status>`, `not_the_office`."""

    reason: str


class _Stored(Wire):
    office_url: str
    signing_key: KeyHex
    sealing_key: KeyHex
    answer: EnrolAnswer


def load_identity(engine: Engine) -> Identity | None:
    """None before enrolment."""
    with Session(engine.execution_options(read_only=True)) as session, session.begin():
        text = get_setting(session, _SETTING)
    return None if text is None else _identity(_Stored.model_validate_json(text))


def enrol(engine: Engine, code: EnrolmentCode, name: str, connect_s: float, total_s: float) -> Identity | EnrolFailed:
    """Redeems a one-time code. A terminal enrolled before keeps its keys, so that what it still has to send stays valid.

    name: what the clerk sees. Nothing is stored unless the office's own signature stands under the answer.
    """
    url = urlsplit(code.url)
    if url.scheme != "https" and url.hostname not in _LOOPBACK:
        return EnrolFailed("needs_https")
    known = load_identity(engine)
    signing_key = known.signing_key if known else Ed25519PrivateKey.generate()
    sealing_key = known.sealing_key if known else X25519PrivateKey.generate()
    request = EnrolRequest(
        token=code.token, name=name, signing_key=public_hex(signing_key.public_key()),
        sealing_key=public_hex(sealing_key.public_key()),
    )
    with OfficeLink(code.url, connect_s, total_s) as link:
        result = link.exchange(
            "POST", http.ENROL_PATH, {"Content-Type": http.JSON_TYPE}, request.to_json(), http.ANSWER_BYTES_MAX,
        )
    match result:
        case LinkDown():
            return EnrolFailed("no_connection")
        case NoAnswer():
            return EnrolFailed("no_answer")
        case Answer(status=status) if status != 200:
            return EnrolFailed(f"refused_{status}")
    answer = _verified(result, code, request)
    if answer is None:
        return EnrolFailed("not_the_office")
    stored = _Stored(
        office_url=code.url, signing_key=private_hex(signing_key), sealing_key=private_hex(sealing_key), answer=answer,
    )
    _save(engine, stored)
    return _identity(stored)


def _verified(answer: Answer, code: EnrolmentCode, request: EnrolRequest) -> EnrolAnswer | None:
    if not verify(Context.ENROL, answer.body, answer.header(http.ENROL_SIGNATURE), signing_public(code.signing_key)):
        return None
    try:
        told = EnrolAnswer.model_validate_json(answer.body)
    except ValidationError:
        return None
    return told if told.signing_key == request.signing_key else None


def _save(engine: Engine, stored: _Stored) -> None:
    with Session(engine) as session, session.begin():
        put_setting(session, _SETTING, stored.model_dump_json())
        start_over(session)
        audit.append(session, "enrolled", terminal=stored.answer.terminal_id, epoch=stored.answer.epoch)


def _identity(stored: _Stored) -> Identity:
    answer = stored.answer
    return Identity(
        terminal_id=answer.terminal_id, site=answer.site, epoch=answer.epoch, office_url=stored.office_url,
        signing_key=signing_private(stored.signing_key), sealing_key=sealing_private(stored.sealing_key),
        office_sealing=sealing_public(answer.office.sealing),
        office_signing=tuple(signing_public(key) for key in answer.office.signing),
    )
