"""Rule E on the exact model face: heads turn, sheets do not, tilted or not; then over time, asked for and not."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from model_face import bent_lying, bent_upright, flat, head

from kiosk.config.face import LivenessConfig
from kiosk.devices.emulated.portrait import Pose
from kiosk.domain.coaching import Coach, Progress
from kiosk.domain.liveness import Check, CheckOutcome
from kiosk.face import geometry
from kiosk.face.engine import Points
from kiosk.face.liveness.turn import FULL_TURN, TurnCheck, TurnGuide, depth, holds, measure

CONFIG = LivenessConfig()
STEP = 0.08
STILL = geometry.deroll(head(Pose()))


def residual_of_homography(still: Points, now: Points) -> float:
    """RMS of points 0-59 after the best plane-to-plane mapping, in eye distances: what rule E is better than."""
    a, b = (one[:60] / geometry.eye_distance(still) for one in (still, now))
    matrix, _ = cv2.findHomography(a, b, 0)
    mapped = cv2.perspectiveTransform(a[None], matrix)[0]
    return float(np.sqrt(((mapped - b) ** 2).sum(axis=1).mean()))


HEADS = [
    (Pose(yaw=6), 0.1516, 0.0327, 0.2156, 0.0236, False),
    (Pose(yaw=12), 0.3059, 0.0648, 0.2118, 0.0471, True),
    (Pose(yaw=-12), -0.3059, 0.0648, 0.2118, 0.0471, True),
    (Pose(yaw=18), 0.4662, 0.0958, 0.2056, 0.0703, True),
    (Pose(yaw=-18), -0.4662, 0.0958, 0.2056, 0.0703, True),
    (Pose(yaw=18, roll=10), 0.4662, 0.0958, 0.2056, 0.0703, True),
    (Pose(yaw=18, roll=-10), 0.4662, 0.0958, 0.2056, 0.0703, True),
    (Pose(yaw=-18, roll=10), -0.4662, 0.0958, 0.2056, 0.0703, True),
    (Pose(yaw=24), 0.6360, 0.1253, 0.1969, 0.0930, True),
    (Pose(yaw=30), 0.8205, 0.1526, 0.1860, 0.1150, True),
    (Pose(yaw=22, roll=15), 0.5781, 0.1157, 0.2001, 0.0855, True),
    (Pose(yaw=18, pitch=8, roll=-12), 0.5116, 0.0951, 0.1860, 0.0792, True),
    (Pose(roll=10), 0.0, 0.0, 0.0, 0.0, False),
    (Pose(roll=-10), 0.0, 0.0, 0.0, 0.0, False),
]
SHEETS = [
    (flat(Pose(yaw=25)), flat(Pose()), 0.0246, 0.0, 0.0, 0.0),
    (flat(Pose(yaw=40)), flat(Pose()), 0.0351, 0.0, 0.0, 0.0),
    (bent_upright(1.2, Pose(yaw=25)), bent_upright(1.2, Pose()), 0.1290, 0.0024, 0.0185, 0.0417),
    (bent_upright(1.2, Pose(yaw=40)), bent_upright(1.2, Pose()), 0.2224, 0.0038, 0.0172, 0.0670),
    (bent_upright(2.0, Pose(yaw=25)), bent_upright(2.0, Pose()), 0.0870, 0.0006, 0.0070, 0.0244),
    (bent_upright(2.0, Pose(yaw=40)), bent_upright(2.0, Pose()), 0.1472, 0.0010, 0.0070, 0.0396),
    (bent_lying(1.5, Pose(yaw=25)), bent_lying(1.5, Pose()), 0.1134, 0.0033, 0.0289, 0.0500),
    (bent_lying(1.5, Pose(yaw=40)), bent_lying(1.5, Pose()), 0.1941, 0.0054, 0.0278, 0.0768),
]


@pytest.mark.parametrize(("pose", "yaw", "nose", "ratio", "h", "e"), HEADS)
def test_a_head(pose: Pose, yaw: float, nose: float, ratio: float, h: float, e: bool) -> None:
    now = geometry.deroll(head(pose))
    turn = measure(STILL, now)
    assert (turn.yaw, turn.nose) == (pytest.approx(yaw, abs=1e-3), pytest.approx(nose, abs=1e-3))
    if yaw:
        assert turn.ratio == pytest.approx(ratio, abs=1e-3)
    assert residual_of_homography(STILL, now) == pytest.approx(h, abs=1e-3)
    assert holds(turn, CONFIG) is e


@pytest.mark.parametrize(("points", "still", "yaw", "nose", "ratio", "h"), SHEETS)
def test_a_sheet(points: Points, still: Points, yaw: float, nose: float, ratio: float, h: float) -> None:
    level, now = geometry.deroll(still), geometry.deroll(points)
    turn = measure(level, now)
    assert abs(turn.yaw) == pytest.approx(yaw, abs=1e-3)
    assert (turn.nose, turn.ratio) == (pytest.approx(nose, abs=1e-3), pytest.approx(ratio, abs=1e-3))
    assert residual_of_homography(level, now) == pytest.approx(h, abs=1e-3)
    assert not holds(turn, CONFIG)


@pytest.mark.parametrize(("roll", "yaw", "ratio"), [(10, 0.2799, 0.3382), (-10, 0.6578, 0.1430)])
def test_raw_points_would_say_something_else(roll: float, yaw: float, ratio: float) -> None:
    """Counter-vectors: what must not come out."""
    turn = measure(STILL, geometry.deroll(head(Pose(yaw=18, roll=roll))))
    assert abs(turn.yaw - yaw) > 0.1 and abs(turn.ratio - ratio) > 0.05


@pytest.mark.parametrize("limit", ["turn_yaw_min", "turn_nose_min", "turn_ratio_min"])
def test_every_limit_counts(limit: str) -> None:
    turn = measure(STILL, geometry.deroll(head(Pose(yaw=12))))
    value = {"turn_yaw_min": turn.yaw, "turn_nose_min": turn.nose, "turn_ratio_min": turn.ratio}[limit]
    assert holds(turn, LivenessConfig.model_validate({limit: value - 1e-9}))
    assert not holds(turn, LivenessConfig.model_validate({limit: value + 1e-9}))


def watched(check: TurnCheck, yaws: list[float], step: float = STEP, roll: float = 0.0) -> list[float]:
    return [check.watch(i * step, head(Pose(yaw=yaw, roll=roll))) for i, yaw in enumerate(yaws)]


THERE_AND_BACK = [0.0, 0.0, 4.0, 9.0, 14.0, 18.0, 18.0, 14.0, 9.0, 4.0, 0.0]


@pytest.mark.parametrize("roll", [-10, 0, 10])
@pytest.mark.parametrize("left", [True, False])
def test_a_turn_to_the_asked_side_is_seen(left: bool, roll: float) -> None:
    asked, other = TurnCheck(CONFIG, left, STILL), TurnCheck(CONFIG, not left, STILL)
    yaws = [yaw if left else -yaw for yaw in THERE_AND_BACK]
    turned = watched(asked, yaws, roll=roll)
    watched(other, yaws, roll=roll)
    assert asked.seen and not other.seen
    assert max(turned) == pytest.approx(0.4662, abs=1e-3)
    assert not asked.hollow and not other.hollow
    assert asked.value is not None and 0.30 < asked.value < 0.4662  # the mean of a window
    assert asked.ratio == pytest.approx(0.21, abs=0.01)


@pytest.mark.parametrize("roll", [-10, 10])
def test_a_tilted_head_is_measured_like_a_level_one(roll: float) -> None:
    level, tilted = TurnCheck(CONFIG, True, STILL), TurnCheck(CONFIG, True, STILL)
    watched(level, THERE_AND_BACK)
    watched(tilted, THERE_AND_BACK, roll=roll)
    assert tilted.value == pytest.approx(level.value, abs=1e-6)
    assert tilted.ratio == pytest.approx(level.ratio, abs=1e-6)
    assert tilted.width == pytest.approx(level.width, abs=1e-6)


@pytest.mark.parametrize("step", [0.04, 0.0667, 0.08, 0.16])
def test_the_frame_rate_does_not_matter(step: float) -> None:
    check = TurnCheck(CONFIG, True, STILL)
    watched(check, [22 * float(np.sin(np.pi * t / 1.6)) for t in np.arange(0, 1.6, step)], step)
    assert check.seen


def test_one_window_is_not_enough() -> None:
    check = TurnCheck(CONFIG, True, STILL)
    watched(check, [0.0, 0.0, 0.0, 24.0, 24.0])  # means over three: 8, 16
    assert not check.seen
    check.watch(5 * STEP, head(Pose(yaw=24)))
    assert check.seen


def test_a_single_frame_is_no_mean() -> None:
    """At two pictures a second nothing can be said about a turn."""
    check = TurnCheck(CONFIG, True, STILL)
    watched(check, [24.0] * 20, step=0.5)
    assert not check.seen


def test_a_waved_or_bent_sheet_is_never_a_turn() -> None:
    for still, at in (
        (flat(Pose()), lambda yaw: flat(Pose(yaw=yaw))),
        (bent_upright(1.2, Pose()), lambda yaw: bent_upright(1.2, Pose(yaw=yaw))),
        (bent_lying(1.5, Pose()), lambda yaw: bent_lying(1.5, Pose(yaw=yaw))),
    ):
        check = TurnCheck(CONFIG, True, geometry.deroll(still))
        for i in range(40):
            check.watch(i * STEP, at(-45.0 if i % 20 < 10 else 45.0))
        assert not check.seen


def without_a_nose(still: Points, yaw: float) -> Points:
    """The yaw ratio of a turned head, the nose of a sheet: as a face prior makes of a wrapped print."""
    points = still.copy()
    points[30, 0] += yaw / 2 * 85  # the tip alone moves the yaw ratio
    return points


@pytest.mark.parametrize(("yaw", "hollow"), [(0.29, False), (0.31, True), (0.45, True)])
def test_a_face_that_turns_without_a_nose(yaw: float, hollow: bool) -> None:
    check = TurnCheck(CONFIG, True, STILL)
    for i in range(3):
        check.watch(i * STEP, without_a_nose(head(Pose()), yaw))
    assert not check.seen and check.hollow is hollow
    result = depth([check], CONFIG)
    assert (result.outcome, result.reason) == ((CheckOutcome.FAILED, "not_3d") if hollow else (CheckOutcome.UNCLEAR, ""))


@pytest.mark.parametrize(("without", "hollow"), [(2, False), (3, True)])
def test_what_holds_in_some_windows_only_is_no_head(without: int, hollow: bool) -> None:
    check = TurnCheck(CONFIG, True, STILL)
    watched(check, [0.0, *[14.0] * 6, 0.0, 0.0, 0.0])  # holds in four windows
    assert check.seen and not check.hollow
    for i in range(1 + without):
        check.watch(10 + i * STEP, without_a_nose(head(Pose()), 0.35))
    assert check.seen and check.hollow is hollow
    assert (depth([check], CONFIG).outcome is CheckOutcome.FAILED) is hollow


@pytest.mark.parametrize(("asked_for", "hollow"), [(1.2, False), (1.3, True)])
def test_a_flat_nose_that_comes_just_short_is_no_hollow_face(asked_for: float, hollow: bool) -> None:
    """The same turn of a head, where this many times its own ratio is asked for."""
    turned = geometry.deroll(head(Pose(yaw=16)))
    own = measure(STILL, turned).ratio
    check = TurnCheck(LivenessConfig(turn_ratio_min=asked_for * own), True, STILL)
    watched(check, [16.0] * 6)
    assert not check.seen and check.hollow is hollow


def test_far_turned_a_nose_that_stood_out_may_stand_out_less() -> None:
    check = TurnCheck(CONFIG, True, STILL)
    watched(check, [0.0, 9.0, 14.0, 16.0, 18.0])
    for i in range(6):
        check.watch(10 + i * STEP, without_a_nose(head(Pose()), 0.45))
    assert check.seen and not check.hollow


@pytest.mark.parametrize(("yaw", "width"), [(12, 0.9782), (18, 0.9512), (24, 0.9137)])
def test_a_head_hardly_grows_narrow(yaw: float, width: float) -> None:
    for pose in (Pose(yaw=yaw), Pose(yaw=-yaw, roll=10)):
        assert measure(STILL, geometry.deroll(head(pose))).width == pytest.approx(width, abs=1e-4)


def test_nor_with_the_chin_up() -> None:
    assert measure(STILL, geometry.deroll(head(Pose(yaw=18, pitch=8)))).width == pytest.approx(0.9874, abs=1e-4)


@pytest.mark.parametrize(
    ("at", "width"),
    [(flat, 0.7680), (lambda pose: bent_upright(1.2, pose), 0.7803), (lambda pose: bent_upright(2.0, pose), 0.7757)],
)
def test_a_sheet_turned_far_does(at: Callable[[Pose], Points], width: float) -> None:
    still = geometry.deroll(at(Pose()))
    assert measure(still, geometry.deroll(at(Pose(yaw=40)))).width == pytest.approx(width, abs=1e-4)


def test_far_turned_a_head_may_grow_narrow_too() -> None:
    check = TurnCheck(CONFIG, True, STILL)
    watched(check, [0.0, 13.0, 13.0, 13.0, 14.0, *[32.0] * 8])
    assert measure(STILL, geometry.deroll(head(Pose(yaw=32)))).width < 0.88
    assert check.width == pytest.approx(0.97, abs=0.01) and depth([check], CONFIG).outcome is CheckOutcome.PASSED


def test_the_depth_of_what_turned() -> None:
    seen, unseen = TurnCheck(CONFIG, True, STILL), TurnCheck(CONFIG, True, STILL)
    watched(seen, THERE_AND_BACK)
    assert depth([], CONFIG).outcome is CheckOutcome.NOT_DONE
    passed = depth([seen, seen], CONFIG)
    assert (passed.check, passed.outcome, passed.limit) == (Check.DEPTH, CheckOutcome.PASSED, 0.155)
    assert passed.value == seen.ratio == pytest.approx(0.21, abs=0.01)
    assert depth([seen, unseen], CONFIG).outcome is CheckOutcome.UNCLEAR


def narrowing(share: float) -> TurnCheck:
    """A turn in which the face loses this share of its width at 18 degrees."""
    check = TurnCheck(CONFIG, True, STILL)
    for i, yaw in enumerate(THERE_AND_BACK):
        points = head(Pose(yaw=yaw))
        points[:, 0] *= 1 - share * yaw / 18
        check.watch(i * STEP, points)
    return check


def test_a_turn_in_which_the_face_grew_narrow_is_none_of_a_head() -> None:
    check = narrowing(0.15)
    assert check.seen and check.width is not None and check.width < 0.885
    failed = depth([check], CONFIG)
    assert (failed.outcome, failed.reason, failed.limit) == (CheckOutcome.FAILED, "narrow", 0.885)
    assert failed.value == pytest.approx(check.width)
    assert depth([check], LivenessConfig(turn_width_min=0.5)).outcome is CheckOutcome.PASSED


def test_a_face_whose_halves_differ_grows_narrow_to_one_side_only() -> None:
    one, other = narrowing(0.12), narrowing(0.0)
    assert one.width is not None and other.width is not None
    assert one.width < CONFIG.turn_width_min < (one.width + other.width) / 2
    assert depth([one, other], CONFIG).outcome is CheckOutcome.PASSED
    assert depth([one, one], CONFIG).reason == "narrow"


def test_the_guide_fills_the_arrow_in_steps() -> None:
    guide = TurnGuide()
    shares = [guide.hint(i * STEP, 0.01 * i, False) for i in range(60)]
    shown = [one.share for one in shares if isinstance(one, Progress)]
    assert all(later - earlier >= 0.05 - 1e-9 for earlier, later in zip([0.0, *shown], shown, strict=False))
    assert shown[-1] == 1.0 and len(shown) <= 20
    assert guide.hint(5.0, -0.1, False) == Progress(0.0)


def test_the_guide_sends_to_the_other_side_once() -> None:
    guide = TurnGuide()
    assert guide.hint(0.0, -0.19, True) is None
    assert guide.hint(0.1, -0.25, False) is None
    assert guide.hint(0.2, -0.25, True) is Coach.OTHER_SIDE
    assert guide.hint(0.3, -0.30, True) is None


def test_the_guide_asks_for_more_of_a_turn_that_has_begun() -> None:
    guide = TurnGuide()
    assert guide.hint(0.0, 0.11, True) == Progress(0.11 / FULL_TURN)
    said = [guide.hint(0.1 * i, 0.2, True) for i in range(1, 13)]
    assert said.count(Coach.FURTHER) == 1 and said[10] is Coach.FURTHER
