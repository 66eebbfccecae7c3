"""Somebody before the camera who hears what is asked and does it after a moment, as far as the body can.

Requests are the words of the terminal's coach; left and right are the person's own. All times are those of the clip:
the same calls give the same pictures, at any rate of frames.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from kiosk.devices.emulated.drift import SWAY, Drift
from kiosk.devices.emulated.light import Light, Sensor
from kiosk.devices.emulated.portrait import Pose
from kiosk.devices.emulated.warp import Picture

TURNS = frozenset({"turn_left", "turn_right"})
ALL = TURNS | {"blink", "open_mouth", "a_little_left", "a_little_right", "spontaneous"}
"""What a healthy person can do. `spontaneous`: blinks now and then without being asked."""
STIFF = ALL - TURNS
"""Cannot turn the head, but for a little."""

BLINK_S, MOUTH_S, TURN_S = 0.32, 1.0, 1.6
TURN_DEG = 22.0
_FURTHER = 1.3
_LITTLE_DEG, _LITTLE_S = 7.0, 0.6
_SPONTANEOUS_S = (2.5, 6.0)
_SIDES = {"turn_left": 1, "turn_right": -1, "a_little_left": 1, "a_little_right": -1}
_AT_REST = Pose()


class Body(Protocol):
    """What can be posed and seen: a living head, or a sheet with one on it."""

    def render(self, pose: Pose, blink: float = ..., mouth: float = ..., t: float = ...) -> Picture: ...

    def infrared(self, pose: Pose, blink: float = ..., mouth: float = ..., t: float = ...) -> Picture: ...


class Performer(Protocol):
    """Whoever stands before the camera."""

    def hear(self, request: str, t: float) -> None: ...

    def frame(self, t: float) -> Picture: ...

    def infrared(self, t: float) -> Picture: ...


@dataclass(frozen=True, slots=True)
class Manner:
    """How a body is moved. The defaults are those of a living head."""

    sway: Pose = SWAY
    lean: Pose = _AT_REST
    """How it is held all the time."""
    turn_deg: tuple[float, float] = (TURN_DEG, TURN_DEG)
    """Least and most: each turn is drawn anew."""
    turn_roll_deg: float = 0.0
    """A turn is tilted by up to this."""
    turn_power: float = 0.8
    jerk: Pose | None = None
    """What an attacker does with the sheet for want of an eyelid or a mouth."""
    gloss: float = 1.0
    """How much of the light of the kiosk's screen comes back, beside skin."""


@dataclass(frozen=True, slots=True)
class Act:
    """One motion there and back."""

    seconds: float
    pose: Pose = _AT_REST
    """Where it leads at its height, beside the usual pose."""
    blink: float = 0.0
    mouth: float = 0.0
    power: float = 1.0

    def at(self, since: float) -> tuple[Pose, float, float]:
        """Pose, lids and mouth so long after its beginning."""
        share = math.sin(math.pi * min(max(since / self.seconds, 0.0), 1.0)) ** self.power
        pose = replace(_AT_REST, yaw=share * self.pose.yaw, pitch=share * self.pose.pitch, roll=share * self.pose.roll)
        return pose, share * self.blink, share * self.mouth


_BLINK = Act(BLINK_S, blink=1.0)
_MOUTH = Act(MOUTH_S, mouth=1.0)


