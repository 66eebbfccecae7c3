"""The turn of the head, and why it is a head: after a smooth bending is taken away, a nose is left over.

Rule E, measured on living heads and on flat, bent and wrapped prints (docs/face.md): a sheet of paper, however bent,
is followed by a quadratic fitted round the nose; a nose is not. The yaw ratio alone is fooled by a waved photograph.

What rule E lets through now and then is a print wrapped round a face and turned by 40 degrees. Two things betray it: a
sheet has to be turned twice as far as a head for the same yaw ratio, and grows narrow on the way; and rule E holds in
some of its windows only, where a living head fulfils it in all.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kiosk.config.face import LivenessConfig
from kiosk.domain.coaching import Coach, Progress
from kiosk.domain.liveness import Check, CheckOutcome, CheckResult
from kiosk.face import geometry
from kiosk.face.engine import Points

FULL_TURN = 0.40
"""Change of the yaw ratio that fills the arrow, about 17 degrees."""

_FITTED = [*range(17, 28), *range(36, 60)]
"""Brows, nasion, eyes, outer lips: what lies round the nose."""
_NOSE = slice(29, 36)
_WINDOW_S = 0.24
_SLACK_S = 0.01
"""Frames are not taken to the millisecond."""
_BEGUN = 0.12
"""Change of the yaw ratio from which a turn has begun."""
_WRONG_SIDE = 0.20
_FURTHER_AFTER_S = 1.0
_PROGRESS_STEP = 0.05


_HOLLOW_SHARE = 2
"""Windows that hold for each hollow one, where a head is no longer believed."""
_HOLLOW = 0.8
"""Share of the ratio asked for below which a window is hollow: heads with flat noses come just short of it."""
_BROW_ENDS = [17, 26]
_CHIN, _UNDER_NOSE = 8, 33


@dataclass(frozen=True, slots=True)
class Turn:
    """One window against the still face."""

    yaw: float
    """Change of the yaw ratio; positive to the person's own left."""
    nose: float
    """What is left of the nose beside the smooth bending, across, in eye distances; never negative."""
    width: float
    """Of the face beside its height, share of the still one's."""

    @property
    def ratio(self) -> float:
        return self.nose / abs(self.yaw) if self.yaw else 0.0


def measure(still: Points, now: Points) -> Turn:
    """Both de-rolled: with the head tilted, raw points lose living turns."""
    unit = geometry.eye_distance(still)  # of both: the eyes of a turned head are nearer together
    a, b = (still - still[geometry.NASION]) / unit, (now - now[geometry.NASION]) / unit
    x, y = a[:, 0], a[:, 1]
    terms = np.stack([np.ones_like(x), y, y * y, x, x * y, x * x], axis=1)
    bending, *_ = np.linalg.lstsq(terms[_FITTED], b[_FITTED], rcond=None)
    left_over = b - terms @ bending
    return Turn(
        yaw=geometry.yaw_ratio(now) - geometry.yaw_ratio(still),
        nose=abs(float(left_over[_NOSE, 0].mean())),
        width=float(np.mean(_widths(now) / _widths(still))),
    )


def _widths(level: Points) -> Points:
    """(3,): eyes or brows beside three heights; each alone is shaken by pitch, a tilted chin or a smile."""
    eyes = level[36:48, 1].mean()
    across = geometry.eye_distance(level)
    brows = level[_BROW_ENDS[1], 0] - level[_BROW_ENDS[0], 0]
    down = np.array([level[geometry.MOUTH_CORNERS, 1].mean(), level[_UNDER_NOSE, 1], level[_CHIN, 1]]) - eyes
    return np.asarray(np.array([across, across, brows]) / down, dtype=np.float64)


def holds(turn: Turn, config: LivenessConfig) -> bool:
    """Rule E in one window."""
    return (
        abs(turn.yaw) >= config.turn_yaw_min and turn.nose >= config.turn_nose_min and turn.ratio >= config.turn_ratio_min
    )


