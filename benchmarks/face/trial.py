"""One rendered try: somebody alive, or somebody with a picture of somebody, before the whole pipeline.

People are the sample photographs of installed packages and strangers made from them; nobody of them was used to choose
a threshold. Rendered tries say how the rules behave on rendered tries. They are not an accuracy test on people.
"""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

import numpy as np

from kiosk.config.face import FaceConfig, LivenessConfig
from kiosk.devices.emulated.actor import ALL, STIFF, Actor, Performer
from kiosk.devices.emulated.attacks import Species, attack_actor
from kiosk.devices.emulated.light import Light, Sensor
from kiosk.devices.emulated.people import Person, landmarks, living_portrait
from kiosk.devices.emulated.portrait import LivingPortrait, Pose
from kiosk.devices.emulated.strangers import estranged
from kiosk.domain.coaching import Coach
from kiosk.domain.decision import FaceEvidence, IdentifiedBy, decide
from kiosk.domain.face_task import Verify
from kiosk.domain.liveness import Action, CheckOutcome, Profile
from kiosk.domain.roster import FaceTemplate
from kiosk.face.attempt import VerifyAttempt
from kiosk.face.engine import FaceEngine, Vector
from kiosk.face.engines import make_engine

FPS = 12.5
LIVE, STIFF_PERSON = "live", "stiff"
USUAL, ALL_ASKED, ASKED_FOR_LESS = "paper", "all", "gentle"
_FAR_S = 120.0
_POSES = (Pose(pitch=1.0), Pose(yaw=5.0), Pose(yaw=-5.0, pitch=-1.0))
_APART_MAX = 0.20
"""Rendered people within five degrees lie 0.1 to 0.15 from themselves. On some invented faces the landmarks fall apart and
the library takes them for a different person in each picture: such a face is no test of liveness."""
_ELSEWHERE = 40_000
"""Seeds from here on: what was looked at while the rules were made lies below."""


@dataclass(frozen=True, slots=True)
class Trial:
    person: int
    """Which of the unseen people."""
    what: str
    """LIVE, STIFF_PERSON or a Species."""
    light: str
    left_first: bool
    way: str
    """USUAL, ALL_ASKED or ASKED_FOR_LESS."""

    @property
    def key(self) -> str:
        return "/".join(str(value) for value in asdict(self).values())


def run(trial: Trial) -> dict[str, Any]:
    """What came of it, as plain values. Deterministic: the same trial gives the same."""
    engine, config = _engine(), FaceConfig(liveness=LivenessConfig(free_asked=2 if trial.way == ALL_ASKED else 1))
    rng = np.random.default_rng([trial.person, *trial.key.encode()])
    subject = person(trial.person)
    performer = _performer(trial, subject, rng)
    task = Verify(templates(trial.person), Profile.GENTLE if trial.way == ASKED_FOR_LESS else Profile.PAPER)
    attempt = VerifyAttempt(engine, config, task, 0.0, rng=_order(trial, rng))
    end, t, frame = None, 0.0, 0
    while end is None and t < _FAR_S:
        t = frame / FPS
        said = attempt.step(t) if attempt.working else attempt.step(t, performer.frame(t))
        frame += 1
        if isinstance(said, Coach):
            performer.hear(said.value, t)
        elif isinstance(said, FaceEvidence) or (said is not None and not hasattr(said, "share") and not hasattr(said, "colours")):
            end = said
    attempt.wipe()
    told: dict[str, Any] = {"key": trial.key, **asdict(trial), "seconds": round(t, 2)}
    if not isinstance(end, FaceEvidence):
        return {**told, "verdict": "none", "outcome": "none", "trouble": str(end), "checks": {}}
    checks = {one.check.value: f"{one.outcome.value}:{one.reason}" for one in end.report.checks}
    return {
        **told, "verdict": end.liveness.value, "outcome": decide(end, config.bands(), IdentifiedBy.CARD).value,
        "distance": round(end.distance, 4), "checks": checks, "order": [one.value for one in end.report.order],
    }


def passed(check: str) -> bool:
    return check.startswith(CheckOutcome.PASSED.value)


def person(number: int) -> LivingPortrait:
    return _person(number)


@cache
def _person(number: int) -> LivingPortrait:
    """A stranger the library can see and tell to be one person; every number gives the same one in every process."""
    base = living_portrait((Person.CARDHOLDER, Person.STRANGER)[number % 2])
    for seed in range(_ELSEWHERE + 100 * number, _ELSEWHERE + 100 * number + 100):
        picture = estranged(base.face, seed, 1.5)
        points = landmarks(picture)
        if points is not None and _is_one(_captures(LivingPortrait(picture, points))):
            return LivingPortrait(picture, points)
    raise RuntimeError("no such stranger can be seen")


@cache
def templates(number: int) -> tuple[FaceTemplate, ...]:
    return tuple(FaceTemplate(_engine().id, tuple(map(float, vector))) for vector in _captures(person(number)))


def _captures(portrait: LivingPortrait) -> list[Vector]:
    """Of three poses; fewer where no face was found."""
    engine, sensor = _engine(), Sensor(Light.EVEN, np.random.default_rng(7))
    pictures = [np.ascontiguousarray(sensor.film(portrait.render(pose), 0.0)) for pose in _POSES]
    found = [(picture, engine.detect(picture)) for picture in pictures]
    return [engine.embed(picture, faces[0]) for picture, faces in found if faces]


def _is_one(captures: list[Vector]) -> bool:
    if len(captures) < len(_POSES):
        return False
    return float(_engine().distances(np.array(captures), np.array(captures)).max()) <= _APART_MAX


@cache
def _engine() -> FaceEngine:
    return make_engine(FaceConfig())


def _performer(trial: Trial, subject: LivingPortrait, rng: np.random.Generator) -> Performer:
    light = Light(trial.light)
    if trial.what in (LIVE, STIFF_PERSON):
        can = ALL if trial.what == LIVE else STIFF
        return Actor(subject, rng, reaction_s=float(rng.uniform(0.3, 1.2)), can=can, light=light)
    return attack_actor(Species(trial.what), subject, rng, reaction_s=0.4, light=light)


class _Turned(random.Random):
    """A random order in which the first turn goes to the wished side, so that both directions are tried as often."""

    def __init__(self, seed: int, left_first: bool) -> None:
        super().__init__(seed)
        self._left_first = left_first

    def shuffle(self, x: Any) -> None:
        super().shuffle(x)
        turns = [i for i, one in enumerate(x) if one in (Action.TURN_LEFT, Action.TURN_RIGHT)]
        if len(turns) == 2 and (x[turns[0]] is Action.TURN_LEFT) != self._left_first:
            x[turns[0]], x[turns[1]] = x[turns[1]], x[turns[0]]


def _order(trial: Trial, rng: np.random.Generator) -> random.Random:
    return _Turned(int(rng.integers(2**31)), trial.left_first)
