"""What lies around every conversation: help, silence, the ways out, what the machine itself tells.

A press or message that does not belong to the present step changes nothing: late answers are normal here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from kiosk.domain.consent import ConsentScope
from kiosk.domain.trouble import HandInTrouble
from kiosk.flow import effects as fx
from kiosk.flow import events as ev
from kiosk.flow.effects import Effect
from kiosk.flow.session import Rules, Session, Surroundings
from kiosk.flow.start import (
    IDLE,
    LEAVE,
    LEAVES_QUIETLY,
    NO_IDLE,
    NOT_TO_BE_ENDED,
    STOP,
    TICK,
    Result,
    begin,
    notice_to_nobody,
)
from kiosk.flow.view import Button, Step

Move = Callable[[Session, Surroundings, Rules], Result]
Handler = Callable[..., Result]
"""Takes session, event, surroundings and rules."""

_DONE = frozenset({Step.RESULT, Step.ENDED, Step.DECLINED, Step.ENROL_RESULT, Step.ENROL_DECLINED})
_LEAVES = frozenset({Step.RESULT, Step.ENDED, Step.TAKE_CARD, Step.ENROL_RESULT})
"""Last screens that end by their own time."""


@dataclass(frozen=True, slots=True)
class Conversation:
    moves: Mapping[tuple[Step, Button], Move]
    handlers: Mapping[type, Handler]
    """By kind of event. An event that is missing changes nothing but what is known of the machine."""


def step(conversation: Conversation, session: Session, event: ev.Event, around: Surroundings, rules: Rules) -> Result:
    """The next session and what is to be done. Never raises for an event that does not fit."""
    after, wanted = _take(conversation, session, event, around, rules)
    if isinstance(event, ev.Pressed):
        wanted = (fx.Hush(), *wanted)  # a touch always stops the voice (EN 301 549, 5.1.3.5)
    warning_gone = session.idle_left is not None and after.idle_left is None
    somebody_came = notice_to_nobody(session) and not notice_to_nobody(after)
    touched = isinstance(event, ev.Pressed | ev.Typed | ev.Erased)
    if after.step is not session.step or warning_gone or somebody_came or touched:
        wanted = (*wanted, *_watch_silence(after, rules))
    return after, wanted


def leave(session: Session, around: Surroundings, rules: Rules) -> Result:
    """From a last screen: to the reminder while the card still lies there, else to the start screen."""
    if session.card_on_reader and session.step is not Step.TAKE_CARD:
        wanted = (*STOP, fx.Say("take_card.title"), fx.StartTimer(LEAVE, rules.take_card_s))
        return session.fresh(Step.TAKE_CARD), wanted
    return begin(session, around)


def end(session: Session, sentence: str, rules: Rules) -> Result:
    """Cancelled or timed out."""
    if session.trouble == f"trouble.{HandInTrouble.STORE_FAILED.value}":
        sentence = "ended.unclear"  # "nothing was handed in" is more than anybody knows
    wanted = (*STOP, fx.ReleaseCard(), fx.Say(sentence), fx.StartTimer(LEAVE, rules.ended_s))
    return session.fresh(Step.ENDED, sentence), wanted


def tick(scope: ConsentScope) -> Move:
    """Ticks a box of a consent, or takes the tick away."""

    def move(session: Session, around: Surroundings, rules: Rules) -> Result:
        return replace(session, ticked=session.ticked ^ {scope}), ()

    return move


def _take(conversation: Conversation, session: Session, event: ev.Event, around: Surroundings, rules: Rules) -> Result:
    if isinstance(event, ev.Pressed):
        return _pressed(conversation, session, event.button, around, rules)
    if isinstance(event, ev.TimeUp) and event.timer in (IDLE, TICK, LEAVE):
        return _time_up(session, event.timer, around, rules)
    handler = conversation.handlers.get(type(event)) or _MACHINE.get(type(event))
    return handler(session, event, around, rules) if handler else (session, ())


def _pressed(conversation: Conversation, session: Session, button: Button, around: Surroundings, rules: Rules) -> Result:
    if session.idle_left is not None and button is not Button.END:
        return replace(session, idle_left=None), ()  # any touch says: I am still here
    if button is Button.HELP:
        return replace(session, help_open=True), (fx.Say("help.title"),)
    if button is Button.REPEAT_VOICE:
        return session, (fx.Say("no_slip.title") if notice_to_nobody(session) else fx.SayAgain(),)
    if button is Button.CLOSE_HELP:
        return replace(session, help_open=False), ()
    if button is Button.END and session.step not in NOT_TO_BE_ENDED and not notice_to_nobody(session):
        return end(session, "ended.cancelled", rules)
    if button is Button.DONE and session.step in _DONE:
        return leave(session, around, rules)
    move = conversation.moves.get((session.step, button))
    return move(session, around, rules) if move else (session, ())


def _time_up(session: Session, timer: str, around: Surroundings, rules: Rules) -> Result:
    if timer == IDLE and session.step in LEAVES_QUIETLY:
        return begin(session, around)
    if timer == IDLE and session.step not in NO_IDLE and not notice_to_nobody(session):
        return replace(session, idle_left=rules.countdown_s), (fx.Say("idle.question"), fx.StartTimer(TICK, 1.0))
    if timer == IDLE and session.help_open:
        return replace(session, help_open=False), ()
    if timer == TICK and session.idle_left is not None:
        if session.idle_left <= 1:
            return end(session, "ended.timeout", rules)
        return replace(session, idle_left=session.idle_left - 1), (fx.StartTimer(TICK, 1.0),)
    if timer == LEAVE and session.step in _LEAVES:
        return leave(session, around, rules)
    return session, ()


def _watch_silence(session: Session, rules: Rules) -> tuple[Effect, ...]:
    """A touch or a new step starts the silence anew, where silence is watched."""
    if (session.step in NO_IDLE or notice_to_nobody(session)) and not session.help_open:
        return fx.CancelTimer(IDLE), fx.CancelTimer(TICK)
    return (fx.StartTimer(IDLE, rules.idle_s),)


def _card_there(session: Session, event: ev.CardSeen, around: Surroundings, rules: Rules) -> Result:
    return replace(session, card_on_reader=True), ()


def _plate_free(session: Session, event: ev.CardLifted, around: Surroundings, rules: Rules) -> Result:
    return replace(session, card_on_reader=False, card_seen=False), ()


def _reader_changed(session: Session, event: ev.ReaderChanged, around: Surroundings, rules: Rules) -> Result:
    return replace(session, reader_usable=event.usable, reader_reason=event.reason), ()


def _enrolment_changed(session: Session, event: ev.EnrolmentChanged, around: Surroundings, rules: Rules) -> Result:
    return replace(session, shut=event.shut, attention=event.attention), ()


_MACHINE: Mapping[type, Handler] = {
    ev.EnrolmentChanged: _enrolment_changed,
    ev.CardSeen: _card_there, ev.CardLifted: _plate_free, ev.ReaderChanged: _reader_changed,
}
