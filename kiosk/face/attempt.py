"""One try to verify who stands before the camera, as a plain object driven by frames and their times.

    coaching → still face → what is asked for, in random order → embeddings of the frames taken on the way → evidence

The frames compared come from inside the challenge, never from after it: what was proved alive is what is compared.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Protocol

from kiosk.config.face import FaceConfig
from kiosk.domain.coaching import Coach, FlashPlan, Progress
from kiosk.domain.decision import FaceEvidence
from kiosk.domain.face_task import Verify
from kiosk.domain.liveness import Check, CheckOutcome, CheckResult, LivenessReport
from kiosk.domain.roster import FaceTemplate
from kiosk.domain.trouble import FaceTrouble
from kiosk.face.align import Grey
from kiosk.face.clip import to_jpeg
from kiosk.face.engine import FaceEngine, Image, Vector
from kiosk.face.liveness.album import Kept
from kiosk.face.liveness.same_face import same_face
from kiosk.face.liveness.sitting import Sitting, make_challenge
from kiosk.face.matching import chip_only, comparable, foreign, mean_distance
from kiosk.face.watcher import Watcher

_NO_FRAMES_S = 8.0
"""A camera that sends nothing for this long is lost for this try; opening one may take some seconds."""
_PHOTOS = 3
_PHOTO_WIDTH = 640
_PHOTO_QUALITY = 85

Step = Coach | Progress | FlashPlan | FaceEvidence | FaceTrouble
"""What a step can bring. FaceEvidence and FaceTrouble are the end of the try."""


class Score(Protocol):
    """A distance told in what is usual among the site's own people."""

    def normalised(self, vectors: Sequence[Vector], templates: Sequence[FaceTemplate]) -> float: ...


class VerifyAttempt:
    def __init__(
        self,
        engine: FaceEngine,
        config: FaceConfig,
        task: Verify,
        now: float,
        *,
        cohort: Score | None = None,
        rng: random.Random | None = None,
    ) -> None:
        """`now` and all later times: seconds of one monotonic clock. `rng`: the system's own unless told."""
        drawn = rng or random.SystemRandom()
        self._engine = engine
        self._config = config
        self._all_templates = task.templates
        self._templates = comparable(task.templates, engine.id)
        self._cohort = cohort
        self._watcher = Watcher(engine, config.gate, config.detect_width)
        self._sitting = Sitting(config, lambda again: make_challenge(engine, config, task.profile, drawn, again), now)
        self._frame_at = now
        self._vectors: list[Vector] = []

    @property
    def working(self) -> bool:
        """No more frames are needed: step on until the evidence is there."""
        return self._sitting.over

    @property
    def so_far(self) -> LivenessReport:
        """Of the challenge now going on. Whether it was one face all along is not known before the end."""
        return self._sitting.challenge.report(CheckResult(Check.SAME_FACE, CheckOutcome.NOT_DONE))

    def step(self, now: float, rgb: Image | None = None, ir: Grey | None = None, t_ir: float = 0.0) -> Step | None:
        """One frame, or None when there is no new one. While `working`, one embedding per step."""
        if self.working:
            return self._embed_next()
        if rgb is not None:
            self._frame_at = now
            said = self._sitting.see(self._watcher.look(now, rgb, ir, t_ir))
            return self._finish() if self.working else said
        if now - self._frame_at > _NO_FRAMES_S:
            return FaceTrouble.CAMERA_LOST
        return self._sitting.out_of_time(now)

    def wipe(self) -> None:
        """Overwrites every picture and vector of this try."""
        self._sitting.wipe()
        for vector in self._vectors:
            vector.fill(0)
        self._vectors.clear()

    def _finish(self) -> Coach | FaceTrouble:
        return Coach.WORKING if self._sitting.challenge.kept else FaceTrouble.NO_ACTION

    def _embed_next(self) -> FaceEvidence | None:
        kept = self._sitting.challenge.kept
        if len(self._vectors) < len(kept):
            one = kept[len(self._vectors)]
            self._vectors.append(self._engine.embed(one.rgb, one.face))
            return None
        return self._evidence(kept)

    def _evidence(self, kept: Sequence[Kept]) -> FaceEvidence:
        challenge = self._sitting.challenge
        distance = mean_distance(self._engine, self._vectors, self._templates)
        parts = [one.part for one in kept]
        continuity = same_face(self._engine, self._vectors, parts, self._config.liveness.same_face_max, challenge.done)
        return FaceEvidence(
            distance=distance if self._cohort is None else self._cohort.normalised(self._vectors, self._templates),
            raw_distance=None if self._cohort is None else distance,
            frames=len(kept),
            templates=len(self._templates),
            report=challenge.report(continuity),
            engine=self._engine.id,
            photos=tuple(to_jpeg(one.rgb, _PHOTO_WIDTH, _PHOTO_QUALITY) for one in _sharpest(kept)),
            clip=challenge.clip,
            threshold_set=self._config.threshold_set,
            chip_only=chip_only(self._templates),
            foreign=foreign(self._all_templates, self._engine.id),
        )


def _sharpest(kept: Sequence[Kept]) -> list[Kept]:
    """For the officer: the best to look at, never chosen by distance. In the order they were taken."""
    best = sorted(kept, key=lambda one: one.sharpness, reverse=True)[:_PHOTOS]
    return sorted(best, key=lambda one: one.t)
