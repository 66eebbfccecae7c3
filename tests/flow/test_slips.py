"""The slip in the conversation: no paper before the start, little paper, no slip wanted, one more slip."""

import pytest
from house import CARD, KNOWN, RECEIPT, House, tried

from kiosk.domain.slip import PrintOutcome
from kiosk.domain.trouble import CardTrouble
from kiosk.flow import events as ev
from kiosk.flow.view import Button, Step


def printer(house: House, hindrance: str = "", low: bool = False) -> None:
    house.printer_hindrance, house.paper_is_low = hindrance, low
    house.handle(ev.PrinterChanged())


# ------------------------------------------------------------------------------- PR-02: nothing begins without paper


def test_pr_02_without_paper_the_notice_stands_in_place_of_the_start_screen_and_clears_itself() -> None:
    house = House().to_attract()
    printer(house, "paper_out")
    assert house.view.step is Step.NO_SLIP and house.view.staff_note == "staff.printer.paper_out"
    assert Button.START not in house.view.enabled and Button.HELP in house.view.enabled
    assert house.view.idle_seconds_left is None and "idle" not in house.timers
    printer(house)
    assert house.view.step is Step.ATTRACT


def test_pr_02_the_notice_is_there_from_the_first_moment() -> None:
    house = House()
    house.printer_hindrance = "mute"
    house.to_attract()
    assert house.view.step is Step.NO_SLIP and house.view.staff_note == "staff.printer.mute"


def test_pr_02_another_cause_is_shown_as_it_comes() -> None:
    house = House().to_attract()
    printer(house, "cover_open")
    printer(house, "paper_out")
    assert house.view.staff_note == "staff.printer.paper_out"


@pytest.mark.parametrize("before", [Button.START, Button.EXPLAIN])
def test_pr_02_who_has_not_laid_a_card_yet_is_told(before: Button) -> None:
    house = House().to_attract()
    house.press(before)
    printer(house, "paper_out")
    assert house.view.step is Step.NO_SLIP


def test_a_card_laid_on_the_notice_waits_for_paper_or_for_a_word() -> None:
    house = House()
    house.printer_hindrance = "paper_out"
    house.to_attract()
    house.handle(ev.CardSeen(), ev.CardRead(CARD))
    assert house.view.step is Step.NO_SLIP and ("say", "no_slip.title") in house.asked and ("find",) not in house.asked
    assert Button.END in house.view.enabled and "idle" in house.timers, "somebody stands there now"
    printer(house)
    assert ("find",) in house.asked
    house.handle(ev.PersonFound(CARD, KNOWN))
    assert house.view.step is Step.GREETING and house.view.wants_slip


def test_leaving_the_notice_with_a_card_is_an_end_like_any_other() -> None:
    house = House()
    house.printer_hindrance = "paper_out"
    house.to_attract()
    house.handle(ev.CardSeen(), ev.CardRead(CARD))
    house.press(Button.END)
    assert house.view.step is Step.ENDED and house.conductor.session.card is None
    house.handle(ev.TimeUp("leave"))
    house.lift_card()
    assert house.view.step is Step.NO_SLIP, "still no paper"


@pytest.mark.parametrize("card_first", [False, True])
def test_going_on_without_a_slip(card_first: bool) -> None:
    house = House()
    house.printer_hindrance = "paper_out"
    house.to_attract()
    if card_first:
        house.handle(ev.CardSeen(), ev.CardRead(CARD))
        house.press(Button.WITHOUT_SLIP)
    else:
        house.press(Button.WITHOUT_SLIP)
        assert house.view.step is Step.CARD
        house.handle(ev.CardSeen(), ev.CardRead(CARD))
    to_end(house)
    assert not house.slips and house.view.slip is None and not house.view.wants_slip
    assert house.view.case_number == RECEIPT.case_number and not house.view.staff_note
    printer(house)
    assert Button.REPRINT not in house.view.enabled
    house.press(Button.DONE)
    house.lift_card()
    assert house.view.step is Step.ATTRACT and house.conductor.session.wants_slip, "the next person's slip is their own"


