"""Leads somebody through the three different captures of an enrolment: ahead, a little to the left, a little to the right."""

from __future__ import annotations

from collections import deque

from kiosk.config.face import EnrolConfig
from kiosk.domain.coaching import Coach, Progress
from kiosk.domain.enrolment import View
from kiosk.face import geometry
from kiosk.face.best_shot import BestShot, Shot
from kiosk.face.gate import assess
from kiosk.face.prompt import SteadyPrompt
from kiosk.face.sight import Sight

_FURTHER_AFTER_S = 3.0
"""So long somebody who has turned too little is left in peace."""
_BEGUN = 0.3
"""Share of the turn wanted."""
_PROGRESS_STEP = 0.1
_SMOOTH_S = 0.35
"""The yaw ratio of a face with glasses shakes by 0.02 from frame to frame, a fifth of the whole turn."""
_SIDES = {View.LEFT: (1, Coach.A_LITTLE_LEFT), View.RIGHT: (-1, Coach.A_LITTLE_RIGHT)}


class Captures:
    def __init__(self, config: EnrolConfig, now: float) -> None:
        """`now` and all later times: seconds of one monotonic clock."""
        self._config = config
        gate = config.gate
        # how far the head is turned is held against the capture ahead
        self._aside = gate.model_copy(update={"yaw_max": gate.yaw_max + config.side_yaw[1]})
        self._shot = BestShot()
        self._yaws: deque[tuple[float, float]] = deque()
        self._yaw_ahead = 0.0
        self._wanted = deque(View)
        self._ask(now)

    @property
    def view(self) -> View:
        """The capture that is wanted; there is none after the last."""
        return self._wanted[0]

    def see(self, sight: Sight) -> Shot | Coach | Progress | None:
        """A Shot is the picture of `view`, which is the caller's; it is followed by `accept`."""
        fault = self._fault(sight)
        if fault is not None or sight.points is None:
            self._shot.drop()
            return self._prompt.show(fault or Coach.NO_FACE, sight.t)
        yaw = self._smoothed(sight.t, geometry.yaw_ratio(sight.points))
        if self.view not in _SIDES:
            return self._shot.see(sight, yaw) or self._prompt.show(Coach.HOLD_STILL, sight.t)
        side, request = _SIDES[self.view]
        turned = side * (yaw - self._yaw_ahead)
        least, most = self._config.side_yaw
        if least <= turned <= most:
            return self._shot.see(sight, yaw) or self._prompt.show(Coach.HOLD_STILL, sight.t) or self._progress(1.0)
        self._shot.drop()
        return self._prompt.show(self._words(turned, request, sight.t), sight.t) or self._progress(turned / least)

    def accept(self, shot: Shot, now: float) -> None:
        if self.view is View.FRONT:
            self._yaw_ahead = shot.yaw
        self._wanted.popleft()
        self._ask(now)

    def wipe(self) -> None:
        self._shot.drop()

    def _ask(self, now: float) -> None:
        self.asked_at = now
        self._prompt = SteadyPrompt()
        self._share = 0.0

    def _fault(self, sight: Sight) -> Coach | None:
        """What the picture lacks; a turned head is no fault where a turn is asked for."""
        if self.view is View.FRONT or sight.quality.coach is not Coach.TURNED or sight.points is None:
            return sight.quality.coach
        return assess(sight.rgb, sight.grey, sight.faces, sight.points, self._aside).coach

    def _words(self, turned: float, request: Coach, now: float) -> Coach:
        """`turned`: yaw ratio from the capture ahead to the side asked for, too small or too large."""
        least, most = self._config.side_yaw
        if turned > most:
            return Coach.LOOK_AHEAD
        hesitates = turned > _BEGUN * least and now - self.asked_at > _FURTHER_AFTER_S
        return Coach.FURTHER if hesitates else request

    def _smoothed(self, t: float, yaw: float) -> float:
        self._yaws.append((t, yaw))
        while t - self._yaws[0][0] > _SMOOTH_S:
            self._yaws.popleft()
        return sum(one for _, one in self._yaws) / len(self._yaws)

    def _progress(self, done: float) -> Progress | None:
        share = min(1.0, max(0.0, done))
        if share == self._share or (share < 1 and abs(share - self._share) < _PROGRESS_STEP):
            return None
        self._share = share
        return Progress(share)
