"""One attended enrolment, as a plain object driven by frames and their times.

    coaching by the stricter gate → blink → capture ahead → a little to the left → a little to the right → evidence

Everything comes from one face followed without a break: whoever blinked is who is enrolled. Another face, or one that was
gone, starts it over.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from kiosk.config.face import FaceConfig, FlashConfig
from kiosk.domain.coaching import Coach, FlashPlan, Progress
from kiosk.domain.enrolment import Capture, EnrolmentEvidence, Lookalike, View
from kiosk.domain.liveness import Profile
from kiosk.domain.roster import FaceTemplate, TemplateSource
from kiosk.domain.trouble import FaceTrouble
from kiosk.face.align import Grey
from kiosk.face.base import FaceBase
from kiosk.face.best_shot import Shot
from kiosk.face.captures import Captures
from kiosk.face.clip import to_jpeg
from kiosk.face.engine import FaceEngine, Image, Vector
from kiosk.face.liveness.album import Kept
from kiosk.face.liveness.challenge import Challenge
from kiosk.face.liveness.same_face import same_face
from kiosk.face.liveness.sitting import Sitting, make_challenge
from kiosk.face.prompt import SteadyPrompt
from kiosk.face.sight import Sight
from kiosk.face.watcher import Watcher

_NO_FRAMES_S = 8.0
"""As in verification: opening a camera may take some seconds."""
_PHOTO_QUALITY = 90

Step = Coach | Progress | FlashPlan | EnrolmentEvidence | FaceTrouble
"""What a step can bring. EnrolmentEvidence and FaceTrouble are the end of it."""


@dataclass(frozen=True, slots=True)
class _Taken:
    view: View
    vector: Vector = field(repr=False)
    photo: bytes = field(repr=False)


class EnrolAttempt:
    def __init__(
        self,
        engine: FaceEngine,
        config: FaceConfig,
        now: float,
        *,
        base: FaceBase | None = None,
        exclude_owner: int | None = None,
        rng: random.Random | None = None,
    ) -> None:
        """`now` and all later times: seconds of one monotonic clock. `base`: who is enrolled here, for the warning about
        lookalikes; `exclude_owner`: the person's own index in it. `rng`: the system's own unless told."""
        self._engine = engine
        self._config = _attended(config)
        self._base = base
        self._exclude_owner = exclude_owner
        self._rng = rng or random.SystemRandom()
        self._watcher = Watcher(engine, config.enrol.gate, config.detect_width)
        self._deadline = now + (1 + len(View)) * config.try_timeout_s
        self._frame_at = now
        self._listen_until = now
        self._start(now)

    @property
    def working(self) -> bool:
        """No more frames are needed: step on until the evidence is there."""
        return len(self._taken) == len(View)

    def step(self, now: float, rgb: Image | None = None, ir: Grey | None = None, t_ir: float = 0.0) -> Step | None:
        """One frame, or None when there is no new one. At most one embedding per step."""
        if self.working:
            return self._evidence()
        late = self._out_of_time(now)
        if late is not None:
            return late
        if rgb is not None:
            self._frame_at = now
            return self._see(self._watcher.look(now, rgb, ir, t_ir))
        return FaceTrouble.CAMERA_LOST if now - self._frame_at > _NO_FRAMES_S else None

    def wipe(self) -> None:
        """Overwrites every picture and vector."""
        self._sitting.wipe()
        if self._captures is not None:
            self._captures.wipe()
        for vector in (*self._vectors, *(one.vector for one in self._taken)):
            vector.fill(0)
        self._vectors.clear()
        self._taken.clear()
        self._waiting.clear()

    def _start(self, now: float) -> None:
        self._sitting = Sitting(self._config, self._challenge, now)
        self._captures: Captures | None = None
        """From the moment the blink was seen."""
        self._track = 0
        self._waiting: deque[Kept] = deque()
        """Frames of the challenge that are still to be embedded; a longer pause would lose the face."""
        self._vectors: list[Vector] = []
        """Of the challenge's frames."""
        self._taken: list[_Taken] = []

    def _start_over(self, now: float) -> Coach:
        """Nothing taken so far counts. Whoever it is may still be turned aside."""
        self.wipe()
        self._start(now)
        self._listen_until = now + SteadyPrompt.HOLD_S
        return Coach.LOOK_AHEAD

    def _challenge(self, again: bool) -> Challenge:
        return make_challenge(self._engine, self._config, Profile.ATTENDED, self._rng, again)

    def _out_of_time(self, now: float) -> FaceTrouble | None:
        if self._captures is not None:
            late = now > self._deadline or now - self._captures.asked_at > self._config.try_timeout_s
            return FaceTrouble.TIMEOUT if late else None
        if now > self._deadline and not self._sitting.challenge.begun:
            return FaceTrouble.TIMEOUT
        return self._sitting.out_of_time(now)

    def _see(self, sight: Sight) -> Step | None:
        if sight.t < self._listen_until:
            return None
        if self._captures is None:
            said = self._sitting.see(sight)
            return self._after_challenge(sight) if self._sitting.over else said
        if sight.track != self._track:
            return self._start_over(sight.t)
        if self._waiting:
            return self._embed(self._waiting.popleft(), sight.t)
        brought = self._captures.see(sight)
        return self._take(self._captures, brought, sight.t) if isinstance(brought, Shot) else brought

    def _after_challenge(self, sight: Sight) -> FaceTrouble | None:
        challenge = self._sitting.challenge
        if not challenge.done:
            return FaceTrouble.NO_ACTION
        self._captures = Captures(self._config.enrol, sight.t)
        self._track = sight.track
        self._waiting.extend(challenge.kept)
        return None

    def _embed(self, kept: Kept, now: float) -> Coach | None:
        vector = self._engine.embed(kept.rgb, kept.face)
        self._vectors.append(vector)
        return None if self._same_person(vector) else self._start_over(now)

    def _take(self, captures: Captures, shot: Shot, now: float) -> Coach | None:
        photo = to_jpeg(shot.rgb, self._config.enrol.photo_width, _PHOTO_QUALITY)
        vector = self._engine.embed(shot.rgb, shot.face)
        shot.rgb.fill(0)
        self._taken.append(_Taken(captures.view, vector, photo))
        if not self._same_person(vector):
            return self._start_over(now)
        captures.accept(shot, now)
        return Coach.WORKING if self.working else None

    def _same_person(self, vector: Vector) -> bool:
        """As in the first frame of the challenge. No number is never the same."""
        far = float(self._engine.distances(self._vectors[0][None], vector[None])[0, 0])
        return far <= self._config.liveness.same_face_max

    def _evidence(self) -> EnrolmentEvidence:
        challenge = self._sitting.challenge
        vectors = [one.vector for one in self._taken]
        all_vectors = [*self._vectors, *vectors]
        parts = [*(one.part for one in challenge.kept), *(1 + len(challenge.order) for _ in vectors)]
        continuity = same_face(self._engine, all_vectors, parts, self._config.liveness.same_face_max, challenge.done)
        return EnrolmentEvidence(
            captures=tuple(Capture(one.view, self._template(one.vector), one.photo) for one in self._taken),
            apart=float(self._engine.distances(np.asarray(vectors), np.asarray(vectors)).max()),
            apart_max=self._config.enrol.apart_max,
            report=challenge.report(continuity),
            engine=self._engine.id,
            lookalikes=self._lookalikes(vectors),
            clip=challenge.clip,
        )

    def _template(self, vector: Vector) -> FaceTemplate:
        """Without a date: there is no calendar in here, whoever hands it in knows the day."""
        return FaceTemplate(self._engine.id, tuple(float(value) for value in vector), TemplateSource.ENROLLED)

    def _lookalikes(self, vectors: Sequence[Vector]) -> tuple[Lookalike, ...]:
        if self._base is None:
            return ()
        return self._base.lookalikes(self._engine, vectors, self._exclude_owner, self._config.enrol.lookalike_max)


def _attended(config: FaceConfig) -> FaceConfig:
    """Staff see what stands there; the screen's colours would prove no more to them."""
    return config.model_copy(update={"liveness": config.liveness.model_copy(update={"flash": FlashConfig()})})