def test_paper_that_runs_out_after_the_card_was_read_does_not_stop_the_person() -> None:
    house = House().to_greeting()
    printer(house, "paper_out")
    assert house.view.step is Step.GREETING
    house.press(Button.CONTINUE)
    to_result(house)
    assert house.view.slip is PrintOutcome.BLOCKED and not house.slips and house.view.case_number == RECEIPT.case_number
    assert house.view.staff_note == "staff.printer.paper_out"


def test_the_notice_gives_way_when_the_card_reader_is_lost_too() -> None:
    house = House().to_attract()
    printer(house, "paper_out")
    house.handle(ev.ReaderChanged(False, "line_lost"))
    assert house.view.step is Step.OUT_OF_SERVICE and house.view.staff_note == "staff.idcard.line_lost"
    house.handle(ev.ReaderChanged(True))
    assert house.view.step is Step.NO_SLIP


def test_who_takes_the_card_away_from_the_notice_has_gone() -> None:
    house = House()
    house.printer_hindrance = "paper_out"
    house.to_attract()
    house.handle(ev.CardSeen(), ev.CardRead(CARD))
    house.lift_card()
    assert house.conductor.session.card is None and Button.END not in house.view.enabled
    printer(house)
    assert house.view.step is Step.ATTRACT and ("find",) not in house.asked


def test_no_slip_chosen_by_somebody_who_went_away_does_not_bind_the_next() -> None:
    house = House()
    house.printer_hindrance = "paper_out"
    house.to_attract()
    house.press(Button.WITHOUT_SLIP)
    printer(house)
    assert house.conductor.session.wants_slip


def test_a_card_not_read_on_the_notice_is_not_met_with_silence() -> None:
    house = House()
    house.printer_hindrance = "paper_out"
    house.to_attract()
    house.handle(ev.CardSeen(), ev.CardFailed(CardTrouble.LAY_AGAIN))
    assert house.view.step is Step.NO_SLIP and house.view.trouble == "trouble.lay_again"
    assert house.asked[-1] == ("say", "trouble.lay_again")
    house.handle(ev.CardSeen())
    assert house.view.trouble == ""


def test_the_notice_can_be_heard_and_is_not_torn_away_from_who_reads_the_number() -> None:
    house = House().to_attract()
    printer(house, "paper_out")
    house.press(Button.REPEAT_VOICE)
    assert house.asked[-1] == ("say", "no_slip.title")
    house.press(Button.HELP)
    printer(house, "cover_open")
    assert house.view.help_open and house.view.staff_note == "staff.printer.cover_open"


# ------------------------------------------------------------------------------------------ paper nearly out


def test_little_paper_offers_to_go_without_a_slip() -> None:
    house = House()
    house.paper_is_low = True
    house.to_greeting()
    assert house.view.paper_low and house.view.wants_slip
    house.press(Button.TICK_NO_SLIP)
    assert not house.view.wants_slip
    house.press(Button.TICK_NO_SLIP)
    assert house.view.wants_slip
    house.press(Button.TICK_NO_SLIP)
    house.press(Button.CONTINUE)
    to_result(house)
    assert not house.slips


def test_with_enough_paper_nobody_is_asked() -> None:
    house = House().to_greeting()
    assert Button.TICK_NO_SLIP not in house.view.enabled
    house.handle(ev.Pressed(Button.TICK_NO_SLIP))
    assert house.conductor.session.wants_slip


# --------------------------------------------------------------------------------------------- once more (补打)


@pytest.mark.parametrize("outcome", [PrintOutcome.UNKNOWN, PrintOutcome.BLOCKED])
def test_pr_07_a_slip_that_did_not_come_is_never_printed_again_by_itself(outcome: PrintOutcome) -> None:
    house = House().to_result()
    house.printer_hindrance = "paper_out"
    house.handle(ev.SlipEnded(RECEIPT.case_number, outcome, "paper_out"))
    assert house.view.slip is outcome and Button.REPRINT not in house.view.enabled
    printer(house)
    assert len(house.slips) == 1 and Button.REPRINT in house.view.enabled


