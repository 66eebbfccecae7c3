"""While a person looks into the camera: what is asked of them, how far a turn is, the colours of the screen."""

from __future__ import annotations

from dataclasses import replace

from kiosk.domain.coaching import Coach
from kiosk.flow import effects as fx
from kiosk.flow import events as ev
from kiosk.flow.session import Rules, Session, Surroundings
from kiosk.flow.start import Result
from kiosk.flow.view import Step

BEFORE_CAMERA = frozenset({Step.CAMERA, Step.ENROL_CAMERA})


def coached(session: Session, event: ev.Coached, around: Surroundings, rules: Rules) -> Result:
    """Said each time it is brought: a request nobody has followed yet is repeated calmly."""
    if session.step not in BEFORE_CAMERA:
        return session, ()
    said = () if event.coach is Coach.WORKING else (fx.Say(f"coach.{event.coach.value}"),)
    return replace(session, coach=event.coach, turned=0.0, flash=None), said


def turn_seen(session: Session, event: ev.TurnSeen, around: Surroundings, rules: Rules) -> Result:
    return (replace(session, turned=event.share) if session.step in BEFORE_CAMERA else session), ()


def flash_wanted(session: Session, event: ev.FlashWanted, around: Surroundings, rules: Rules) -> Result:
    return (replace(session, flash=event.plan) if session.step in BEFORE_CAMERA else session), ()
