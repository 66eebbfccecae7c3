"""Somebody who does what one challenge asks for, on exact sights."""

from __future__ import annotations

import random
from collections.abc import Sequence

from stage import STEP, Doing, Onlooker, sight

from kiosk.config.face import FaceConfig
from kiosk.domain.coaching import Coach
from kiosk.domain.liveness import Action, Check, CheckOutcome, CheckResult, Profile
from kiosk.face.liveness.challenge import Challenge

SAME = CheckResult(Check.SAME_FACE, CheckOutcome.PASSED)
REQUESTS = {Coach(action.value): action for action in Action}
DOES = {
    Action.BLINK: Doing.EYES_SHUT,
    Action.OPEN_MOUTH: Doing.MOUTH_OPEN,
    Action.TURN_LEFT: Doing.LEFT,
    Action.TURN_RIGHT: Doing.RIGHT,
}
ACTS = {action: [Doing.AHEAD] * 5 + [doing] * 5 + [Doing.AHEAD] * 5 for action, doing in DOES.items()}


class Scripted(random.Random):
    """Draws nothing: the order as given, no waits."""

    def __init__(self, *order: Action) -> None:
        super().__init__(0)
        self._order = order

    def choice(self, seq: Sequence[Action]) -> Action:  # type: ignore[override]
        return next(one for one in self._order if one in seq)

    def sample(self, population: Sequence[Action], k: int) -> list[Action]:  # type: ignore[override]
        return [one for one in self._order if one in population][:k]

    def shuffle(self, x: list[Action]) -> None:  # type: ignore[override]
        x[:] = self._order

    def uniform(self, a: float, b: float) -> float:
        return a


LEFT_BLINK_RIGHT = (Action.TURN_LEFT, Action.BLINK, Action.TURN_RIGHT)


class Play:
    """Feeds one challenge and does what it asks for, unless told otherwise."""

    def __init__(self, challenge: Challenge, step: float = STEP, size: tuple[int, int] = (48, 64)) -> None:
        self.challenge = challenge
        self.size = size
        self.step = step
        self.t = 100.0
        self.said: list[tuple[float, object]] = []
        self.asked: Action | None = None

    @property
    def prompts(self) -> list[Coach]:
        return [what for _, what in self.said if isinstance(what, Coach)]

    def show(self, *doings: Doing, track: int = 1, coach: Coach | None = None) -> None:
        for doing in doings:
            shown = sight(self.t, doing, track, coach, self.size)
            said = self.challenge.see(shown)
            shown.rgb.fill(0)  # as the face process does
            if said is not None:
                self.said.append((self.t, said))
            if said in REQUESTS:
                self.asked = REQUESTS[said]
            self.t += self.step

    def until_asked(self) -> Action:
        self.asked = None
        for _ in range(200):
            self.show(Doing.AHEAD)
            if self.asked is not None:
                return self.asked
        raise AssertionError("nothing is asked for")

    def do(self, action: Action) -> None:
        for doing in ACTS[action]:
            self.show(*[doing] * round(STEP / self.step))

    def obey(self) -> None:
        for _ in range(len(self.challenge.order)):
            self.do(self.until_asked())
        self.finish()

    def finish(self) -> None:
        for _ in range(400):
            if self.challenge.over:
                return
            self.show(Doing.AHEAD)
        raise AssertionError("a challenge must end by itself")

    def outcomes(self) -> dict[Check, CheckOutcome]:
        return {one.check: one.outcome for one in self.challenge.report(SAME).checks}


def challenge(
    profile: Profile = Profile.PAPER,
    rng: random.Random | None = None,
    watches: Sequence[Onlooker] | None = None,
    **config: object,
) -> Challenge:
    looking_on = [Onlooker()] if watches is None else watches
    return Challenge(FaceConfig.model_validate(config), profile, rng or Scripted(*LEFT_BLINK_RIGHT), looking_on)
