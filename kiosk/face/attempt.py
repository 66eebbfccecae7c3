"""One try before the camera, as a plain object driven by frames and their times.

    coaching → still face (baseline) → "please blink" → five frames of that same face → embeddings → evidence

The frames compared come from baseline and challenge, never from after it: what was proved alive is what is compared.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from kiosk.config import FaceConfig
from kiosk.domain.coaching import Coach
from kiosk.domain.decision import FaceEvidence, Liveness
from kiosk.domain.roster import FaceTemplate
from kiosk.domain.trouble import FaceTrouble
from kiosk.face.align import Grey, to_grey
from kiosk.face.blink import BlinkCheck
from kiosk.face.engine import Box, FaceEngine, Image, Points, Vector
from kiosk.face.matching import comparable, mean_distance
from kiosk.face.quality import Quality, SteadyPrompt, assess, without_face
from kiosk.face.tracking import FaceTracker

_NO_FRAMES_S = 8.0
"""A camera that sends nothing for this long is lost for this try; opening one may take some seconds."""
_GAP_S = 0.6
"""Shorter spoilt moments do not start the challenge over."""
_PHOTOS = 3
_PHOTO_WIDTH = 640
_PHOTO_QUALITY = 85

Step = Coach | FaceEvidence | FaceTrouble
"""What a step can bring. Anything but a Coach is the end of the try."""


@dataclass(frozen=True, slots=True)
class _Sight:
    """One frame and what was found in it; without a face, `face` and `points` are None and `quality` says so."""

    t: float
    rgb: Image
    grey: Grey
    face: Box | None
    points: Points | None
    quality: Quality


@dataclass(frozen=True, slots=True)
class _Kept:
    t: float
    rgb: Image
    face: Box
    sharpness: float


class FaceAttempt:
    def __init__(self, engine: FaceEngine, config: FaceConfig, templates: Sequence[FaceTemplate], now: float) -> None:
        """`now` and all later times: seconds of one monotonic clock."""
        self._engine = engine
        self._config = config
        self._templates = comparable(templates, engine.id)
        self._tracker = FaceTracker(engine, config.detect_width)
        self._prompt = SteadyPrompt()
        self._check = BlinkCheck()
        self._kept: deque[_Kept] = deque()
        self._deadline = now + config.try_timeout_s
        self._frame_at = now
        self._good_at = now
        self._track = 0
        self._asked_at: float | None = None
        self._asked = 0
        self._liveness: Liveness | None = None
        self._vectors: list[Vector] = []

    @property
    def working(self) -> bool:
        """No more frames are needed: step on until the evidence is there."""
        return self._liveness is not None

    def step(self, now: float, rgb: Image | None = None) -> Step | None:
        """One frame, or None when there is no new one. While `working`, one embedding per step."""
        if self._liveness is not None:
            return self._embed_next(self._liveness)
        if rgb is not None:
            self._frame_at = now
            return self._see(now, rgb)
        if now - self._frame_at > _NO_FRAMES_S:
            return FaceTrouble.CAMERA_LOST
        return self._out_of_time(now)

    def wipe(self) -> None:
        """Overwrites every picture and vector of this try."""
        for kept in self._kept:
            kept.rgb.fill(0)
        for vector in self._vectors:
            vector.fill(0)
        self._check.wipe()

    def _see(self, now: float, rgb: Image) -> Step | None:
        sight = self._look(now, rgb)
        if self._tracker.track != self._track:
            self._track = self._tracker.track
            self._start_over()
        spoilt = (Coach.NO_FACE, Coach.DARK, Coach.MULTI) if self._asked_at is not None else tuple(Coach)
        if sight.quality.coach not in spoilt:
            self._good_at = now
        elif now - self._good_at > _GAP_S:
            self._start_over()
        return self._coach(sight) if self._asked_at is None else self._challenge(sight, now - self._asked_at)

    def _look(self, now: float, rgb: Image) -> _Sight:
        grey = to_grey(rgb)
        faces = self._tracker.find(rgb, now)
        if not faces:
            return _Sight(now, rgb, grey, None, None, without_face(grey, self._config))
        points = self._engine.landmarks(rgb, faces[0])
        return _Sight(now, rgb, grey, faces[0], points, assess(grey, faces, points, self._config))

    def _coach(self, sight: _Sight) -> Step | None:
        over = self._out_of_time(sight.t)
        if over is not None:
            return over
        if sight.quality.coach is not None:
            return self._prompt.show(sight.quality.coach, sight.t)
        if self._prompt.current is Coach.HOLD_STILL and sight.points is not None:
            self._check.learn(sight.t, sight.grey, sight.points)
            self._keep(sight)
        prompt = self._prompt.show(Coach.BLINK if self._check.ready else Coach.HOLD_STILL, sight.t)
        if prompt is Coach.BLINK:
            self._asked_at = sight.t
            self._asked += 1
        return prompt

    def _challenge(self, sight: _Sight, asked_for: float) -> Step | None:
        """`asked_for`: seconds since the person was asked."""
        if sight.points is not None:
            likeness = self._check.watch(sight.t, sight.grey, sight.points)
            if sight.quality.coach is None and likeness.same_open_face:
                self._keep(sight)
        complete = len(self._kept) == self._config.frames
        if self._check.seen and complete:
            return self._compare(Liveness.PASSED)
        if asked_for <= self._config.blink_window_s:
            return None
        if self._asked <= self._config.blink_retries:
            self._start_over()
            return None
        return self._compare(Liveness.FAILED) if complete else FaceTrouble.NO_ACTION

    def _out_of_time(self, now: float) -> FaceTrouble | None:
        """A challenge once begun is finished first; it is bounded by its own window."""
        if self._asked_at is not None:
            return None
        if self._asked > self._config.blink_retries or now > self._deadline:
            return FaceTrouble.NO_ACTION if self._asked else FaceTrouble.TIMEOUT
        return None

    def _start_over(self) -> None:
        """Another face, or too long without a usable picture: nothing taken so far counts."""
        self.wipe()
        self._check = BlinkCheck()
        self._kept.clear()
        self._asked_at = None

    def _keep(self, sight: _Sight) -> None:
        """The latest frames, so far apart that a full set spans the configured time."""
        apart = self._config.frames_spread_s / max(1, self._config.frames - 1)
        if sight.face is not None and (not self._kept or sight.t - self._kept[-1].t >= apart):
            if len(self._kept) == self._config.frames:
                self._kept.popleft().rgb.fill(0)
            self._kept.append(_Kept(sight.t, sight.rgb.copy(), sight.face, sight.quality.sharpness))

    def _compare(self, liveness: Liveness) -> Coach:
        self._liveness = liveness
        return Coach.WORKING

    def _embed_next(self, liveness: Liveness) -> FaceEvidence | None:
        if self._templates and len(self._vectors) < len(self._kept):
            kept = self._kept[len(self._vectors)]
            self._vectors.append(self._engine.embed(kept.rgb, kept.face))
            return None
        return FaceEvidence(
            distance=mean_distance(self._vectors, self._templates),
            frames=len(self._kept),
            templates=len(self._templates),
            liveness=liveness,
            engine=self._engine.id,
            photos=tuple(_jpeg(kept.rgb) for kept in self._sharpest()),
        )

    def _sharpest(self) -> list[_Kept]:
        """For the officer: the best to look at, never chosen by distance. In the order they were taken."""
        best = sorted(self._kept, key=lambda kept: kept.sharpness, reverse=True)[:_PHOTOS]
        return sorted(best, key=lambda kept: kept.t)


def _jpeg(rgb: Image) -> bytes:
    scale = min(1.0, _PHOTO_WIDTH / rgb.shape[1])
    small = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, _PHOTO_QUALITY])
    return np.asarray(data).tobytes()