class Actor:
    """One at a time: a request heard while acting waits, a newer one takes its place."""

    def __init__(
        self, figure: Body, rng: np.random.Generator, *, reaction_s: float = 0.5, can: frozenset[str] = ALL,
        light: Light = Light.EVEN, manner: Manner = Manner(),
    ) -> None:
        """reaction_s: from hearing to beginning."""
        self._body, self._rng, self._reaction_s, self._can, self._manner = figure, rng, reaction_s, can, manner
        self._drift = Drift(manner.sway, rng)
        self.sensor = Sensor(light, rng)
        self._now = 0.0
        self._act: tuple[float, Act] | None = None
        self._next: tuple[float, Act] | None = None
        self._turn: Act | None = None
        """The last one asked for."""
        self._hold = _Glide(0.0, 0.0, 0.0)
        self._blinks_at = float(rng.uniform(*_SPONTANEOUS_S)) if "spontaneous" in can else math.inf

    def hear(self, request: str, t: float) -> None:
        """Does nothing for words that ask for nothing, and for what this body cannot do."""
        begins = self._clock(t) + self._reaction_s
        if request == "look_ahead":
            self._next = None
            self._hold = self._hold.towards(0.0, begins)
        elif request in _SIDES and request not in TURNS and request in self._can:
            self._hold = self._hold.towards(_SIDES[request] * _LITTLE_DEG, begins)
        elif act := self._asked(request):
            self._next = (begins, act)
            if act.pose.yaw:
                self._turn = act
                self._hold = self._hold.towards(0.0, begins)

    def frame(self, t: float) -> Picture:
        """(480, 640, 3), RGB: what the camera sees at this time; times that go back count as the last one."""
        t = self._clock(t)
        return self.sensor.film(self._body.render(*self._posture(t), t), t, self._manner.gloss)

    def infrared(self, t: float) -> Picture:
        """(480, 640) grey: the same instant with the second eye of a binocular module, 60 mm aside."""
        t = self._clock(t)
        return self.sensor.film(self._body.infrared(*self._posture(t), t), t)

    def pair(self, t: float) -> tuple[Picture, Picture]:
        """Both eyes at the same instant: RGB and infrared."""
        return self.frame(t), self.infrared(t)

    def _clock(self, t: float) -> float:
        self._now = max(self._now, t)
        return self._now

    def _asked(self, request: str) -> Act | None:
        manner = self._manner
        if request in TURNS & self._can:
            yaw = _SIDES[request] * float(self._rng.uniform(*manner.turn_deg))
            roll = float(self._rng.uniform(-1, 1)) * manner.turn_roll_deg
            return Act(TURN_S, Pose(yaw=yaw, roll=roll), power=manner.turn_power)
        if request == "further" and self._turn:
            return replace(self._turn, pose=replace(self._turn.pose, yaw=_FURTHER * self._turn.pose.yaw))
        if request == "other_side" and self._turn:
            return replace(self._turn, pose=replace(self._turn.pose, yaw=-self._turn.pose.yaw))
        if request in {"blink", "open_mouth"}:
            if request in self._can:
                return _BLINK if request == "blink" else _MOUTH
            return Act(BLINK_S, manner.jerk) if manner.jerk else None
        return None

    def _posture(self, t: float) -> tuple[Pose, float, float]:
        if self._act and t >= self._act[0] + self._act[1].seconds:
            self._act = None
        if self._next and not self._act and t >= self._next[0]:
            self._act, self._next = (t, self._next[1]), None
        pose, blink, mouth = self._act[1].at(t - self._act[0]) if self._act else (_AT_REST, 0.0, 0.0)
        sway, lean = self._drift.at(t), self._manner.lean
        posed = replace(
            sway, yaw=sway.yaw + lean.yaw + pose.yaw + self._hold.at(t), pitch=sway.pitch + lean.pitch + pose.pitch,
            roll=sway.roll + lean.roll + pose.roll,
        )
        return posed, max(blink, self._spontaneous(t)), mouth

    def _spontaneous(self, t: float) -> float:
        """How far the lids are closed by themselves."""
        if t >= self._blinks_at + BLINK_S:
            self._blinks_at = t + float(self._rng.uniform(*_SPONTANEOUS_S))
        return _BLINK.at(t - self._blinks_at)[1] if t > self._blinks_at else 0.0


@dataclass(frozen=True, slots=True)
class _Glide:
    """From one angle to another that is then held."""

    start: float
    end: float
    begins: float

    def at(self, t: float) -> float:
        done = min(max((t - self.begins) / _LITTLE_S, 0.0), 1.0)
        return self.start + (self.end - self.start) * done * done * (3 - 2 * done)

    def towards(self, angle: float, begins: float) -> _Glide:
        return _Glide(self.at(begins), angle, begins)
