"""生物特征采集 from the long press of staff to the templates a terminal compares with afterwards."""

from __future__ import annotations

import pytest
from officer import Officer
from sqlalchemy import Engine
from visits import TRY_S, Enter, delivered, to_camera

from kiosk.config import load_config
from kiosk.demo.estate import Estate
from kiosk.demo.finger import Finger
from kiosk.demo.people import CARDHOLDER, STAFF_PIN
from kiosk.domain.roster import FaceTemplate, TemplateSource
from kiosk.flow.view import Button, Step
from kiosk.store.opening import open_store
from kiosk.store.roster import Roster

pytestmark = pytest.mark.timeout(240)


def to_check(town: Estate, finger: Finger) -> None:
    """Staff sign in, the person lays the card, agrees and is filmed."""
    finger.sign_in(STAFF_PIN)
    finger.wait_for(Step.STAFF_MENU)
    finger.press(Button.ENROL)
    finger.wait_for(Step.ENROL_CARD)
    town.lay_card()
    finger.wait_for(Step.ENROL_PERSON)
    finger.press(Button.CONTINUE)
    finger.wait_for(Step.ENROL_CONSENT)
    finger.press(Button.TICK_ENROL)
    finger.press(Button.TICK_SEND_PHOTO)
    finger.press(Button.AGREE)
    finger.wait_for(Step.ENROL_CAMERA)
    finger.wait_for(Step.ENROL_CHECK, 2 * TRY_S)


def test_enrolled_at_the_terminal_accepted_at_the_desk_compared_with_at_the_next_visit(town: Estate, enter: Enter) -> None:
    finger = enter()
    to_check(town, finger)
    told = finger.view.captured
    assert told is not None and told.captures == 3 and told.consistent and not told.lookalikes
    finger.picture("enrol-check")
    finger.press(Button.SUBMIT)
    finger.wait_for(Step.ENROL_RESULT)
    finger.wait(lambda view: view.slip is not None, 60, "the slip")
    number = finger.view.case_number
    finger.picture("enrol-result")
    delivered(town, finger)
    before = templates(town)
    assert before and all(one.source is TemplateSource.PORTRAIT for one in before), "nothing counts before it is accepted"

    with Officer(town) as officer:
        page = officer.page(number, "faceenrolment").text
        assert "demo" in page, "who attended"
        officer.decide(number, "accept", "faceenrolment", retire="on")
    finger.press(Button.DONE)
    town.lift_card()
    finger.wait_for(Step.ATTRACT)
    for _ in range(60):
        finger.pause(0.5)
        if templates(town) != before:
            break
    after = templates(town)
    assert len(after) == 3 and all(one.source is TemplateSource.ENROLLED and one.taken_on for one in after)

    to_camera(town, finger)
    view = finger.wait_for(Step.RESULT, TRY_S)
    assert not view.enrol_again
    finger.wait(lambda view: view.slip is not None, 60, "the slip")
    with Officer(town) as officer:
        delivered(town, finger)
        assert "比对通过" in officer.page(view.case_number).text


def test_a_wrong_pin_opens_nothing(town: Estate, enter: Enter) -> None:
    finger = enter()
    finger.sign_in("1357")
    finger.wait(lambda view: bool(view.trouble), 15, "a calm sentence")
    assert finger.view.step is Step.STAFF_PIN
    finger.press(Button.END if Button.END in finger.view.enabled else Button.BACK)
    finger.wait_for(Step.ATTRACT)


def templates(town: Estate) -> tuple[FaceTemplate, ...]:
    """As the terminal has them of the cardholder now."""
    engine: Engine = open_store(load_config(town.config))
    try:
        return next((one.templates for one in Roster(engine).people() if one.number == CARDHOLDER.number), ())
    finally:
        engine.dispose()
