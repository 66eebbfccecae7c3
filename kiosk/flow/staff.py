"""Staff at the terminal: signing in by PIN, and what they can do then.

Each sign-in serves one conversation. Whoever attends an enrolment has proved to stand there, and no machine is left
signed in for the next person in the queue.
"""

from __future__ import annotations

import math
from dataclasses import replace

from kiosk.domain.pin import PIN_MAX, PIN_MIN
from kiosk.flow import effects as fx
from kiosk.flow import enrol, frame, join
from kiosk.flow import events as ev
from kiosk.flow.session import Rules, Session, Surroundings
from kiosk.flow.start import PIN, STOP, Result, begin, notice_to_nobody
from kiosk.flow.view import Button, Step

STEPS = frozenset({Step.STAFF_PIN, Step.STAFF_MENU})


def step(session: Session, event: ev.Event, around: Surroundings, rules: Rules) -> Result:
    return frame.step(_CONVERSATION, session, event, around, rules)


def may_ask(session: Session, rules: Rules) -> bool:
    """From the start screen, or what stands in its place for want of paper or of the office's leave."""
    shut = session.step is Step.OUT_OF_SERVICE and session.shut is not None
    nobody_here = session.step is Step.ATTRACT or notice_to_nobody(session) or shut
    known = rules.staff is not None or (shut and rules.join_s > 0)
    return known and nobody_here and not session.help_open


def may_type(session: Session) -> bool:
    return session.step is Step.STAFF_PIN and session.pin_asked_at is None and not session.locked_s


def ask_pin(session: Session, event: ev.StaffWanted, around: Surroundings, rules: Rules) -> Result:
    """No card is looked for meanwhile: a card laid down would begin somebody's certification."""
    if not may_ask(session, rules):
        return session, ()
    if rules.staff is None:  # a machine that cannot work can be enrolled by whoever has a code, and by nobody else
        return join.ask_code(session, around, rules)
    return session.fresh(Step.STAFF_PIN), (*STOP, fx.ReleaseCard())


def _typed(session: Session, event: ev.Typed, around: Surroundings, rules: Rules) -> Result:
    if not may_type(session) or len(session.pin) == PIN_MAX:
        return session, ()
    return replace(session, pin=session.pin + event.digit, trouble=""), ()


def _erased(session: Session, event: ev.Erased, around: Surroundings, rules: Rules) -> Result:
    return (replace(session, pin=session.pin[:-1]) if may_type(session) else session), ()


def _check(session: Session, around: Surroundings, rules: Rules) -> Result:
    if rules.staff is None or not may_type(session) or len(session.pin) < PIN_MIN:
        return session, ()
    asked = replace(session.at(Step.STAFF_PIN), pin_asked_at=around.now)
    return asked, (fx.CheckPin(session.pin, around.now), fx.StartTimer(PIN, rules.staff.check_s))


def _known(session: Session, event: ev.StaffKnown, around: Surroundings, rules: Rules) -> Result:
    if session.step is not Step.STAFF_PIN or session.pin_asked_at != event.asked_at:
        return session, ()
    menu = replace(session.at(Step.STAFF_MENU), staff=event.staff, staff_note=session.attention)
    return menu, (fx.CancelTimer(PIN),)


def _unknown(session: Session, event: ev.StaffUnknown, around: Surroundings, rules: Rules) -> Result:
    if session.step is not Step.STAFF_PIN or session.pin_asked_at != event.asked_at:
        return session, ()
    again = session.at(Step.STAFF_PIN)
    if event.locked_for_s <= 0:
        return replace(again, trouble="staff_pin.wrong"), (fx.CancelTimer(PIN),)
    locked = replace(again, trouble="staff_pin.locked", locked_s=math.ceil(event.locked_for_s))
    return locked, (fx.StartTimer(PIN, event.locked_for_s),)


def _time_up(session: Session, event: ev.TimeUp, around: Surroundings, rules: Rules) -> Result:
    """The lock is over, or nobody has said whose PIN it is."""
    if event.timer != PIN or session.step is not Step.STAFF_PIN:
        return session, ()
    unanswered = session.pin_asked_at is not None
    return replace(session.at(Step.STAFF_PIN), trouble="staff_pin.unclear" if unanswered else ""), ()


def _back(session: Session, around: Surroundings, rules: Rules) -> Result:
    return begin(session, around)


_CONVERSATION = frame.Conversation(
    moves={
        (Step.STAFF_PIN, Button.ENTER): _check,
        (Step.STAFF_PIN, Button.BACK): _back,
        (Step.STAFF_MENU, Button.ENROL): enrol.lay_card,
        (Step.STAFF_MENU, Button.JOIN): join.ask_code,
        (Step.STAFF_MENU, Button.SIGN_OUT): _back,
    },
    handlers={
        ev.Typed: _typed,
        ev.Erased: _erased,
        ev.StaffKnown: _known,
        ev.StaffUnknown: _unknown,
        ev.TimeUp: _time_up,
    },
)
