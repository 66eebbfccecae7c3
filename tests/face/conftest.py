"""One engine and one rendering of every person for the whole session: both take seconds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from kiosk.config import FaceConfig
from kiosk.devices.emulated import people
from kiosk.devices.emulated.people import FPS, Person
from kiosk.domain.coaching import Coach
from kiosk.domain.decision import FaceEvidence
from kiosk.domain.roster import FaceTemplate
from kiosk.domain.trouble import FaceTrouble
from kiosk.face.attempt import FaceAttempt
from kiosk.face.dlib_engine import DlibEngine
from kiosk.face.engine import Image
from kiosk.face.still import image_from_bytes, template_from_image

Clip = Sequence[Image]


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
    end: FaceEvidence | FaceTrouble | None = None
    ended_at: float = 0.0

    @property
    def prompts(self) -> list[Coach]:
        return [coach for _, coach in self.coached]


@pytest.fixture
def run_try(engine: DlibEngine) -> Callable[..., Told]:
    """Plays a clip to one try, over and over, until it ends; times are those of the clip, not of the wall."""

    def run(frames: Clip, templates: Sequence[FaceTemplate] = (), fps: float = FPS, **config: float) -> Told:
        told = Told()
        attempt = FaceAttempt(engine, FaceConfig.model_validate(config), templates, 0.0)
        for i in range(round(120 * fps)):
            step = attempt.step(i / fps, None if attempt.working else frames[i % len(frames)])
            if isinstance(step, Coach):
                told.coached.append((i / fps, step))
            elif step is not None:
                told.end, told.ended_at = step, i / fps
                attempt.wipe()
                return told
        raise AssertionError("a try must end by itself")

    return run
