"""Whether a living person stands there: what was checked, how each check came out, and what that allows.

A report per check, never one number: an officer has to see what was shown and what was not (ISO/IEC 30107-3 speaks
of presentation attacks; what each check stops and what it does not stands in docs/face.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Liveness(StrEnum):
    """The report in one word."""

    PASSED = "passed"
    FAILED = "failed"
    """Something demanded was not seen, or something spoke against it."""
    NOT_DONE = "not_done"


class Action(StrEnum):
    """What a person may be asked to do. Left and right are the person's own."""

    BLINK = "blink"
    TURN_LEFT = "turn_left"
    TURN_RIGHT = "turn_right"
    OPEN_MOUTH = "open_mouth"


class Check(StrEnum):
    """Actions have the value of their Action."""

    BLINK = "blink"
    TURN_LEFT = "turn_left"
    TURN_RIGHT = "turn_right"
    OPEN_MOUTH = "open_mouth"
    SAME_FACE = "same_face"
    """One face followed without a break, and its embeddings agree from baseline to the last action."""
    FRESH = "fresh"
    """No picture came twice, no loop, no frozen feed."""
    BORDER = "border"
    """No straight border of a print or a screen round the face."""
    DEPTH = "depth"
    """Nothing turned like a sheet: the nose moved as noses do."""
    FLASH = "flash"
    """The face threw back the colours of the screen in their order."""
    INFRARED = "infrared"
    """The face is there in infrared too, as bright as skin."""
    RELIEF = "relief"
    """Seen with two eyes, the face is no plane."""


class CheckOutcome(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    UNCLEAR = "unclear"
    """Asked or looked for, but nothing can be said."""
    NOT_DONE = "not_done"


@dataclass(frozen=True, slots=True)
class CheckResult:
    check: Check
    outcome: CheckOutcome
    value: float | None = None
    """The measure that decided, without unit unless the check's module says so; None: there is none. Never NaN."""
    limit: float | None = None
    """The configured limit it was held against."""
    reason: str = ""
    """Stable code where the outcome alone does not say enough."""


class Profile(StrEnum):
    """How much is asked of a person."""

    PAPER = "paper"
    """Both turns and one more action, in random order."""
    INFRARED = "infrared"
    """One random action before a colour and infrared camera pair."""
    GENTLE = "gentle"
    """For who cannot turn the head: blink or mouth alone. An officer always decides."""
    ATTENDED = "attended"
    """Staff stand beside the person: one blink."""


_ALWAYS = frozenset({Check.SAME_FACE, Check.FRESH})
_BOTH_EYES = frozenset({Check.INFRARED, Check.RELIEF})
_PASSES_ALONE = frozenset({Profile.PAPER, Profile.INFRARED})


@dataclass(frozen=True, slots=True)
class LivenessReport:
    """One try. Order and nonce are drawn anew for each challenge and never shown in advance."""

    profile: Profile
    nonce: str
    """Names this challenge alone, hex; its pictures and its order belong to no other."""
    order: tuple[Action, ...]
    """As asked for."""
    checks: tuple[CheckResult, ...]
    seconds: float
    """From the first request to the last frame taken."""
    flash_demanded: bool = False

    @property
    def verdict(self) -> Liveness:
        if not self.order and not any(one.outcome is not CheckOutcome.NOT_DONE for one in self.checks):
            return Liveness.NOT_DONE
        outcomes = {one.check: one.outcome for one in self.checks}
        if CheckOutcome.FAILED in outcomes.values():
            return Liveness.FAILED
        seen = all(outcomes.get(check) is CheckOutcome.PASSED for check in self.demanded)
        return Liveness.PASSED if seen and self.order else Liveness.FAILED

    @property
    def demanded(self) -> frozenset[Check]:
        """What has to be shown; other checks can only speak against."""
        wanted = _ALWAYS | {Check(action.value) for action in self.order}
        if self.profile is Profile.PAPER:
            wanted |= {Check.TURN_LEFT, Check.TURN_RIGHT}
        if self.profile is Profile.INFRARED:
            wanted |= _BOTH_EYES
        return wanted | {Check.FLASH} if self.flash_demanded else wanted

    @property
    def suffices(self) -> bool:
        """Passed, and by a profile after which a good comparison may pass. Otherwise an officer decides."""
        return self.verdict is Liveness.PASSED and self.profile in _PASSES_ALONE

    def of(self, check: Check) -> CheckResult:
        return next((one for one in self.checks if one.check is check), CheckResult(check, CheckOutcome.NOT_DONE))
