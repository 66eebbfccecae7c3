"""Which actions are asked for, and that chance alone decides their order."""

from __future__ import annotations

import random
from collections import Counter

from kiosk.config.face import LivenessConfig
from kiosk.domain.liveness import Action, Profile
from kiosk.face.liveness.order import draw_order


def orders(profile: Profile, again: bool = False, *free: str) -> Counter[tuple[Action, ...]]:
    config = LivenessConfig(free_actions=free or LivenessConfig().free_actions)
    rng = random.Random(5)
    return Counter(draw_order(profile, config, rng, again) for _ in range(1200))


def test_every_order_comes_about_as_often() -> None:
    drawn = orders(Profile.PAPER)
    assert len(drawn) == 12
    assert all(60 < count < 140 for count in drawn.values())
    assert all({Action.TURN_LEFT, Action.TURN_RIGHT} < set(order) and len(order) == 3 for order in drawn)


def test_both_free_actions_can_be_asked_for() -> None:
    rng = random.Random(5)
    drawn = Counter(draw_order(Profile.PAPER, LivenessConfig(free_asked=2), rng, again=False) for _ in range(2400))
    assert len(drawn) == 24 and all(60 < count < 140 for count in drawn.values())
    assert all(set(order) == set(Action) for order in drawn)
    only = LivenessConfig(free_actions=("blink",), free_asked=2)
    assert set(draw_order(Profile.PAPER, only, rng, again=False)) == {Action.BLINK, Action.TURN_LEFT, Action.TURN_RIGHT}


def test_the_other_profiles() -> None:
    assert set(orders(Profile.ATTENDED)) == {(Action.BLINK,)}
    assert set(orders(Profile.INFRARED)) == {(one,) for one in Action}
    assert set(orders(Profile.GENTLE)) == {(Action.BLINK,)}
    assert set(orders(Profile.GENTLE, again=True)) == {(Action.OPEN_MOUTH,)}
    assert set(orders(Profile.GENTLE, True, "blink")) == {(Action.BLINK,)}
