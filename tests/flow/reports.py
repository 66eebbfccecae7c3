"""A liveness report as the face room would write it, for tests that need one."""

from __future__ import annotations

from kiosk.domain.liveness import Action, Check, CheckOutcome, CheckResult, Liveness, LivenessReport, Profile

_ORDERS = {
    Profile.PAPER: (Action.TURN_RIGHT, Action.BLINK, Action.TURN_LEFT),
    Profile.GENTLE: (Action.BLINK,),
    Profile.ATTENDED: (Action.BLINK,),
}


def report(liveness: Liveness = Liveness.PASSED, profile: Profile = Profile.PAPER) -> LivenessReport:
    """PASSED: everything demanded was seen; FAILED: the last action was not; NOT_DONE: nothing was asked for."""
    if liveness is Liveness.NOT_DONE:
        return LivenessReport(profile, "0" * 32, (), (), 0.0)
    order = _ORDERS[profile]
    checks = [Check(action.value) for action in order] + [Check.SAME_FACE, Check.FRESH]
    missed = Check(order[-1].value) if liveness is Liveness.FAILED else None
    results = tuple(CheckResult(one, CheckOutcome.UNCLEAR if one is missed else CheckOutcome.PASSED) for one in checks)
    made = LivenessReport(profile, "0" * 32, order, results, 9.0)
    assert made.verdict is liveness
    return made
