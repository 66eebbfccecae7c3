"""The steps of a challenge, each fed with the frames it can use: still face, look ahead, do what is asked, colours."""

from __future__ import annotations

import math
from typing import Protocol

from kiosk.config.face import LivenessConfig
from kiosk.domain.coaching import Coach, FlashPlan, Progress
from kiosk.domain.liveness import Action
from kiosk.face import geometry
from kiosk.face.liveness.album import Album
from kiosk.face.liveness.baseline import Baseline
from kiosk.face.liveness.blink import BlinkCheck
from kiosk.face.liveness.flash import FlashCheck
from kiosk.face.liveness.mouth import MouthCheck, open_from
from kiosk.face.liveness.turn import TurnCheck, TurnGuide
from kiosk.face.sight import Sight

Said = Coach | Progress | FlashPlan

SPEAK_S = 1.5
"""One sentence is heard out before the next."""
_REPEAT_S = 4.0
"""A request nobody has followed yet is said again."""
_AWAY_S = 1.0
"""Shorter glances to the side, and a mouth that is just closing, are not spoken of."""
_UNFIT_S = 1.0
"""So long a picture ahead has to be unusable before the person is told why."""
_FLASH_REST_S = 0.5
"""The camera comes late."""


class Step(Protocol):
    done: bool
    limit_s: float
    """After this time it is over, done or not."""

    def begin(self, sight: Sight) -> Said | None: ...

    def see(self, sight: Sight) -> Said | None: ...


class LookAhead:
    """Until the face looks ahead, mouth closed, and the frames of this part are taken; then a random wait."""

    def __init__(
        self, config: LivenessConfig, baseline: Baseline, album: Album, part: int, wait_s: float | None, before: Request | None
    ) -> None:
        """`wait_s`: what follows is spoken, and no sooner than this after the step began. None: nothing is said next.

        `before`: what was asked for last; a turn is watched until it is over.
        """
        self.done = False
        self.limit_s = (wait_s or 0.0) + config.action_s
        self._config = config
        self._baseline = baseline
        self._album = album
        self._part = part
        self._wait_s = wait_s
        self._turn = before.asked if before is not None and isinstance(before.asked, TurnHead) else None
        self._not_before = 0.0
        self._ahead_since: float | None = None
        self._away_since: float | None = None
        self._unfit_since: float | None = None
        self._spoken: Coach | None = None
        self._spoken_at = -math.inf

    def begin(self, sight: Sight) -> Said | None:
        self._not_before = sight.t + (self._wait_s or 0.0)
        turned = sight.points is not None and not self._baseline.looks_ahead(sight.points)
        return self._speak(Coach.LOOK_AHEAD, sight.t) if turned else None

    def see(self, sight: Sight) -> Said | None:
        if not self._is_ahead(sight):
            if self._turn is not None:
                self._turn.watch(sight, may_speak=False)
            self._ahead_since = None
            if self._away_since is None:
                self._away_since = sight.t
            return self._speak(Coach.LOOK_AHEAD, sight.t) if sight.t - self._away_since >= _AWAY_S else None
        self._away_since = None
        if self._ahead_since is None:
            self._ahead_since = sight.t
        if sight.t - self._ahead_since < self._config.neutral_s:
            return None
        said = self._keep(sight)
        self.done = self._album.full(self._part) and sight.t >= self._not_before
        return said

    def _keep(self, sight: Sight) -> Coach | None:
        """Takes the frame if one is wanted and this one can be compared; otherwise what is wrong with it, after a while."""
        if not self._album.wants(self._part, sight.t):
            return None
        if sight.quality.coach is None:
            self._unfit_since = None
            if sight.points is not None and self._baseline.eyes_open(sight.points):
                self._album.keep(sight, self._part)
            return None
        if self._unfit_since is None:
            self._unfit_since = sight.t
        return self._speak(sight.quality.coach, sight.t) if sight.t - self._unfit_since >= _UNFIT_S else None

    def _is_ahead(self, sight: Sight) -> bool:
        closed = open_from(self._config, self._baseline.mouth)
        points = sight.points
        return points is not None and self._baseline.looks_ahead(points) and geometry.mouth_aspect_ratio(points) <= closed

    def _speak(self, coach: Coach, t: float) -> Coach | None:
        """Not while another sentence is heard, nor the same again at once; what comes next waits until it is heard out."""
        if t - self._spoken_at < (_REPEAT_S if coach is self._spoken else SPEAK_S):
            return None
        self._spoken, self._spoken_at = coach, t
        if self._wait_s is not None:
            self._not_before = max(self._not_before, t + SPEAK_S)
        return coach