def test_pr_07_after_unknown_one_copy_is_offered_and_says_so() -> None:
    house = House().to_result()
    house.handle(ev.SlipEnded(RECEIPT.case_number, PrintOutcome.UNKNOWN, "no_proof"))
    house.press(Button.REPRINT)
    assert [slip.copy for slip in house.slips] == [1, 2] and house.view.slip is None and not house.view.staff_note
    assert Button.REPRINT not in house.view.enabled, "while it prints"
    house.handle(ev.SlipEnded(RECEIPT.case_number, PrintOutcome.UNKNOWN, "no_proof"))
    assert Button.REPRINT not in house.view.enabled
    printer(house)
    assert Button.REPRINT not in house.view.enabled


def test_after_blocked_nothing_lies_anywhere_so_it_is_no_copy() -> None:
    house = House().to_result()
    for _ in range(2):
        house.handle(ev.SlipEnded(RECEIPT.case_number, PrintOutcome.BLOCKED, "cover_open"))
        house.press(Button.REPRINT)
    house.handle(ev.SlipEnded(RECEIPT.case_number, PrintOutcome.PRINTED))
    assert [slip.copy for slip in house.slips] == [1, 1, 1] and house.view.slip is PrintOutcome.PRINTED
    assert Button.REPRINT not in house.view.enabled


def test_a_name_that_cannot_be_printed_is_not_offered_again() -> None:
    house = House().to_result()
    house.handle(ev.SlipEnded(RECEIPT.case_number, PrintOutcome.BLOCKED, "missing_glyph"))
    assert Button.REPRINT not in house.view.enabled
    printer(house)
    assert Button.REPRINT not in house.view.enabled and house.view.staff_note == "staff.printer.missing_glyph"


def test_the_offer_comes_with_time_to_press_it_and_the_present_cause() -> None:
    house = House().to_result()
    house.printer_hindrance = "cover_open"
    house.handle(ev.SlipEnded(RECEIPT.case_number, PrintOutcome.BLOCKED, "cover_open"))
    house.timers.pop("leave")
    printer(house, "paper_out")
    assert house.view.staff_note == "staff.printer.paper_out" and "leave" not in house.timers
    printer(house)
    assert Button.REPRINT in house.view.enabled and house.view.staff_note == "" and "leave" in house.timers


def test_a_printer_lost_again_takes_the_offer_back() -> None:
    house = House().to_result()
    house.handle(ev.SlipEnded(RECEIPT.case_number, PrintOutcome.BLOCKED, "cover_open"))
    printer(house, "cover_open")
    assert Button.REPRINT not in house.view.enabled
    house.handle(ev.Pressed(Button.REPRINT))
    assert len(house.slips) == 1


def to_result(house: House) -> None:
    """From the consent on."""
    house.press(Button.TICK_MATCH)
    house.press(Button.AGREE)
    house.handle(tried(0.3), ev.HandedIn(house.now(), RECEIPT), ev.DeliveryKnown(RECEIPT.case_id, True))
    assert house.view.step is Step.RESULT


def to_end(house: House) -> None:
    """From the card on."""
    house.handle(ev.PersonFound(CARD, KNOWN))
    house.press(Button.CONTINUE)
    to_result(house)


# ------------------------------------------------------------------------------------- a card left in the slot


def test_a_card_in_the_slot_is_mentioned_only_where_it_disturbs_nothing() -> None:
    house = House().to_attract()
    house.handle(ev.CardWaits())
    assert ("say", "take_card.slot") not in house.asked, "not to an empty room"
    house.to_consent()
    house.handle(ev.CardWaits())
    assert ("say", "take_card.slot") not in house.asked
    to_result(house)
    house.handle(ev.CardWaits())
    assert ("say", "take_card.slot") not in house.asked, "the slip comes first"
    house.handle(ev.SlipEnded(RECEIPT.case_number, PrintOutcome.PRINTED), ev.CardWaits())
    assert house.asked[-1] == ("say", "take_card.slot")
