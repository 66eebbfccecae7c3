"""The office changes its keys: what it announces in a signed answer is trusted and sealed to from the next case on."""

from __future__ import annotations

import logging

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from kiosk.store import audit
from kiosk.store.settings import get_setting, put_setting
from kiosk.sync.identity import SETTING, Identity, Stored
from kiosk.sync.wire.keys import key_id, sealing_public, signing_public
from kiosk.sync.wire.models import OfficeKeys
from kiosk.sync.wire.signing import Context, verify

_log = logging.getLogger(__name__)


def learn(
    engine: Engine, identity: Identity, told: OfficeKeys, answer: bytes, signature: str,
    context: Context = Context.HEARTBEAT_ANSWER,
) -> bool:
    """Whether something changed. answer: the proven message of this context in which the office told it.

    An announcement without the very key that signed it would cut the office off from this terminal: it is not taken.
    """
    if told == _known(engine, identity):
        return False
    if not any(verify(context, answer, signature, signing_public(key)) for key in told.signing):
        _log.error("the office announced keys without the one it signs with; they were not taken")
        return False
    with Session(engine) as session, session.begin():
        stored = _stored(session, identity)
        if stored is None:
            return False
        answered = stored.answer.model_copy(update={"office": told})
        put_setting(session, SETTING, stored.model_copy(update={"answer": answered}).model_dump_json())
        audit.append(
            session, "office_keys_changed", sealing=key_id(sealing_public(told.sealing)),
            signing=",".join(key_id(signing_public(key)) for key in told.signing),
        )
    return True


def _known(engine: Engine, identity: Identity) -> OfficeKeys | None:
    with Session(engine.execution_options(read_only=True)) as session, session.begin():
        stored = _stored(session, identity)
    return None if stored is None else stored.answer.office


def _stored(session: Session, identity: Identity) -> Stored | None:
    """None when this terminal was enrolled anew in the meantime."""
    text = get_setting(session, SETTING)
    stored = None if text is None else Stored.model_validate_json(text)
    if stored is None or (stored.answer.terminal_id, stored.answer.epoch) != (identity.terminal_id, identity.epoch):
        return None
    return stored
