"""Coaching until the picture is good, then challenges until one is finished or no retry is left."""

from __future__ import annotations

import random
from collections.abc import Callable

from kiosk.config.face import FaceConfig
from kiosk.domain.coaching import Coach
from kiosk.domain.liveness import Profile
from kiosk.domain.trouble import FaceTrouble
from kiosk.face.engine import FaceEngine
from kiosk.face.liveness.binocular import binocular_watches
from kiosk.face.liveness.border import BorderWatch
from kiosk.face.liveness.challenge import Challenge
from kiosk.face.liveness.flash import FlashCheck
from kiosk.face.liveness.fresh import FreshWatch
from kiosk.face.liveness.steps import Said
from kiosk.face.prompt import SteadyPrompt
from kiosk.face.sight import Sight

_PAIR_SKEW_S = 0.1
"""The camera pairs its two pictures by a tighter limit of its own."""

MakeChallenge = Callable[[bool], Challenge]
"""A new one. True: an earlier one of this sitting was not finished."""


class Sitting:
    def __init__(self, config: FaceConfig, make: MakeChallenge, now: float) -> None:
        """`now` and all later times: seconds of one monotonic clock."""
        self.challenge = make(False)
        self.over = False
        """`challenge` is done or missed: what it has is all there will be."""
        self._make = make
        self._retries = config.liveness.retries
        self._deadline = now + config.try_timeout_s
        self._prompt = SteadyPrompt()
        self._restarts = 0

    def see(self, sight: Sight) -> Said | FaceTrouble | None:
        """A FaceTrouble ends the sitting; so does `over`."""
        late = self.out_of_time(sight.t)
        if late is not None:
            return late
        said: Said | None = None
        if not self.challenge.begun:
            said = self._prompt.show(sight.quality.coach or Coach.HOLD_STILL, sight.t)
        if self.challenge.begun or self._prompt.current is Coach.HOLD_STILL:
            said = self.challenge.see(sight) or said
        return self._after_challenge() if self.challenge.over else said

    def out_of_time(self, now: float) -> FaceTrouble | None:
        """A challenge once begun is finished first; it is bounded by its own windows."""
        if self.over or self.challenge.begun or now <= self._deadline:
            return None
        return FaceTrouble.NO_ACTION if self._restarts else FaceTrouble.TIMEOUT

    def wipe(self) -> None:
        self.challenge.wipe()

    def _after_challenge(self) -> FaceTrouble | None:
        ended = self.challenge
        self._restarts += ended.begun
        if ended.done or (ended.missed and self._restarts > self._retries):
            self.over = True
            return None
        ended.wipe()
        if self._restarts > self._retries:
            return FaceTrouble.NO_ACTION
        self.challenge = self._make(self._restarts > 0)
        if ended.begun:
            self._prompt = SteadyPrompt()
        return None


def make_challenge(engine: FaceEngine, config: FaceConfig, profile: Profile, rng: random.Random, again: bool) -> Challenge:
    """A challenge with everything that looks on."""
    limits = config.liveness
    watches = (FreshWatch(limits), BorderWatch(limits), *binocular_watches(engine, limits, _PAIR_SKEW_S))
    flash = FlashCheck(limits.flash, rng) if limits.flash.enabled else None
    return Challenge(config, profile, rng, watches, flash=flash, again=again)
