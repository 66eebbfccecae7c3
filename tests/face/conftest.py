"""One engine and one rendering of every person for the whole session: both take seconds."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from kiosk.config.face import FaceConfig
from kiosk.devices.emulated import people
from kiosk.devices.emulated.actor import Actor, Performer
from kiosk.devices.emulated.people import FPS, Person
from kiosk.domain.coaching import Coach, FlashPlan, Progress
from kiosk.domain.decision import FaceEvidence
from kiosk.domain.face_task import Verify
from kiosk.domain.liveness import Check, CheckOutcome, Profile
from kiosk.domain.roster import FaceTemplate
from kiosk.domain.trouble import FaceTrouble
from kiosk.face.attempt import VerifyAttempt
from kiosk.face.dlib_engine import DlibEngine
from kiosk.face.engine import Image
from kiosk.face.still import image_from_bytes, template_from_image


@pytest.fixture(scope="session")
def engine() -> DlibEngine:
    return DlibEngine()


@pytest.fixture(scope="session")
def clip() -> Callable[[Person], list[Image]]:
    """The loop of a person, RGB, read-only."""
    known: dict[Person, list[Image]] = {}

    def of(person: Person) -> list[Image]:
        if person not in known:
            known[person] = [np.ascontiguousarray(frame) for frame in people.loop(person)]
            for frame in known[person]:
                frame.setflags(write=False)
        return known[person]

    return of


@pytest.fixture(scope="session")
def templates(engine: DlibEngine) -> tuple[FaceTemplate, ...]:
    """The cardholder's three, as a roster brings them."""
    made = []
    for data in people.enrolment_portraits(Person.CARDHOLDER):
        picture = image_from_bytes(data)
        assert isinstance(picture, np.ndarray)
        template = template_from_image(engine, picture)
        assert isinstance(template, FaceTemplate)
        made.append(template)
    return tuple(made)


@dataclass
class Told:
    """What one try said and how it ended."""

    coached: list[tuple[float, Coach]] = field(default_factory=list)
    progress: list[tuple[float, float]] = field(default_factory=list)
    plans: list[tuple[float, FlashPlan]] = field(default_factory=list)
    end: FaceEvidence | FaceTrouble | None = None
    ended_at: float = 0.0

    @property
    def prompts(self) -> list[Coach]:
        return [coach for _, coach in self.coached]

    @property
    def evidence(self) -> FaceEvidence:
        assert isinstance(self.end, FaceEvidence), self.end
        return self.end

    def checked(self, check: Check) -> tuple[CheckOutcome, str]:
        result = self.evidence.report.of(check)
        return result.outcome, result.reason


def shown(plan: tuple[float, FlashPlan], t: float) -> tuple[int, int, int]:
    """What the screen throws on the face at this time."""
    begun_at, what = plan
    k = int((t - begun_at) / what.step_s)
    return what.colours[k] if k < len(what.colours) else (0, 0, 0)


@pytest.fixture(scope="session")
def run_try(engine: DlibEngine) -> Callable[..., Told]:
    """One try with somebody who hears what it says; times are those of the clip, not of the wall."""

    def run(
        who: Performer, templates: Sequence[FaceTemplate] = (), profile: Profile = Profile.PAPER, seed: int = 0, fps: float = FPS,
        **config: Any,
    ) -> Told:
        told = Told()
        task = Verify(tuple(templates), profile)
        attempt = VerifyAttempt(engine, FaceConfig.model_validate(config), task, 0.0, rng=random.Random(seed))
        for i in range(round(200 * fps)):
            t = i / fps
            if told.plans and isinstance(who, Actor):
                who.sensor.screen = shown(told.plans[-1], t)
            step = attempt.step(t) if attempt.working else attempt.step(t, who.frame(t))
            match step:
                case Coach():
                    told.coached.append((t, step))
                    who.hear(step.value, t)
                case Progress(share):
                    told.progress.append((t, share))
                case FlashPlan():
                    told.plans.append((t, step))
                case FaceEvidence() | FaceTrouble():
                    told.end, told.ended_at = step, t
                    attempt.wipe()
                    return told
        raise AssertionError("a try must end by itself")

    return run
