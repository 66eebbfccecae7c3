"""Before the camera: what is said and shown, who is asked for less, and whose pictures are asked for anew."""

from __future__ import annotations

import dataclasses
import datetime as dt

from house import CARD, KNOWN, NOW, RECEIPT, TEMPLATES, House, tried

from kiosk.domain.coaching import Coach, FlashPlan
from kiosk.domain.decision import Outcome
from kiosk.domain.face_task import Verify
from kiosk.domain.liveness import Liveness, Profile
from kiosk.domain.roster import PersonRecord
from kiosk.domain.trouble import FaceTrouble
from kiosk.flow import events as ev
from kiosk.flow.view import Button, Step


def test_who_cannot_turn_the_head_is_asked_for_less_and_an_officer_decides() -> None:
    house = House().to_camera()
    assert Button.GENTLER not in house.view.enabled
    house.handle(tried(0.3, Liveness.FAILED))
    assert house.view.step is Step.TRY_AGAIN
    house.press(Button.GENTLER)
    assert house.asked[-1] == ("camera", Verify(TEMPLATES, Profile.GENTLE, CARD.number))
    house.handle(tried(0.1, profile=Profile.GENTLE))
    assert house.drafts[0].outcome is Outcome.MANUAL_REVIEW


def test_less_is_offered_only_when_a_turn_was_not_seen() -> None:
    house = House().to_camera()
    house.handle(tried(0.7))
    assert house.view.step is Step.TRY_AGAIN and Button.GENTLER not in house.view.enabled
    house.handle(ev.Pressed(Button.GENTLER))
    assert house.view.step is Step.TRY_AGAIN
    house.press(Button.RETRY)
    house.handle(ev.FaceFailed(FaceTrouble.NO_ACTION))
    assert Button.GENTLER in house.view.enabled


def test_once_asked_for_less_it_stays_so_and_is_not_offered_again() -> None:
    house = House().to_camera()
    house.handle(tried(0.3, Liveness.FAILED))
    house.press(Button.GENTLER)
    house.handle(tried(0.3, Liveness.FAILED, Profile.GENTLE))
    assert house.view.step is Step.TRY_AGAIN and Button.GENTLER not in house.view.enabled
    house.press(Button.RETRY)
    assert house.asked[-1] == ("camera", Verify(TEMPLATES, Profile.GENTLE, CARD.number))


def test_a_request_nobody_followed_is_said_again() -> None:
    house = House().to_camera()
    house.handle(ev.Coached(Coach.TURN_LEFT), ev.TurnSeen(0.4))
    assert (house.view.coach, house.view.turned) == (Coach.TURN_LEFT, 0.4)
    house.handle(ev.Coached(Coach.TURN_LEFT))
    assert house.asked.count(("say", "coach.turn_left")) == 2 and house.view.turned == 0.0


def test_the_colours_of_the_screen_end_with_the_next_word() -> None:
    house = House().to_camera()
    plan = FlashPlan(((255, 0, 0), (0, 255, 0)), 0.4)
    house.handle(ev.Coached(Coach.FLASH), ev.FlashWanted(plan))
    assert house.view.flash is plan
    house.handle(ev.Coached(Coach.WORKING))
    assert house.view.flash is None


def test_foreign_or_old_templates_ask_for_new_pictures() -> None:
    house = House().to_camera()
    house.handle(tried(0.30, foreign=2), ev.HandedIn(NOW, RECEIPT), ev.DeliveryKnown(RECEIPT.case_id, True))
    assert house.view.step is Step.RESULT and house.view.enrol_again
    assert KNOWN.entry is not None
    old = tuple(dataclasses.replace(one, taken_on=dt.date(2024, 1, 1)) for one in TEMPLATES)
    house = House().to_camera(PersonRecord(dataclasses.replace(KNOWN.entry, templates=old)))
    house.handle(tried(0.30), ev.HandedIn(NOW, RECEIPT), ev.DeliveryKnown(RECEIPT.case_id, True))
    assert house.view.enrol_again
    assert not House().to_result().view.enrol_again
