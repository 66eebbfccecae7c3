"""One try of the terminal's own liveness challenge over a recorded clip.

A recording hears no request. With the order it was recorded in given beforehand, the checks can be rehearsed on it;
that says nothing about replay, which is what the random order is for.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, MutableSequence, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np

from kiosk.config.face import FaceConfig, LivenessConfig
from kiosk.domain.coaching import Coach
from kiosk.domain.decision import FaceEvidence
from kiosk.domain.face_task import Verify
from kiosk.domain.liveness import Action, Liveness, LivenessReport, Profile
from kiosk.domain.trouble import FaceTrouble
from kiosk.face.attempt import VerifyAttempt
from kiosk.face.engine import FaceEngine, Image
from kiosk.face.liveness.order import draw_order
from kiosk.face.site.folder import SUFFIXES

Some = TypeVar("Some")
Timed = tuple[float, Image]
"""Seconds since the beginning of the clip, RGB."""

PROFILES = (Profile.PAPER, Profile.GENTLE, Profile.ATTENDED)
"""A clip has no infrared half."""


class ClipTrouble(StrEnum):
    MISSING = "missing"
    NOT_A_CLIP = "not_a_clip"
    """No film, or a folder without pictures."""


@dataclass(frozen=True, slots=True)
class Tried:
    said: tuple[tuple[float, Coach], ...]
    """What the person would have heard, with its time in the clip."""
    report: LivenessReport
    """Of the last challenge; passed only where the try came to its end."""
    trouble: FaceTrouble | None
    """Why the try ended without evidence."""
    cut: bool
    """The clip was over before the try was."""
    frames: int

    @property
    def passed(self) -> bool:
        return not self.cut and self.trouble is None and self.report.verdict is Liveness.PASSED


class Rehearsed(random.Random):
    """Draws the order it is given instead of a random one, and waits no longer than it must."""

    def __init__(self, order: Sequence[Action]) -> None:
        super().__init__(0)
        self._order = tuple(order)

    def choice(self, seq: Sequence[Some]) -> Some:  # type: ignore[override]
        return next((one for one in seq if one in self._order), seq[0])

    def sample(self, population: Sequence[Some], k: int, *, counts: Any = None) -> list[Some]:
        """Those of the order first."""
        return sorted(population, key=lambda one: one not in self._order)[:k]

    def shuffle(self, x: MutableSequence[Any]) -> None:
        if sorted(x) == sorted(self._order):
            x[:] = self._order

    def uniform(self, a: float, b: float) -> float:
        return a


def can_be_asked(order: Sequence[Action], profile: Profile, config: LivenessConfig) -> bool:
    return draw_order(profile, config, Rehearsed(order), again=False) == tuple(order)


def try_clip(
    engine: FaceEngine, config: FaceConfig, profile: Profile, frames: Iterable[Timed], order: Sequence[Action] = ()
) -> Tried:
    """`order`: empty draws it as the terminal does. No screen flashes at a recording: that check is left out."""
    liveness = config.liveness.model_copy(update={"flash": config.liveness.flash.model_copy(update={"enabled": False})})
    alone = config.model_copy(update={"liveness": liveness})
    attempt = VerifyAttempt(engine, alone, Verify((), profile), 0.0, rng=Rehearsed(order) if order else None)
    said: list[tuple[float, Coach]] = []
    seen = 0
    try:
        for t, rgb in frames:
            seen += 1
            step = attempt.step(t, rgb)
            while attempt.working and not isinstance(step, FaceEvidence | FaceTrouble):
                step = attempt.step(t)
            if isinstance(step, FaceEvidence):
                return Tried(tuple(said), step.report, None, False, seen)
            if isinstance(step, FaceTrouble):
                return Tried(tuple(said), attempt.so_far, step, False, seen)
            if isinstance(step, Coach):
                said.append((t, step))
        return Tried(tuple(said), attempt.so_far, None, True, seen)
    finally:
        attempt.wipe()


def read_clip(path: Path, fps: float) -> Iterator[Timed] | ClipTrouble:
    """A film, or a folder of pictures in the order of their names. `fps` counts where the clip does not say its own."""
    if path.is_dir():
        pictures = sorted(one for one in path.iterdir() if one.suffix.lower() in SUFFIXES)
        return _pictures(pictures, fps) if pictures else ClipTrouble.NOT_A_CLIP
    if not path.is_file():
        return ClipTrouble.MISSING
    film = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    return _film(film, fps) if film.isOpened() else ClipTrouble.NOT_A_CLIP


def _pictures(pictures: Sequence[Path], fps: float) -> Iterator[Timed]:
    for number, path in enumerate(pictures):
        picture = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
        if picture is not None:  # a spoiled one is a frame that did not come
            yield number / fps, np.asarray(picture, dtype=np.uint8)


def _film(film: cv2.VideoCapture, fps: float) -> Iterator[Timed]:
    own = film.get(cv2.CAP_PROP_FPS)
    rate = own if np.isfinite(own) and own > 0 else fps
    number = 0
    try:
        while True:
            there, frame = film.read()
            if not there:
                return
            yield number / rate, np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), dtype=np.uint8)
            number += 1
    finally:
        film.release()
