"""Staff sign in: a hidden way in, a PIN nobody can read anywhere, a lock, and always a way back."""

import datetime as dt

import pytest
from attended import STAFF, AttendedHouse
from house import CARD, NOW, RULES, House

from kiosk.flow import effects as fx
from kiosk.flow import events as ev
from kiosk.flow.session import Session
from kiosk.flow.view import Button, Step

PIN = "258013"


def test_staff_sign_in_and_out() -> None:
    house = AttendedHouse().to_pin()
    assert house.view.step is Step.STAFF_PIN and house.view.typed == 0 and house.asked[-1] == ("release",)
    assert Button.ENTER not in house.view.enabled
    house.type(PIN)
    assert house.view.typed == 6
    house.press(Button.ENTER)
    assert house.pins == [(PIN, NOW)] and house.view.typed is None and Button.ENTER not in house.view.enabled
    house.handle(ev.StaffKnown(NOW, STAFF))
    assert house.view.step is Step.STAFF_MENU and Button.ENROL in house.view.enabled
    assert house.conductor.session.staff == STAFF and not house.conductor.session.pin
    house.press(Button.SIGN_OUT)
    assert house.view.step is Step.ATTRACT and house.conductor.session == Session(reader_usable=True)
    assert house.asked[-1] == ("seek",), "cards are looked for again"


def test_without_staff_in_the_configuration_holding_does_nothing() -> None:
    house = House().to_attract()
    assert not house.view.staff_entry
    house.handle(ev.StaffWanted())
    assert house.view.step is Step.ATTRACT and not house.pins


def test_staff_are_let_in_from_the_start_alone() -> None:
    house = AttendedHouse().to_attract()
    assert house.view.staff_entry
    house.press(Button.HELP)
    assert not house.view.staff_entry
    house.handle(ev.StaffWanted())
    assert house.view.help_open
    house.press(Button.CLOSE_HELP)
    house.handle(ev.CardSeen(), ev.CardRead(CARD))
    assert not house.view.staff_entry
    house.handle(ev.StaffWanted())
    assert house.view.step is Step.CARD


def test_staff_are_let_in_while_there_is_no_paper() -> None:
    house = AttendedHouse()
    house.printer_hindrance = "paper_out"
    house.to_attract()
    assert house.view.step is Step.NO_SLIP and house.view.staff_entry
    house.handle(ev.StaffWanted())
    assert house.view.step is Step.STAFF_PIN


def test_digits_are_counted_erased_and_never_more_than_eight() -> None:
    house = AttendedHouse().to_pin()
    house.handle(ev.Erased())
    assert house.view.typed == 0
    house.type("123")
    assert Button.ENTER not in house.view.enabled
    house.handle(ev.Pressed(Button.ENTER))
    assert not house.pins, "three digits are no PIN"
    house.handle(ev.Typed("4"))
    assert Button.ENTER in house.view.enabled
    house.type("567890")
    assert house.view.typed == 8
    house.handle(ev.Erased())
    house.press(Button.ENTER)
    assert house.pins == [("1234567", NOW)]


def test_a_wrong_pin_is_told_calmly_and_tried_again() -> None:
    house = AttendedHouse().to_pin()
    house.type(PIN)
    house.press(Button.ENTER)
    house.type("99")
    assert house.conductor.session.pin == "", "no digit counts while one PIN is being checked"
    house.handle(ev.StaffUnknown(NOW))
    assert house.view.trouble == "staff_pin.wrong" and house.view.typed == 0
    house.handle(ev.Typed("2"))
    assert house.view.trouble == ""


def test_after_too_many_no_digit_is_taken_until_the_lock_is_over() -> None:
    house = AttendedHouse().to_pin()
    house.type(PIN)
    house.press(Button.ENTER)
    house.handle(ev.StaffUnknown(NOW, 59.2))
    assert house.view.locked_s == 60 and house.view.typed is None and house.timers["pin"] == 59.2
    house.type(PIN)
    house.handle(ev.Pressed(Button.ENTER))
    assert len(house.pins) == 1
    house.handle(ev.TimeUp("pin"))
    assert house.view.locked_s == 0 and house.view.typed == 0 and house.view.trouble == ""