class Blink:
    def __init__(self, baseline: Baseline) -> None:
        self.check = BlinkCheck(baseline.patch, baseline.yaw)

    def watch(self, sight: Sight, may_speak: bool) -> Said | None:
        if sight.points is not None:
            self.check.watch(sight.t, sight.grey, sight.points)
        return None


class OpenMouth:
    def __init__(self, config: LivenessConfig, baseline: Baseline) -> None:
        self.check = MouthCheck(config, baseline.mouth, baseline.yaw)

    def watch(self, sight: Sight, may_speak: bool) -> Said | None:
        if sight.points is not None:
            self.check.watch(sight.t, sight.points)
        return None


class TurnHead:
    def __init__(self, config: LivenessConfig, baseline: Baseline, left: bool) -> None:
        self.check = TurnCheck(config, left, baseline.points)
        self._guide = TurnGuide()

    def watch(self, sight: Sight, may_speak: bool) -> Said | None:
        if sight.points is None:
            return None
        turned = self.check.watch(sight.t, sight.points)
        return self._guide.hint(sight.t, turned, may_speak)


Asked = Blink | OpenMouth | TurnHead


def asked_for(action: Action, config: LivenessConfig, baseline: Baseline) -> Asked:
    match action:
        case Action.BLINK:
            return Blink(baseline)
        case Action.OPEN_MOUTH:
            return OpenMouth(config, baseline)
        case Action.TURN_LEFT:
            return TurnHead(config, baseline, left=True)
        case Action.TURN_RIGHT:
            return TurnHead(config, baseline, left=False)


class Request:
    """Says what is asked for, then looks for it. What was done before it was asked for does not count."""

    def __init__(self, action: Action, asked: Asked, limit_s: float) -> None:
        self.done = False
        self.limit_s = limit_s
        self.action = action
        self.asked = asked
        self._coach = Coach(action.value)
        self._said_at = 0.0

    def begin(self, sight: Sight) -> Said | None:
        self._said_at = sight.t
        return self._coach

    def see(self, sight: Sight) -> Said | None:
        may_speak = sight.t - self._said_at >= SPEAK_S
        said = self.asked.watch(sight, may_speak)
        self.done = self.asked.check.seen
        if said is None and sight.t - self._said_at >= _REPEAT_S:
            said = self._coach
        if isinstance(said, Coach):
            self._said_at = sight.t
        return said


class Colours:
    """Says that the screen is going to change its colour, then has it changed."""

    def __init__(self, check: FlashCheck) -> None:
        self.done = False
        self.limit_s = SPEAK_S + check.seconds + 2 * _FLASH_REST_S
        self._check = check
        self._from = math.inf
        self._shown = False

    def begin(self, sight: Sight) -> Said | None:
        self._from = sight.t + SPEAK_S
        return Coach.FLASH

    def light(self, sight: Sight) -> None:
        """Every frame, also those the rules do not need."""
        if self._shown:
            self._check.see(sight)

    def see(self, sight: Sight) -> Said | None:
        if not self._shown and sight.t >= self._from:
            self._shown, self._from = True, sight.t
            self._check.begin(sight.t)
            return self._check.plan()
        self.done = self._shown and sight.t - self._from >= self._check.seconds + _FLASH_REST_S
        return None
