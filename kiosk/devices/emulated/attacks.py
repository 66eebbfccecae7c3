"""What people hold before a camera in another's place, each species by somebody who does the best that can be done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from enum import StrEnum
from itertools import count

import numpy as np

from kiosk.devices.emulated.actor import Actor, Body, Manner, Performer
from kiosk.devices.emulated.drift import SWAY, WAVE
from kiosk.devices.emulated.light import Light
from kiosk.devices.emulated.portrait import LivingPortrait, Pose
from kiosk.devices.emulated.sheets import TELEPHONE, WHITE_PAPER, HeldUp, Shape, Sheet, Surface, room
from kiosk.devices.emulated.warp import FPS, Picture, Plane

ACTIONS = ("blink", "turn_left", "turn_right", "open_mouth")


class Species(StrEnum):
    STILL = "still"
    """A photograph close before the camera, held as still as one can."""
    TILTED = "tilted"
    WAVED = "waved"
    BENT = "bent"
    """Bent the one way or the other, now more, now less, and turned."""
    WRAPPED = "wrapped"
    """Round a face or a tube, turned by 40°."""
    CUT_EYES = "cut_eyes"
    """Flat, with the attacker's own eyes behind the holes."""
    CUT_EYES_BENT = "cut_eyes_bent"
    PRINT = "print"
    """With its white rim, in a room."""
    SCREEN = "screen"
    """A telephone that shows a still or a film of somebody who blinks."""


_TURN = frozenset({"turn_left", "turn_right", "a_little_left", "a_little_right"})
_BENDS = (Surface.UPRIGHT_BEND, Surface.LYING_BEND, Surface.WAVE, Surface.SADDLE)
_HAND = Pose(yaw=1.0, pitch=1.0, roll=0.8, dx=2.0, dy=2.0, zoom=1.01)
"""How still a hand holds something."""
_JERK = Pose(pitch=20.0)
_TILT = Manner(sway=_HAND, turn_deg=(25, 55), turn_roll_deg=10, jerk=_JERK)
_BEND = Manner(sway=_HAND, turn_deg=(25, 40), turn_roll_deg=10, jerk=_JERK)
_WRAP = Manner(sway=_HAND, turn_deg=(40, 40), turn_roll_deg=10)
_MASK = Manner(sway=Pose(yaw=0.4, pitch=0.4, roll=0.4, dx=1, dy=1), turn_deg=(40, 40))
_GLASS_GLOSS = 0.02


def attack_actor(
    species: Species, subject: LivingPortrait, rng: np.random.Generator, *, reaction_s: float = 0.5, light: Light = Light.EVEN,
) -> Actor:
    """subject: the attacked person. What the species leaves open (which bend, how far a tilt goes) is drawn from rng."""
    body, can, manner = _means(species, subject, rng)
    return Actor(body, rng, reaction_s=reaction_s, can=can, light=light, manner=manner)


def render_species(still: Picture, points: Plane, species: Species, seed: int, seconds: float) -> Iterator[Picture]:
    """A clip at FPS of the species asked for one action after the other, in random order, as a kiosk would.

    still: a photograph of the attacked person; points: its 68 landmarks, in its pixels.
    """
    rng = np.random.default_rng(seed)
    actor = attack_actor(species, LivingPortrait(still, points), rng)
    requests = (str(one) for _ in count() for one in rng.permutation(ACTIONS))
    for i in range(round(seconds * FPS)):
        if i % 35 == 12:
            actor.hear(next(requests), i / FPS)
        yield actor.frame(i / FPS)


class Swap:
    """One performer until so many requests have been heard, then another: a person who lets another finish."""

    def __init__(self, first: Performer, second: Performer, requests: int = 2, delay_s: float = 0.0) -> None:
        """delay_s: from the request to the change."""
        self._now, self._second = first, second
        self._left, self._delay_s, self._at = requests, delay_s, np.inf

    def hear(self, request: str, t: float) -> None:
        self._left -= request in ACTIONS
        if self._left <= 0:
            self._at = min(self._at, t + self._delay_s)
        self._who(t).hear(request, t)

    def frame(self, t: float) -> Picture:
        return self._who(t).frame(t)

    def infrared(self, t: float) -> Picture:
        return self._who(t).infrared(t)

    def _who(self, t: float) -> Performer:
        if t >= self._at:
            self._now = self._second
        return self._now


def _means(species: Species, subject: LivingPortrait, rng: np.random.Generator) -> tuple[Body, frozenset[str], Manner]:
    """The thing, what it can do, and how it is moved."""
    photograph = subject.face
    match species:
        case Species.STILL:
            return Sheet(photograph), frozenset(), Manner(sway=SWAY)
        case Species.TILTED:
            return Sheet(photograph), _TURN, _TILT
        case Species.WAVED:
            return Sheet(photograph), frozenset(), Manner(sway=WAVE)
        case Species.BENT:
            return Sheet(photograph, Shape(_BENDS[rng.integers(len(_BENDS))], 1.3, breathes=True)), _TURN, _BEND
        case Species.WRAPPED:
            return Sheet(photograph, Shape(Surface.UPRIGHT_BEND, float(rng.uniform(1.0, 2.0)))), _TURN, _WRAP
        case Species.CUT_EYES:
            return Sheet(photograph), _TURN | {"blink", "spontaneous"}, _MASK
        case Species.CUT_EYES_BENT:
            shape = Shape(Surface.UPRIGHT_BEND, float(rng.uniform(1.0, 1.4)))
            return Sheet(photograph, shape), _TURN | {"blink", "spontaneous"}, _MASK
        case Species.PRINT:
            return HeldUp(lambda t: photograph.still, WHITE_PAPER, room(rng)), _TURN, _leaning(_TILT, rng)
        case Species.SCREEN:
            held = Manner(sway=_HAND, gloss=_GLASS_GLOSS)
            return HeldUp(_shown(subject, rng), TELEPHONE, room(rng), lit=True), frozenset(), _leaning(held, rng)


def _leaning(manner: Manner, rng: np.random.Generator) -> Manner:
    return replace(manner, lean=Pose(roll=float(rng.uniform(-6, 6))))


def _shown(subject: LivingPortrait, rng: np.random.Generator) -> Callable[[float], Picture]:
    """On a telephone: a still or, every other time, a film."""
    if rng.random() < 0.5:
        return lambda t: subject.face.still
    return Actor(subject, rng, can=frozenset({"spontaneous"})).frame
