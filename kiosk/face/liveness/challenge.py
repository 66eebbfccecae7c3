"""One challenge: still face, then each action of a random order with a look ahead after it, then the screen's colours.

Driven by sights and their times. It ends when all was seen (`done`), when something asked for was not seen in its time
(`missed`), or when the face was gone, changed or covered, or somebody joined (`broken`). A new one begins from nothing.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Iterator, Sequence

from kiosk.config.face import FaceConfig
from kiosk.domain.decision import ClipFrame
from kiosk.domain.liveness import Check, CheckOutcome, CheckResult, LivenessReport, Profile
from kiosk.face.clip import Clip
from kiosk.face.gate import SPOILS_CHALLENGE
from kiosk.face.liveness.album import Album, Kept
from kiosk.face.liveness.baseline import Baseline, BaselineTaker
from kiosk.face.liveness.flash import FlashCheck
from kiosk.face.liveness.order import draw_order
from kiosk.face.liveness.steps import SPEAK_S, Colours, LookAhead, Request, Said, Step, TurnHead, asked_for
from kiosk.face.liveness.turn import depth
from kiosk.face.sight import Sight, Watch

_GAP_S = 0.6
"""Shorter spoilt moments only pause."""
_SAMPLE_S = 0.06
"""The rules were measured at 12.5 frames a second: of 25 or 30 they are fed every second one."""


class Challenge:
    def __init__(
        self,
        config: FaceConfig,
        profile: Profile,
        rng: random.Random,
        watches: Sequence[Watch] = (),
        *,
        flash: FlashCheck | None = None,
        again: bool = False,
    ) -> None:
        """`watches` and `flash` belong to this challenge alone; `again`: an earlier one of this try was not finished."""
        self.nonce = secrets.token_hex(16)
        self.order = draw_order(profile, config.liveness, rng, again)
        self.begun = False
        """The first request has been made."""
        self.done = False
        self.missed = False
        self.broken = False
        self._config = config
        self._profile = profile
        self._rng = rng
        self._watches = tuple(watches)
        self._flash = flash
        self._taker = BaselineTaker(config.liveness.baseline_s)
        self._baseline: Baseline | None = None
        self._album = Album(config.frames, self._parts, config.frames_spread_s)
        self._clip = Clip(config.clip_fps, config.clip_width, config.clip_frames)
        self._steps: Iterator[Step] = iter(())
        self._step: Step | None = None
        self._requests: list[Request] = []
        self._track: int | None = None
        self._sampled_at = float("-inf")
        self._good_at = float("-inf")
        self._late_at = 0.0
        self._asked_at = 0.0
        self._last_at = 0.0

    @property
    def over(self) -> bool:
        return self.done or self.missed or self.broken

    @property
    def kept(self) -> tuple[Kept, ...]:
        """The frames to compare, all of them from inside the challenge."""
        return tuple(self._album.kept)

    @property
    def clip(self) -> tuple[ClipFrame, ...]:
        return self._clip.frames

    def see(self, sight: Sight) -> Said | None:
        """What is to be said or shown now, if anything new is. Nothing more once `over`."""
        if self.over or self._breaks(sight):
            return None
        for watch in self._watches:
            watch.see(sight)
        if self.begun:
            self._clip.see(sight.t, sight.rgb)
            self._last_at = sight.t
        if self._flash is not None and isinstance(self._step, Colours):
            self._step.light(sight)
        if sight.points is None or self._spoilt(sight) or sight.t - self._sampled_at < _SAMPLE_S:
            return None
        self._sampled_at = sight.t
        return self._go_on(sight)

    def report(self, same_face: CheckResult) -> LivenessReport:
        """What was asked for and seen, and what the watches say."""
        looked = (watch.result() for watch in self._watches)
        colours = () if self._flash is None else (self._flash.result(),)
        return LivenessReport(
            profile=self._profile,
            nonce=self.nonce,
            order=self.order,
            checks=(*self._acted(), self._depth(), same_face, *looked, *colours),
            seconds=self._last_at - self._asked_at if self.begun else 0.0,
            flash_demanded=self._flash is not None,
        )

    def wipe(self) -> None:
        """Overwrites every picture."""
        self._taker.wipe()
        if self._baseline is not None:
            self._baseline.wipe()
        self._album.wipe()
        self._clip.wipe()
        for watch in self._watches:
            watch.wipe()
        if self._flash is not None:
            self._flash.wipe()

    def _breaks(self, sight: Sight) -> bool:
        """Another face, or too long nothing to go on with: what was seen so far counts no more."""
        if self._track is None:
            self._track, self._good_at = sight.track, sight.t
        self.broken = sight.track != self._track or sight.t - self._good_at > _GAP_S
        if not self._spoilt(sight):
            self._good_at = sight.t
        return self.broken

    def _spoilt(self, sight: Sight) -> bool:
        """Before the first request nothing but a perfect picture will do."""
        return sight.quality.coach in SPOILS_CHALLENGE if self.begun else sight.quality.coach is not None

    def _go_on(self, sight: Sight) -> Said | None:
        if self._baseline is None:
            self._taker.take(sight)
            if not self._taker.complete:
                return None
            self._baseline = self._taker.baseline()
            self._taker.wipe()
            self._steps = self._course(self._baseline)
            return self._next(sight)
        if self._step is None:
            return None
        said = self._step.see(sight)
        if self._step.done:
            return self._next(sight)
        if sight.t > self._late_at:
            self._miss(sight)
        return said

    def _miss(self, sight: Sight) -> None:
        """Who stands there now belongs to the evidence."""
        self.missed = True
        if sight.quality.coach is None:
            self._album.keep(sight, len(self._requests))

    def _next(self, sight: Sight) -> Said | None:
        self._step = next(self._steps, None)
        if self._step is None:
            self.done = True
            return None
        if isinstance(self._step, Request) and not self.begun:
            self.begun, self._asked_at, self._last_at = True, sight.t, sight.t
            self._clip.see(sight.t, sight.rgb)
        self._late_at = sight.t + self._step.limit_s
        return self._step.begin(sight)

    @property
    def _parts(self) -> int:
        """Looks ahead: before the first request, after each, and after the colours."""
        return 1 + len(self.order) + (self._flash is not None)

    def _course(self, baseline: Baseline) -> Iterator[Step]:
        config = self._config.liveness

        def look(part: int) -> Step:
            wait_s = self._rng.uniform(0.0, config.wait_s)
            if part == 0:
                wait_s = max(wait_s, SPEAK_S - config.baseline_s)  # "hold still" has just been said
            before = self._requests[-1] if 0 < part <= len(self.order) else None
            return LookAhead(config, baseline, self._album, part, wait_s if part < self._parts - 1 else None, before)

        yield look(0)
        for k, action in enumerate(self.order, start=1):
            request = Request(action, asked_for(action, config, baseline), config.action_s)
            self._requests.append(request)
            yield request
            yield look(k)
        if self._flash is not None:
            yield Colours(self._flash)
            yield look(self._parts - 1)

    def _acted(self) -> Iterator[CheckResult]:
        made = {one.action: one for one in self._requests}
        for action in self.order:
            request = made.get(action)
            if request is None:
                yield CheckResult(Check(action.value), CheckOutcome.NOT_DONE)
            else:
                check = request.asked.check
                outcome = CheckOutcome.PASSED if check.seen else CheckOutcome.UNCLEAR
                yield CheckResult(Check(action.value), outcome, check.value, check.limit, "" if check.seen else "not_seen")

    def _depth(self) -> CheckResult:
        turns = [one.asked.check for one in self._requests if isinstance(one.asked, TurnHead)]
        return depth(turns, self._config.liveness)
