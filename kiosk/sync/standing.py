"""How this machine stands with the office, in small notes of the sync process that the terminal process reads."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from kiosk.store.settings import get_setting, put_setting

ALARM: Final = "sync_alarm"
PULL_TROUBLE: Final = "sync_pull_trouble"
OUTCOMES_TROUBLE: Final = "sync_outcomes_trouble"
CONTENT_TROUBLE: Final = "sync_content_trouble"
HEARTBEAT_TROUBLE: Final = "sync_heartbeat_trouble"
RENEW_TROUBLE: Final = "sync_renew_trouble"
CLONE: Final = "sync_clone"
CLOCK_TROUBLE: Final = "sync_clock_trouble"

DEVICE_REFUSED: Final = ("device_refused", "refused_device")
"""In the words of an upload, and of a pull, heartbeat or renewal. All of them the office has signed."""
_REFUSING = (ALARM, PULL_TROUBLE, HEARTBEAT_TROUBLE)


def noted(session: Session, name: str) -> str:
    """Empty where nothing is noted."""
    return get_setting(session, name) or ""


def read(engine: Engine, name: str) -> str:
    """Empty where nothing is noted."""
    with Session(engine.execution_options(read_only=True)) as session, session.begin():
        return noted(session, name)


def note(engine: Engine, name: str, value: str) -> None:
    """Writes only what is new."""
    with Session(engine.execution_options(read_only=True)) as session, session.begin():
        if noted(session, name) == value:
            return
    with Session(engine) as session, session.begin():
        put_setting(session, name, value)


def refused(session: Session) -> bool:
    """The office has ended this enrolment, or does not know it any more."""
    return any(noted(session, name) in DEVICE_REFUSED for name in _REFUSING)


def forget_refusals(session: Session) -> None:
    """After a new enrolment: what was said of the one before is nobody's business."""
    for name in (*_REFUSING, OUTCOMES_TROUBLE, CONTENT_TROUBLE, RENEW_TROUBLE, CLONE):
        put_setting(session, name, "")
