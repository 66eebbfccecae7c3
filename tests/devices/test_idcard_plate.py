"""What is believed about the plate, answer by answer."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kiosk.devices.emulated.cards import sample_card
from kiosk.devices.idcard.plate import FREE_AFTER, Plate

MINE, THEIRS = sample_card(0).number, sample_card(1).number


def test_a_card_is_laid_once_and_lifted_once() -> None:
    plate = Plate(5.0)
    assert plate.found()
    assert not plate.found()
    assert [plate.missed() for _ in range(FREE_AFTER + 2)] == [False] * (FREE_AFTER - 1) + [True, False, False]
    assert plate.found()


def test_a_card_that_still_lies_there_after_a_loss_of_the_reader_is_news_once() -> None:
    plate = Plate(5.0)
    plate.found()
    plate.delivered(MINE, 0.0)
    assert plate.lose_sight() and not plate.lose_sight(), "told as gone once"
    assert plate.watched and plate.found() and plate.forgotten(MINE), "told again, but not handed out again"
    assert not plate.found()


def test_a_card_lifted_while_the_reader_was_lost_is_not_lifted_again() -> None:
    plate = Plate(5.0)
    plate.found()
    plate.lose_sight()
    assert not any(plate.missed() for _ in range(FREE_AFTER))
    assert not plate.watched and not plate.spent


def test_a_flapping_answer_is_still_the_same_laying() -> None:
    plate = Plate(5.0)
    plate.found()
    for _ in range(10):
        assert not plate.missed()
        assert not plate.missed()
        assert not plate.found()
    assert plate.occupied


def test_a_card_that_was_missed_once_is_in_doubt_until_found_or_lifted() -> None:
    plate = Plate(5.0)
    plate.missed()
    assert not plate.doubtful
    plate.found()
    assert not plate.doubtful
    plate.missed()
    assert plate.doubtful
    plate.found()
    assert not plate.doubtful
    for _ in range(FREE_AFTER):
        plate.missed()
    assert not plate.doubtful


def test_a_delivered_card_belongs_to_its_session_until_lifted() -> None:
    plate = Plate(5.0)
    plate.found()
    plate.delivered(MINE, now=100.0)
    assert plate.forgotten(MINE)
    assert not plate.forgotten(THEIRS)
    for _ in range(FREE_AFTER):
        plate.missed()
    assert not plate.forgotten(MINE)
    assert not plate.spent


def test_the_same_card_counts_again_only_after_a_while() -> None:
    plate = Plate(5.0)
    plate.delivered(MINE, now=100.0)
    assert plate.just_delivered(MINE, now=104.9)
    assert not plate.just_delivered(THEIRS, now=104.9)
    assert not plate.just_delivered(MINE, now=105.0)


def test_no_number_is_kept() -> None:
    plate = Plate(5.0)
    plate.delivered(MINE, now=0.0)
    assert MINE not in str(vars(plate))


@given(st.lists(st.sampled_from(["found", "missed", "delivered"])))
def test_seen_and_lifted_alternate_whatever_the_reader_says(answers: list[str]) -> None:
    plate, told = Plate(5.0), []
    for answer in answers:
        if answer == "found" and plate.found():
            told.append("seen")
        elif answer == "missed" and plate.missed():
            told.append("lifted")
        elif answer == "delivered" and plate.occupied:
            plate.delivered(MINE, now=0.0)
        assert plate.occupied or not plate.spent
    assert told == ["seen", "lifted"] * (len(told) // 2) + ["seen"] * (len(told) % 2)
