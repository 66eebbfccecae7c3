"""Where every conversation begins and ends: the start screen, or what stands in its place."""

from __future__ import annotations

from kiosk.flow import effects as fx
from kiosk.flow.effects import Effect
from kiosk.flow.session import Session, Surroundings
from kiosk.flow.view import Step

Result = tuple[Session, tuple[Effect, ...]]

IDLE, TICK, LEAVE, HAND_IN, PIN, JOIN = "idle", "tick", "leave", "hand_in", "pin", "join"
"""Timers: silence, one second of the warning, leaving a last screen, the store's answer, the answer about a PIN or its lock,
the office's about an enrolment code."""

WAITS_FOR_CARD = frozenset({Step.ATTRACT, Step.EXPLAIN, Step.CARD})
"""Laying the card is enough to begin; no button needs to be found first."""
NOT_TO_BE_ENDED = frozenset({
    Step.OUT_OF_SERVICE, Step.ATTRACT, Step.HANDING_IN, Step.RESULT, Step.TAKE_CARD, Step.ENDED,
    Step.STAFF_PIN, Step.STAFF_MENU, Step.JOIN, Step.JOINED, Step.ENROL_HANDING_IN, Step.ENROL_RESULT,
})
"""Nobody is here, nothing has begun, or it is too late to cancel."""
LEAVES_QUIETLY = frozenset({Step.STAFF_PIN, Step.STAFF_MENU, Step.JOIN, Step.JOINED})
"""Silence leads back to the start screen without a question: there is nothing to lose."""
NO_IDLE = (NOT_TO_BE_ENDED - LEAVES_QUIETLY) | {Step.CAMERA, Step.ENROL_CAMERA}
"""Steps that do not wait for a finger: they end by their own time, the camera's tries by the face room's."""


def begin(session: Session, around: Surroundings) -> Result:
    """The start screen: cards are looked for, so that a card simply laid down starts a conversation."""
    if session.shut is not None:
        return session.fresh(Step.OUT_OF_SERVICE, staff_note=f"staff.{session.shut.value}"), (*STOP, fx.ReleaseCard())
    if not session.reader_usable:
        note = f"staff.idcard.{session.reader_reason}" if session.reader_reason else ""
        return session.fresh(Step.OUT_OF_SERVICE, staff_note=note), (*STOP, fx.ReleaseCard())
    if around.printer_hindrance:
        return session.fresh(Step.NO_SLIP, staff_note=printer_note(around)), (*STOP, fx.SeekCard())
    return session.fresh(Step.ATTRACT), (*STOP, fx.SeekCard())


def notice_to_nobody(session: Session) -> bool:
    """The notice in place of the start screen, before anybody has laid a card."""
    return session.step is Step.NO_SLIP and session.card is None


def printer_note(around: Surroundings) -> str:
    """Text id of the cause, for staff."""
    return f"staff.printer.{around.printer_hindrance}"


STOP: tuple[Effect, ...] = (
    fx.EndFace(), fx.Hush(), fx.CancelTimer(IDLE), fx.CancelTimer(TICK), fx.CancelTimer(LEAVE), fx.CancelTimer(HAND_IN),
    fx.CancelTimer(PIN), fx.CancelTimer(JOIN),
)