def test_who_goes_back_while_locked_leaves_no_clock_running() -> None:
    house = AttendedHouse().to_pin()
    house.type(PIN)
    house.press(Button.ENTER)
    house.handle(ev.StaffUnknown(NOW, 60.0))
    house.press(Button.BACK)
    assert house.view.step is Step.ATTRACT and not house.timers


def test_a_gate_that_never_answers_is_not_waited_for_forever() -> None:
    house = AttendedHouse().to_pin()
    house.type(PIN)
    house.press(Button.ENTER)
    assert house.timers["pin"] == 10
    house.handle(ev.TimeUp("pin"))
    assert house.view.trouble == "staff_pin.unclear" and house.view.typed == 0
    house.handle(ev.StaffKnown(NOW, STAFF))
    assert house.view.step is Step.STAFF_PIN, "too late"


def test_an_answer_about_an_earlier_pin_lets_nobody_in() -> None:
    house = AttendedHouse().to_pin()
    house.type(PIN)
    house.press(Button.ENTER)
    house.press(Button.BACK)
    house.handle(ev.StaffKnown(NOW, STAFF))
    assert house.view.step is Step.ATTRACT and not house.conductor.session.staff
    house.moment = NOW + dt.timedelta(seconds=3)
    house.handle(ev.StaffWanted())
    house.type("1111")
    house.press(Button.ENTER)
    house.handle(ev.StaffKnown(NOW, STAFF))
    assert house.view.step is Step.STAFF_PIN
    house.handle(ev.StaffUnknown(house.moment))
    assert house.view.trouble == "staff_pin.wrong"


@pytest.mark.parametrize("step", [Step.STAFF_PIN, Step.STAFF_MENU])
def test_silence_leaves_quietly(step: Step) -> None:
    house = AttendedHouse().to_pin() if step is Step.STAFF_PIN else AttendedHouse().to_menu()
    assert house.view.step is step and house.timers["idle"] == RULES.idle_s
    said = len([one for one in house.asked if one[0] == "say"])
    house.handle(ev.TimeUp("idle"))
    assert house.view.step is Step.ATTRACT and house.conductor.session == Session(reader_usable=True)
    assert len([one for one in house.asked if one[0] == "say"]) == said, "nobody is asked anything"


def test_typing_keeps_the_screen() -> None:
    house = AttendedHouse().to_pin()
    house.timers.clear()
    house.handle(ev.Typed("1"))
    assert "idle" in house.timers


def test_a_pin_shows_nowhere() -> None:
    house = AttendedHouse().to_pin()
    house.type(PIN)
    shown = repr(house.conductor.session) + repr(house.views) + repr(ev.Typed("7"))
    house.press(Button.ENTER)
    shown += repr(house.conductor.session) + repr(house.views)
    assert PIN not in shown and "'7'" not in shown
    assert "7" not in repr(fx.CheckPin("7777", NOW)).replace(repr(NOW), "")


def test_a_reader_lost_meanwhile_is_noticed_on_the_way_back() -> None:
    house = AttendedHouse().to_menu()
    house.handle(ev.ReaderChanged(False, "mute"))
    assert house.view.step is Step.STAFF_MENU
    house.press(Button.ENROL)
    assert house.view.step is Step.OUT_OF_SERVICE and house.view.staff_note == "staff.idcard.mute"


def test_a_card_laid_on_the_menu_begins_nothing() -> None:
    house = AttendedHouse().to_menu()
    house.handle(ev.CardSeen(), ev.CardRead(CARD))
    assert house.view.step is Step.STAFF_MENU and house.conductor.session.card is None
