"""The challenge on exact sights: its order, its patience, what counts and what does not, and that it always ends."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise

import pytest
from play import ACTS, DOES, LEFT_BLINK_RIGHT, REQUESTS, SAME, Play, Scripted, challenge
from stage import SPOILT, STEP, Doing, Onlooker, sight

from kiosk.config.face import FaceConfig
from kiosk.domain.coaching import Coach, FlashPlan, Progress
from kiosk.domain.liveness import Action, Check, CheckOutcome, Liveness, Profile
from kiosk.face.liveness.challenge import Challenge
from kiosk.face.liveness.flash import FlashCheck


@pytest.fixture
def play() -> Play:
    return Play(challenge())


def test_all_that_is_asked_for_is_done(play: Play) -> None:
    play.obey()
    assert play.challenge.done and not play.challenge.missed and not play.challenge.broken
    report = play.challenge.report(SAME)
    assert report.verdict is Liveness.PASSED and report.suffices
    assert report.order == LEFT_BLINK_RIGHT
    assert [one.check.value for one in report.checks] == ["turn_left", "blink", "turn_right", "depth", "same_face", "fresh"]
    assert all(one.outcome is CheckOutcome.PASSED for one in report.checks)
    assert report.of(Check.TURN_LEFT).value == pytest.approx(0.52, abs=0.02) and report.of(Check.TURN_LEFT).limit == 0.30
    assert report.of(Check.DEPTH).value == pytest.approx(0.20, abs=0.02)
    assert 3 < report.seconds < 12
    assert [one for one in play.prompts if one in REQUESTS] == [Coach.TURN_LEFT, Coach.BLINK, Coach.TURN_RIGHT]
    assert play.prompts.count(Coach.LOOK_AHEAD) == 2


@pytest.mark.parametrize("step", [0.04, 1 / 15, 0.16])
def test_the_frame_rate_does_not_matter(step: float) -> None:
    play = Play(challenge(), step)
    acts = {Action.BLINK: (0.4, 0.4), Action.TURN_LEFT: (0.4, 0.6), Action.TURN_RIGHT: (0.4, 0.6)}
    for _ in range(3):
        action = play.until_asked()
        before, during = acts[action]
        for doing, seconds in ((Doing.AHEAD, before), (DOES[action], during), (Doing.AHEAD, 0.5)):
            play.show(*[doing] * round(seconds / step))
    play.finish()
    assert play.challenge.done and play.challenge.report(SAME).verdict is Liveness.PASSED


def test_frames_are_taken_before_between_and_after_never_later(play: Play) -> None:
    play.obey()
    ended, kept = play.t, play.challenge.kept
    assert [one.part for one in kept] == [0, 0, 1, 2, 3]
    assert kept[-1].t - kept[0].t >= 1.0 and kept[-1].t < ended
    assert [one.t for one in kept] == sorted(one.t for one in kept)
    play.show(*[Doing.AHEAD] * 20)
    assert play.challenge.kept == kept and play.challenge.report(SAME).seconds < ended - 100


def test_frames_are_taken_of_open_eyes_looking_ahead_only(play: Play) -> None:
    taken = []
    for doing in [Doing.AHEAD] * 12 + [Doing.BLURRED, Doing.A_LITTLE_LEFT] * 30:
        before = len(play.challenge.kept)
        play.show(doing)
        taken += [doing] * (len(play.challenge.kept) - before)
    assert set(taken) <= {Doing.AHEAD}


def test_a_blurred_picture_is_waited_out_and_after_a_while_spoken_of(play: Play) -> None:
    play.until_asked()
    play.show(*[Doing.AHEAD] * 5, *[Doing.LEFT] * 4)
    play.show(*[Doing.BLURRED] * 12)
    assert Coach.BLUR not in play.prompts
    play.show(*[Doing.BLURRED] * 20)
    assert play.prompts.count(Coach.BLUR) == 1 and len(play.challenge.kept) == 2
    play.show(*[Doing.AHEAD] * 3)
    assert len(play.challenge.kept) == 3


def test_a_mouth_that_stays_open_is_not_looking_ahead() -> None:
    play = Play(challenge(Profile.GENTLE, Scripted(Action.OPEN_MOUTH, Action.BLINK), liveness={"free_actions": ("open_mouth",)}))
    assert play.until_asked() is Action.OPEN_MOUTH
    play.show(*[Doing.AHEAD] * 4, *[Doing.MOUTH_OPEN] * 30)
    assert play.outcomes()[Check.OPEN_MOUTH] is CheckOutcome.PASSED
    assert {one.part for one in play.challenge.kept} == {0} and play.prompts[-1] is Coach.LOOK_AHEAD
    play.finish()
    assert play.challenge.done


def test_a_turn_is_looked_at_until_it_is_over(play: Play) -> None:
    """Rule E holds, and then it is a sheet after all."""
    play.until_asked()
    play.show(*[Doing.AHEAD] * 5, *[Doing.LEFT] * 4)
    assert play.outcomes()[Check.TURN_LEFT] is CheckOutcome.PASSED
    play.show(*[Doing.LIKE_A_SHEET] * 8)
    assert play.outcomes()[Check.DEPTH] is CheckOutcome.FAILED


def test_a_short_blink_while_frames_are_taken_is_left_out() -> None:
    play = Play(challenge(frames=15))
    while not play.challenge.kept:
        play.show(Doing.AHEAD)
    shut = sight(play.t, Doing.AHEAD)
    assert shut.points is not None
    shut.points[[40, 41, 46, 47], 1] = shut.points[[38, 37, 44, 43], 1] + 3.0
    before = len(play.challenge.kept)
    for i in range(10):
        play.challenge.see(replace(shut, t=play.t + i * STEP))
    assert len(play.challenge.kept) == before


def test_what_is_done_before_it_is_asked_for_does_not_count(play: Play) -> None:
    first = play.until_asked()
    assert first is Action.TURN_LEFT
    play.do(Action.BLINK)
    play.do(Action.TURN_RIGHT)
    assert play.outcomes()[Check.BLINK] is CheckOutcome.NOT_DONE
    assert not play.challenge.over
    play.do(first)
    second = play.until_asked()
    play.do(Action.OPEN_MOUTH)
    play.finish()
    assert second is Action.BLINK and play.challenge.missed
    assert play.outcomes()[Check.BLINK] is CheckOutcome.UNCLEAR and play.outcomes()[Check.TURN_RIGHT] is CheckOutcome.NOT_DONE
    assert play.challenge.report(SAME).verdict is Liveness.FAILED


def test_a_blink_that_began_before_the_request_does_not_count() -> None:
    play = Play(challenge(Profile.ATTENDED))
    while play.asked is None:
        play.show(*[Doing.AHEAD] * 2, *[Doing.EYES_SHUT] * 2)
    play.asked = None
    play.show(*[Doing.EYES_SHUT] * 3, *[Doing.AHEAD] * 8)
    assert not play.challenge.done
    play.do(Action.BLINK)
    play.finish()
    assert play.challenge.done


def test_missing_one_thing_is_enough(play: Play) -> None:
    play.until_asked()
    asked_at = play.t
    play.finish()
    assert play.challenge.missed and not play.challenge.done
    assert play.t - asked_at == pytest.approx(7.0, abs=0.3)
    result = play.challenge.report(SAME).of(Check.TURN_LEFT)
    assert (result.outcome, result.reason) == (CheckOutcome.UNCLEAR, "not_seen")
    assert [one.part for one in play.challenge.kept] == [0, 0, 1], "the officer has something to look at, to the end"
    assert play.prompts.count(Coach.TURN_LEFT) == 2, "said again, once"


def test_whoever_never_looks_ahead_again_is_not_done(play: Play) -> None:
    play.do(play.until_asked())
    for _ in range(200):
        play.show(Doing.LEFT)
    assert play.challenge.missed
    assert play.outcomes()[Check.TURN_LEFT] is CheckOutcome.PASSED
    assert play.challenge.report(SAME).verdict is Liveness.FAILED
    assert 2 <= play.prompts.count(Coach.LOOK_AHEAD) <= 4


def test_the_last_look_ahead_is_demanded_too(play: Play) -> None:
    for _ in range(3):
        action = play.until_asked()
        play.show(*[Doing.AHEAD] * 5, *[DOES[action]] * 3, *([Doing.AHEAD] * 6 if action is not Action.TURN_RIGHT else []))
    for _ in range(120):
        play.show(Doing.RIGHT)
    assert play.challenge.missed and not play.challenge.done


def test_a_turn_to_the_wrong_side(play: Play) -> None:
    assert play.until_asked() is Action.TURN_LEFT
    play.show(*[Doing.AHEAD] * 16, *[Doing.RIGHT] * 8, *[Doing.AHEAD] * 5)
    assert play.prompts.count(Coach.OTHER_SIDE) == 1
    assert play.outcomes()[Check.TURN_LEFT] is CheckOutcome.UNCLEAR
    play.do(Action.TURN_LEFT)
    assert play.outcomes()[Check.TURN_LEFT] is CheckOutcome.PASSED


def test_the_arrow_and_a_little_more(play: Play) -> None:
    play.until_asked()
    play.show(*[Doing.AHEAD] * 10, *[Doing.A_LITTLE_LEFT] * 30)
    shares = [what.share for _, what in play.said if isinstance(what, Progress)]
    assert shares[0] == pytest.approx(0.2024 / 0.40, abs=0.02)
    assert Coach.FURTHER in play.prompts and not play.challenge.over


def test_a_sheet_that_turns_is_called_one(play: Play) -> None:
    play.until_asked()
    play.show(*[Doing.AHEAD] * 5, *[Doing.LIKE_A_SHEET] * 6)
    play.finish()
    result = play.challenge.report(SAME).of(Check.DEPTH)
    assert (result.outcome, result.reason) == (CheckOutcome.FAILED, "not_3d")
    assert play.outcomes()[Check.TURN_LEFT] is CheckOutcome.UNCLEAR


def test_one_sentence_is_heard_out_before_the_next() -> None:
    play = Play(challenge())
    play.obey()
    spoken = [(t, what) for t, what in play.said if isinstance(what, Coach)]
    for (earlier, before), (later, what) in pairwise(spoken):
        if what in REQUESTS and before not in REQUESTS:
            assert later - earlier >= 1.5 - 1e-6
    assert spoken[0][0] - 100.0 >= 1.5 - 1e-6, "hold still was said when the challenge began"


@pytest.mark.parametrize("doing", list(SPOILT))
def test_a_spoilt_moment_pauses_and_a_longer_one_breaks(doing: Doing) -> None:
    play = Play(challenge())
    play.until_asked()
    play.show(*[doing] * 5)
    assert not play.challenge.over
    play.do(Action.TURN_LEFT)
    assert play.outcomes()[Check.TURN_LEFT] is CheckOutcome.PASSED
    play.show(*[doing] * 9)
    assert play.challenge.broken and not play.challenge.done


def test_what_is_done_while_somebody_else_is_there_does_not_count(play: Play) -> None:
    play.until_asked()
    for doing in ACTS[Action.TURN_LEFT]:
        play.show(doing, coach=Coach.MULTI if doing is Doing.LEFT else None)
    assert play.outcomes()[Check.TURN_LEFT] is CheckOutcome.UNCLEAR


def test_pictures_missing_for_a_while_break_it(play: Play) -> None:
    play.until_asked()
    play.t += 1.0
    play.show(Doing.AHEAD)
    assert play.challenge.broken


def test_another_track_breaks_it_at_once(play: Play) -> None:
    play.do(play.until_asked())
    play.show(Doing.AHEAD, track=2)
    assert play.challenge.broken
    play.show(*[Doing.AHEAD] * 100)
    assert not play.challenge.done


def test_the_still_face_has_to_be_still(play: Play) -> None:
    play.show(*[Doing.AHEAD, Doing.AHEAD, Doing.A_LITTLE_LEFT, Doing.A_LITTLE_LEFT] * 20)
    assert not play.said and not play.challenge.begun


def test_watches_see_every_frame_and_can_speak_against() -> None:
    fresh, border = Onlooker(), Onlooker(Check.BORDER, CheckOutcome.FAILED)
    play = Play(challenge(watches=[fresh, border]), 0.04)
    play.obey()
    assert play.challenge.done
    assert len(fresh.seen) == pytest.approx((fresh.seen[-1] - fresh.seen[0]) / 0.04 + 1, abs=1)
    assert play.challenge.report(SAME).verdict is Liveness.FAILED


def test_without_a_word_about_freshness_nothing_passes() -> None:
    play = Play(challenge(watches=[]))
    play.obey()
    assert play.challenge.report(SAME).verdict is Liveness.FAILED


def test_the_clip_covers_the_challenge(play: Play) -> None:
    play.obey()
    clip = play.challenge.clip
    assert clip[0].t_ms == 0 and len(clip) >= 3 * play.challenge.report(SAME).seconds - 1
    assert all(one.jpeg.startswith(b"\xff\xd8") for one in clip)


def test_wipe_leaves_no_picture() -> None:
    watch = Onlooker()
    play = Play(challenge(watches=[watch]))
    play.obey()
    pictures = [one.rgb for one in play.challenge.kept]
    assert pictures and all(one.any() for one in pictures)
    play.challenge.wipe()
    assert not any(one.any() for one in pictures)
    assert watch.wiped and not play.challenge.kept and not play.challenge.clip


def test_colours_come_last_and_frames_after_them() -> None:
    config = FaceConfig.model_validate({"liveness": {"flash": {"enabled": True}}})
    flash = FlashCheck(config.liveness.flash, random.Random(3))
    play = Play(Challenge(config, Profile.GENTLE, Scripted(Action.BLINK), [Onlooker()], flash=flash), size=(480, 640))
    play.do(play.until_asked())
    play.finish()
    (said_at, _), (shown_at, plan) = [one for one in play.said if one[1] is Coach.FLASH or isinstance(one[1], FlashPlan)]
    assert plan == flash.plan() and shown_at - said_at == pytest.approx(1.5, abs=STEP)
    assert play.challenge.done and play.t - shown_at >= 9 * 0.4 + 0.5
    assert [one.part for one in play.challenge.kept] == [0, 0, 1, 1, 2]
    assert play.challenge.kept[-1].t > shown_at + 9 * 0.4
    report = play.challenge.report(SAME)
    assert report.flash_demanded and Check.FLASH in report.demanded
    assert report.of(Check.FLASH).outcome is not CheckOutcome.PASSED and report.verdict is Liveness.FAILED


def test_no_challenge_has_the_name_of_another() -> None:
    names = [challenge().nonce for _ in range(300)]
    assert len(set(names)) == 300 and all(len(bytes.fromhex(one)) == 16 for one in names)


def test_names_do_not_come_from_the_drawing_of_the_order() -> None:
    assert challenge(rng=random.Random(1)).nonce != challenge(rng=random.Random(1)).nonce
