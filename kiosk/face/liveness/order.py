"""What a person is asked for, and in which order: drawn anew for each challenge, never shown in advance.

With both turns and one of two free actions there are 12 orders, with both free ones 24: a recording of one of them fails at
11 in 12. Order alone is no defence against replay.
"""

from __future__ import annotations

import random

from kiosk.config.face import LivenessConfig
from kiosk.domain.liveness import Action, Profile

_TURNS = (Action.TURN_LEFT, Action.TURN_RIGHT)


def draw_order(profile: Profile, config: LivenessConfig, rng: random.Random, again: bool) -> tuple[Action, ...]:
    """`again`: an earlier challenge of this try was not finished."""
    free = tuple(Action(name) for name in config.free_actions)
    match profile:
        case Profile.PAPER:
            drawn = [*_TURNS, *rng.sample(free, min(config.free_asked, len(free)))]
            rng.shuffle(drawn)
            return tuple(drawn)
        case Profile.INFRARED:
            return (rng.choice(sorted({*free, *_TURNS})),)
        case Profile.GENTLE:
            return (_gentle(free, rng, again),)
        case Profile.ATTENDED:
            return (Action.BLINK,)


def _gentle(free: tuple[Action, ...], rng: random.Random, again: bool) -> Action:
    """A blink is the least trouble; who did not manage it is asked for something else, where there is something else."""
    if not again and Action.BLINK in free:
        return Action.BLINK
    return rng.choice([one for one in free if one is not Action.BLINK] or free)
