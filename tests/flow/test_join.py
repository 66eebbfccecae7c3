"""接入本机: reachable where it must be and nowhere else, nothing sent that is no code, and always a way back."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
from attended import STAFF_RULES, AttendedHouse
from house import CARD, KNOWN, NOW, RULES, House
from hypothesis import given
from hypothesis import strategies as st

from kiosk.domain.join import JoinTrouble, Shut
from kiosk.domain.short_code import LENGTH, grouped, is_short_code, make_short_code
from kiosk.flow import events as ev
from kiosk.flow.view import Button, Step

CODE = make_short_code()
JOINABLE = dataclasses.replace(RULES, join_s=75.0)
LONG = "KIOSK1.abc"


def shut(why: Shut = Shut.NOT_ENROLLED, house: House | None = None) -> House:
    one = (house or House(JOINABLE)).to_attract()
    one.handle(ev.EnrolmentChanged(why))
    return one


def at_keypad() -> House:
    house = shut()
    house.handle(ev.StaffWanted())
    assert house.view.step is Step.JOIN
    return house


def type_in(house: House, code: str) -> None:
    house.handle(*(ev.Typed(digit) for digit in code))


def staffed() -> AttendedHouse:
    house = AttendedHouse()
    house.conductor.follow(dataclasses.replace(STAFF_RULES, join_s=75.0))
    return house


# ------------------------------------------------------------------------------- the code itself


@given(st.integers(0, LENGTH - 1), st.integers(1, 9))
def test_every_wrong_digit_is_seen(place: int, by: int) -> None:
    wrong = CODE[:place] + str((int(CODE[place]) + by) % 10) + CODE[place + 1 :]
    assert is_short_code(CODE) and not is_short_code(wrong)


@given(st.integers(0, LENGTH - 2))
def test_two_swapped_digits_are_seen(place: int) -> None:
    code = make_short_code()
    swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    assert swapped == code or not is_short_code(swapped)


@given(st.text())
def test_nothing_else_is_a_code(text: str) -> None:
    assert is_short_code(text) == (len(text) == 20 and text.isascii() and text.isdigit() and int(text) % 97 == 1)


def test_grouping() -> None:
    assert (grouped("12345"), grouped(""), grouped("1" * 8)) == ("1234 5", "", "1111 1111")


# ------------------------------------------------------------------------------- ways in and out


@pytest.mark.parametrize("why", list(Shut))
def test_a_machine_that_may_not_work_says_so_and_can_be_let_in(why: Shut) -> None:
    house = shut(why)
    assert (house.view.step, house.view.staff_note) == (Step.OUT_OF_SERVICE, f"staff.{why.value}")
    assert house.view.staff_entry and house.asked[-1] == ("release",)
    house.handle(ev.CardSeen(), ev.CardRead(CARD), ev.ReaderChanged(True), ev.PrinterChanged())
    assert house.view.step is Step.OUT_OF_SERVICE, "no card is taken"
    house.handle(ev.StaffWanted())
    assert house.view.step is Step.JOIN and house.asked[-1] == ("seek code",)
    house.press(Button.BACK)
    assert house.view.step is Step.OUT_OF_SERVICE and house.asked[-1] == ("release code",)
    house.handle(ev.EnrolmentChanged(None))
    assert house.view.step is Step.ATTRACT and not house.view.staff_entry, "enrolled from elsewhere: it works again"


def test_where_the_reader_is_at_fault_nobody_gets_in_without_a_pin() -> None:
    house = House(JOINABLE).to_attract()
    house.handle(ev.ReaderChanged(False, "mute"))
    assert house.view.step is Step.OUT_OF_SERVICE and not house.view.staff_entry
    house.handle(ev.StaffWanted())
    assert house.view.step is Step.OUT_OF_SERVICE


def test_with_staff_the_pin_comes_first() -> None:
    house = shut(house=staffed())
    house.handle(ev.StaffWanted())
    assert house.view.step is Step.STAFF_PIN
    type_in(house, "258013")
    house.press(Button.ENTER)
    house.handle(ev.StaffKnown(NOW, "HG01"))
    assert Button.JOIN in house.view.enabled and Button.ENROL not in house.view.enabled
    house.press(Button.JOIN)
    assert house.view.step is Step.JOIN


def test_a_working_machine_can_be_enrolled_anew_by_staff() -> None:
    house = staffed()
    house.to_attract().handle(ev.EnrolmentChanged(None, "staff.clone"))
    house.to_menu()
    assert house.view.staff_note == "staff.clone"
    house.press(Button.JOIN)
    assert house.view.step is Step.JOIN
    house.handle(ev.TimeUp("idle"))
    assert house.view.step is Step.ATTRACT, "nobody typed: back without a question"


def test_who_has_begun_may_end() -> None:
    house = House(JOINABLE).to_greeting(KNOWN)
    house.handle(ev.EnrolmentChanged(Shut.DEVICE_REFUSED))
    assert house.view.step is Step.GREETING
    house.press(Button.END)
    house.handle(ev.CardLifted(), ev.TimeUp("leave"))
    assert house.view.step is Step.OUT_OF_SERVICE


# ------------------------------------------------------------------------------- typing, scanning, answers


def test_a_code_is_typed_sent_and_taken() -> None:
    house = at_keypad()
    type_in(house, CODE[:5])
    assert (house.view.code, house.view.typed) == (grouped(CODE[:5]), 5) and Button.ENTER not in house.view.enabled
    house.handle(ev.Erased())
    type_in(house, CODE[4:] + "77")
    assert house.view.code == grouped(CODE) and CODE not in repr(house.view) and CODE not in repr(house.conductor.session)
    house.press(Button.ENTER)
    assert house.codes == [(CODE, NOW)] and house.view.typed is None and house.timers["join"] == 75
    type_in(house, "1")
    house.handle(ev.CodeScanned(LONG))
    assert len(house.codes) == 1
    house.handle(ev.Joined(NOW, "HG07", "含湖村"))
    assert (house.view.step, house.view.joined) == (Step.JOINED, ("HG07", "含湖村")) and "join" not in house.timers
    house.press(Button.SIGN_OUT)
    assert house.view.step is Step.ATTRACT and house.asked[-1] == ("seek",)


def test_a_mistyped_code_is_not_sent_and_can_be_mended() -> None:
    house = at_keypad()
    wrong = CODE[:-1] + str((int(CODE[-1]) + 1) % 10)
    type_in(house, wrong)
    house.press(Button.ENTER)
    assert (house.codes, house.view.trouble, house.view.code) == ([], "join.not_a_code", grouped(wrong))
    house.handle(ev.Erased())
    type_in(house, CODE[-1])
    house.press(Button.ENTER)
    assert house.codes == [(CODE, NOW)]


def test_a_scanned_code_needs_no_key() -> None:
    house = at_keypad()
    house.handle(ev.CodeScanned(LONG))
    assert house.codes == [(LONG, NOW)] and house.asked[-1] == ("release code",)


@pytest.mark.parametrize("trouble", list(JoinTrouble))
def test_every_trouble_says_what_to_do_and_leaves_the_code(trouble: JoinTrouble) -> None:
    house = at_keypad()
    type_in(house, CODE)
    house.press(Button.ENTER)
    house.handle(ev.JoinFailed(NOW + dt.timedelta(seconds=1), trouble))
    assert house.view.typed is None, "an answer to another question"
    house.handle(ev.JoinFailed(NOW, trouble))
    assert house.view.trouble == f"join.{trouble.value}" and house.asked[-1] == ("seek code",)
    assert house.view.code == ("" if trouble is JoinTrouble.REFUSED else grouped(CODE))


def test_an_office_that_never_answers() -> None:
    house = at_keypad()
    type_in(house, CODE)
    house.press(Button.ENTER)
    house.handle(ev.TimeUp("join"))
    assert house.view.trouble == "join.no_answer"
    house.handle(ev.Joined(NOW, "HG07", "x"))
    assert house.view.step is Step.JOIN, "the late word is told by the standing"
    house.press(Button.BACK)
    assert house.view.step is Step.ATTRACT
