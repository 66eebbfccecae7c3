"""接入本机: a code of the office, typed or scanned, lets this machine in. For staff, and while it cannot work for anybody."""

from __future__ import annotations

from dataclasses import replace

from kiosk.domain.join import JoinTrouble
from kiosk.domain.short_code import LENGTH, is_short_code
from kiosk.flow import effects as fx
from kiosk.flow import events as ev
from kiosk.flow import frame
from kiosk.flow.session import Rules, Session, Surroundings
from kiosk.flow.start import JOIN, STOP, Result, begin
from kiosk.flow.view import Button, Step

STEPS = frozenset({Step.JOIN, Step.JOINED})


def step(session: Session, event: ev.Event, around: Surroundings, rules: Rules) -> Result:
    after, wanted = frame.step(_CONVERSATION, session, event, around, rules)
    if session.step is Step.JOIN and after.step is not Step.JOIN:
        wanted = (*wanted, fx.ReleaseCode())
    return after, wanted


def ask_code(session: Session, around: Surroundings, rules: Rules) -> Result:
    if rules.join_s <= 0:
        return session, ()
    return session.fresh(Step.JOIN), (*STOP, fx.ReleaseCard(), fx.SeekCode())


def may_type(session: Session) -> bool:
    return session.step is Step.JOIN and session.pin_asked_at is None


def may_send(session: Session) -> bool:
    return may_type(session) and len(session.code) == LENGTH


def _typed(session: Session, event: ev.Typed, around: Surroundings, rules: Rules) -> Result:
    if not may_type(session) or len(session.code) == LENGTH:
        return session, ()
    return replace(session, code=session.code + event.digit, trouble=""), ()


def _erased(session: Session, event: ev.Erased, around: Surroundings, rules: Rules) -> Result:
    return (replace(session, code=session.code[:-1], trouble="") if may_type(session) else session), ()


def _send(session: Session, around: Surroundings, rules: Rules) -> Result:
    """A code mistyped is seen here: nothing is sent, and what stands there can be mended."""
    if not may_send(session):
        return session, ()
    if not is_short_code(session.code):
        return replace(session, trouble=f"join.{JoinTrouble.NOT_A_CODE.value}"), ()
    return _ask(session, session.code, around, rules)


def _scanned(session: Session, event: ev.CodeScanned, around: Surroundings, rules: Rules) -> Result:
    return _ask(session, event.text, around, rules) if may_type(session) else (session, ())


def _ask(session: Session, code: str, around: Surroundings, rules: Rules) -> Result:
    asked = replace(session.at(Step.JOIN), code=session.code, pin_asked_at=around.now)
    return asked, (fx.ReleaseCode(), fx.Join(code, around.now), fx.StartTimer(JOIN, rules.join_s))


def _joined(session: Session, event: ev.Joined, around: Surroundings, rules: Rules) -> Result:
    """However late: it is so, and the machine may work."""
    free = replace(session, shut=None, attention="")
    if session.step is not Step.JOIN or session.pin_asked_at != event.asked_at:
        return free, ()
    return replace(free.at(Step.JOINED), joined=(event.terminal_id, event.site)), (fx.CancelTimer(JOIN),)


def _failed(session: Session, event: ev.JoinFailed, around: Surroundings, rules: Rules) -> Result:
    if session.step is not Step.JOIN or session.pin_asked_at != event.asked_at:
        return session, ()
    return _again(session, event.trouble)


def _time_up(session: Session, event: ev.TimeUp, around: Surroundings, rules: Rules) -> Result:
    if event.timer != JOIN or session.step is not Step.JOIN or session.pin_asked_at is None:
        return session, ()
    return _again(session, JoinTrouble.NO_ANSWER)


def _again(session: Session, trouble: JoinTrouble) -> Result:
    """The code still stands there: after most troubles it is good for another try."""
    kept = "" if trouble is JoinTrouble.REFUSED else session.code
    again = replace(session.at(Step.JOIN), code=kept, trouble=f"join.{trouble.value}")
    return again, (fx.CancelTimer(JOIN), fx.SeekCode())


def _back(session: Session, around: Surroundings, rules: Rules) -> Result:
    return begin(session, around)


_CONVERSATION = frame.Conversation(
    moves={
        (Step.JOIN, Button.ENTER): _send,
        (Step.JOIN, Button.BACK): _back,
        (Step.JOINED, Button.SIGN_OUT): _back,
    },
    handlers={
        ev.Typed: _typed,
        ev.Erased: _erased,
        ev.CodeScanned: _scanned,
        ev.Joined: _joined,
        ev.JoinFailed: _failed,
        ev.TimeUp: _time_up,
    },
)
