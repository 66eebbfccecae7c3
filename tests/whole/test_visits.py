"""Visits beyond the day: the office's decision comes back, and a person's choices hold."""

from __future__ import annotations

import pytest
from officer import Officer
from visits import TRY_S, Enter, delivered, to_camera, to_result

from kiosk.demo.estate import Estate
from kiosk.domain.case import Standing
from kiosk.flow.view import Button, Step

pytestmark = pytest.mark.timeout(180)


@pytest.mark.parametrize("verdict", ["reject", "accept"])
def test_the_officers_word_is_shown_at_the_next_visit(town: Estate, enter: Enter, verdict: str) -> None:
    finger = enter()
    view = to_result(town, finger)
    delivered(town, finger)
    with Officer(town) as officer:
        reason = officer.decide(view.case_number, verdict)
    finger.press(Button.DONE)
    town.lift_card()
    finger.wait_for(Step.ATTRACT)
    finger.pause(7)  # the next pull
    town.lay_card()
    shown = finger.wait_for(Step.GREETING)
    assert shown.decision is not None and shown.decision.case_number == view.case_number
    assert shown.decision.accepted is (verdict == "accept")
    if verdict == "accept":
        assert shown.due is not None and shown.due.confirmed_by_office and shown.due.date > shown.decision.decided_on
    else:
        assert reason and shown.decision.reason
    finger.picture(f"decision-{verdict}")


def test_declining_costs_nothing_and_leads_to_a_person(town: Estate, enter: Enter) -> None:
    finger = enter()
    before = len(town.office_cases())
    town.lay_card()
    finger.wait_for(Step.GREETING)
    finger.press(Button.CONTINUE)
    finger.wait_for(Step.CONSENT)
    finger.press(Button.DECLINE)
    finger.wait_for(Step.DECLINED)
    finger.press(Button.DONE)
    finger.wait_for(Step.TAKE_CARD)
    town.lift_card()
    finger.wait_for(Step.ATTRACT)
    assert len(town.office_cases()) == before


def test_without_the_second_consent_no_photo_leaves_and_a_stranger_is_asked_first(town: Estate, enter: Enter) -> None:
    finger = enter(certification__attempts_per_session="1")
    to_camera(town, finger, "stranger", send_photo=False)
    view = finger.wait_for(Step.ASK_REVIEW, TRY_S)
    assert view.trouble == "trouble.not_matched"
    finger.press(Button.END)
    finger.wait_for(Step.ENDED)


def test_a_card_left_behind_does_not_open_the_next_visit(town: Estate, enter: Enter) -> None:
    finger = enter()
    town.lay_card()
    finger.wait_for(Step.GREETING)
    finger.press(Button.END)
    finger.wait_for(Step.ENDED)
    finger.wait_for(Step.ATTRACT, 60)
    finger.pause(4)
    assert finger.view.step is Step.ATTRACT
    finger.press(Button.START)
    view = finger.wait(lambda view: bool(view.trouble), 10, "the request to lay it again")
    assert view.step is Step.CARD
    town.lift_card()
    finger.pause(2)
    town.lay_card()
    finger.wait_for(Step.GREETING)


def test_who_cannot_turn_the_head_blinks_and_an_officer_decides(town: Estate, enter: Enter) -> None:
    finger = enter(face__liveness__retries="0", face__liveness__action_s="5")
    to_camera(town, finger, person="stiff")
    shown = finger.wait_for(Step.TRY_AGAIN, TRY_S)
    assert Button.GENTLER in shown.enabled and shown.trouble == "trouble.no_action"
    finger.picture("gentler")
    finger.press(Button.GENTLER)
    view = finger.wait_for(Step.RESULT, TRY_S)
    assert view.standing is Standing.RECEIVED
    finger.wait(lambda view: view.slip is not None, 60, "the slip")
    delivered(town, finger)
    with Officer(town) as officer:
        page = officer.page(view.case_number).text
    assert "眨眼" in page
