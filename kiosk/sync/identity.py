"""Who this terminal is for the office: its keys, kept in the encrypted database and made here."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from sqlalchemy import Engine, and_, func, or_, select, update
from sqlalchemy.orm import Session

from kiosk.store import audit, outcomes
from kiosk.store.models import OutboxRow, OutboxState
from kiosk.store.outbox import HELD
from kiosk.store.roster import start_over
from kiosk.store.settings import get_setting, put_setting
from kiosk.sync.standing import forget_refusals
from kiosk.sync.wire.base import Wire
from kiosk.sync.wire.keys import sealing_private, sealing_public, signing_private, signing_public
from kiosk.sync.wire.models import EnrolAnswer, KeyHex, Moment, RefusalCode
from kiosk.sync.wire.signing import Context, verify

SETTING = "identity"
_LONG_AGO = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


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
    enrolled_at: dt.datetime | None = None
    """When these keys were taken into use, by the terminal's clock; None: before that was kept."""

    def office_signed(self, context: Context, message: bytes, signature: str) -> bool:
        return any(verify(context, message, signature, key) for key in self.office_signing)


class EarlierKeys(Wire):
    """Of an enrolment that has ended, kept while a case of it is not proven delivered."""

    terminal_id: str
    epoch: int
    signing_key: KeyHex
    sealing_key: KeyHex


class Stored(Wire):
    """The identity as it lies in the encrypted database."""

    office_url: str
    signing_key: KeyHex
    sealing_key: KeyHex
    answer: EnrolAnswer
    enrolled_at: Moment | None = None
    earlier: tuple[EarlierKeys, ...] = ()


def load_identity(engine: Engine) -> Identity | None:
    """None before enrolment."""
    with Session(engine.execution_options(read_only=True)) as session, session.begin():
        text = get_setting(session, SETTING)
    return None if text is None else _identity(Stored.model_validate_json(text))


def take_identity(engine: Engine, stored: Stored, act: str, clear: str) -> Identity:
    """From here on this terminal is that one; one transaction with everything that follows from it.

    act: for the audit. clear: the setting that held the keys until now. Cases the office refused because their number was
    there already are sent again: the new enrolment stands up for them.
    """
    with Session(engine) as session, session.begin():
        before = get_setting(session, SETTING)
        stored = stored.model_copy(update={"earlier": _kept(session, None if before is None else _stored(before), stored)})
        put_setting(session, SETTING, stored.model_dump_json())
        put_setting(session, clear, "")
        if act == "enrolled":
            start_over(session)
            outcomes.start_over(session)
        _send_again(session)
        forget_refusals(session)
        audit.append(session, act, terminal=stored.answer.terminal_id, epoch=stored.answer.epoch)
    return _identity(stored)


def drop_proven_keys(engine: Engine) -> None:
    """Keys of earlier enrolments go once nothing sealed under them is unproven."""
    with Session(engine.execution_options(read_only=True)) as session, session.begin():
        text = get_setting(session, SETTING)
        if text is None or not _stored(text).earlier:
            return
    with Session(engine) as session, session.begin():
        text = get_setting(session, SETTING)
        assert text is not None
        stored = _stored(text)
        unproven = _unproven_epochs(session)
        kept = tuple(one for one in stored.earlier if one.epoch in unproven)
        if kept != stored.earlier:
            put_setting(session, SETTING, stored.model_copy(update={"earlier": kept}).model_dump_json())


def earlier_keys(engine: Engine) -> tuple[EarlierKeys, ...]:
    with Session(engine.execution_options(read_only=True)) as session, session.begin():
        text = get_setting(session, SETTING)
    return () if text is None else _stored(text).earlier


def _kept(session: Session, before: Stored | None, after: Stored) -> tuple[EarlierKeys, ...]:
    """Earlier keys that are still good for something, those of the enrolment that ends now among them."""
    if before is None or before.signing_key == after.signing_key:
        return () if before is None else before.earlier
    ended = EarlierKeys(
        terminal_id=before.answer.terminal_id, epoch=before.answer.epoch, signing_key=before.signing_key,
        sealing_key=before.sealing_key,
    )
    unproven = _unproven_epochs(session)
    return tuple(one for one in (*before.earlier, ended) if one.epoch in unproven)


def _unproven_epochs(session: Session) -> frozenset[int]:
    held = and_(OutboxRow.state == OutboxState.ACKED, OutboxRow.ack_level == HELD)
    unproven = or_(OutboxRow.state != OutboxState.ACKED, held)
    return frozenset(session.scalars(select(OutboxRow.epoch).where(unproven).distinct()))


def _send_again(session: Session) -> None:
    """Refused for their number, or with the enrolment they were sealed under: due at once."""
    clash = and_(OutboxRow.state == OutboxState.DEAD, OutboxRow.last_error == RefusalCode.SEQ.value)
    again = update(OutboxRow).where(or_(clash, OutboxRow.state == OutboxState.PENDING)).values(
        state=OutboxState.PENDING, attempts=0, next_at=_LONG_AGO,
    )
    clashed = session.scalar(select(func.count()).select_from(OutboxRow).where(clash))
    session.execute(again)
    if clashed:
        audit.append(session, "refused_cases_requeued", count=clashed)


def _stored(text: str) -> Stored:
    return Stored.model_validate_json(text)


def _identity(stored: Stored) -> Identity:
    answer = stored.answer
    return Identity(
        terminal_id=answer.terminal_id, site=answer.site, epoch=answer.epoch, office_url=stored.office_url,
        signing_key=signing_private(stored.signing_key), sealing_key=sealing_private(stored.sealing_key),
        office_sealing=sealing_public(answer.office.sealing),
        office_signing=tuple(signing_public(key) for key in answer.office.signing), enrolled_at=stored.enrolled_at,
    )