class TurnCheck:
    """Watches from the request on for a turn to one side."""

    def __init__(self, config: LivenessConfig, left: bool, still: Points) -> None:
        """`left`: to the person's own left; `still`: the de-rolled mean of the baseline."""
        self._config = config
        self._sign = 1.0 if left else -1.0
        self._still = still
        self._window: deque[tuple[float, Points]] = deque()
        self._held: list[Turn] = []
        self._hollow = 0
        self.value: float | None = None
        """The largest change of the yaw ratio to the asked side."""
        self.limit = config.turn_yaw_min

    @property
    def seen(self) -> bool:
        return len(self._held) >= self._config.turn_windows

    @property
    def ratio(self) -> float | None:
        """The smallest with which the rule held."""
        return min((one.ratio for one in self._held), default=None)

    @property
    def width(self) -> float | None:
        """Mean of the windows in which the rule held, but for the farthest: there a head grows narrow too."""
        widths = [one.width for one in self._held if abs(one.yaw) < FULL_TURN]
        return float(np.mean(widths)) if widths else None

    @property
    def hollow(self) -> bool:
        """The face turned far enough, but in a third of its windows, and as many as the rule needs, hardly a nose stood out."""
        return self._hollow >= self._config.turn_windows and _HOLLOW_SHARE * self._hollow > len(self._held)

    def watch(self, t: float, points: Points) -> float:
        """How far the face is turned to the asked side in this frame; negative to the other one.

        Goes on when the turn was seen, until the face is back: all of it has to look like a head.
        """
        level = geometry.deroll(points)
        self._window.append((t, level))
        while t - self._window[0][0] > _WINDOW_S - _SLACK_S:
            self._window.popleft()
        if len(self._window) > 1:  # a single frame is no mean
            self._judge(measure(self._still, np.mean([one for _, one in self._window], axis=0)))
        return self._sign * (geometry.yaw_ratio(level) - geometry.yaw_ratio(self._still))

    def _judge(self, turn: Turn) -> None:
        asked = self._sign * turn.yaw
        self.value = max(asked, self.value or 0.0)
        if asked < self._config.turn_yaw_min:
            return
        if holds(turn, self._config):
            self._held.append(turn)
        elif turn.ratio < _HOLLOW * self._config.turn_ratio_min and (asked < FULL_TURN or not self._held):
            self._hollow += 1  # far turned, the nose of a living head stands out less and less


def depth(turns: Sequence[TurnCheck], config: LivenessConfig) -> CheckResult:
    """What the turns asked for say about the shape of what turned.

    The width is the mean over the turns: a face whose halves differ grows narrow to one side, a sheet to both.
    """
    if not turns:
        return CheckResult(Check.DEPTH, CheckOutcome.NOT_DONE)
    widths = [one.width for one in turns if one.width is not None]
    if any(one.hollow for one in turns):
        return CheckResult(Check.DEPTH, CheckOutcome.FAILED, reason="not_3d")
    if widths and float(np.mean(widths)) < config.turn_width_min:
        return CheckResult(Check.DEPTH, CheckOutcome.FAILED, float(np.mean(widths)), config.turn_width_min, "narrow")
    ratios = [one.ratio for one in turns if one.seen and one.ratio is not None]
    outcome = CheckOutcome.PASSED if len(ratios) == len(turns) else CheckOutcome.UNCLEAR
    return CheckResult(Check.DEPTH, outcome, min(ratios, default=None), config.turn_ratio_min)


class TurnGuide:
    """What to say and show to somebody who was asked to turn."""

    def __init__(self) -> None:
        self._share = 0.0
        self._begun_at: float | None = None
        self._sent_to_other_side = False

    def hint(self, t: float, turned: float, may_speak: bool) -> Coach | Progress | None:
        """`turned`: as `TurnCheck.watch` says it. The arrow moves in steps; a sentence waits until it may be spoken."""
        if turned >= _BEGUN and self._begun_at is None:
            self._begun_at = t
        if may_speak and turned <= -_WRONG_SIDE and not self._sent_to_other_side:
            self._sent_to_other_side = True
            return Coach.OTHER_SIDE
        if may_speak and self._begun_at is not None and t - self._begun_at >= _FURTHER_AFTER_S:
            self._begun_at = None
            return Coach.FURTHER
        share = min(1.0, max(0.0, turned / FULL_TURN))
        if abs(share - self._share) < _PROGRESS_STEP:
            return None
        self._share = share
        return Progress(share)
