"""The social security card at the whole terminal: it may stand in for the identity card, or lead to it."""

from __future__ import annotations

import pytest
from visits import TRY_S, Enter, agree

from kiosk.demo.estate import Estate
from kiosk.demo.finger import Finger
from kiosk.demo.people import cardholders_social_card
from kiosk.devices.emulated.socialcard import ScriptedCard, third_generation, upside_down
from kiosk.flow.view import Step

pytestmark = pytest.mark.timeout(180)


def test_a_card_that_tells_its_holder_is_enough(town: Estate, enter: Enter) -> None:
    finger = enter()
    assert _put_in(town, finger, ScriptedCard(cardholders_social_card()))
    view = finger.wait_for(Step.GREETING, 20)
    assert view.masked_name == "赵*兰"
    agree(finger)
    finger.wait_for(Step.RESULT, TRY_S)
    assert town.socialcard.take()
    finger.wait(lambda view: not view.card_on_reader, 10, "the card to be taken")


def test_a_card_that_does_not_tell_leads_to_the_identity_card(town: Estate, enter: Enter) -> None:
    finger = enter()
    assert _put_in(town, finger, ScriptedCard(third_generation()))
    view = finger.wait(lambda view: bool(view.trouble), 20, "a sentence")
    assert view.step is Step.CARD and view.trouble == "trouble.lay_id_card"
    town.lay_card()
    assert finger.wait_for(Step.GREETING, 20).masked_name == "赵*兰"
    town.socialcard.take()


def test_a_card_put_in_the_wrong_way_round_is_never_met_with_silence(town: Estate, enter: Enter) -> None:
    finger = enter()
    assert _put_in(town, finger, ScriptedCard(upside_down(third_generation())))
    view = finger.wait(lambda view: bool(view.trouble), 30, "a sentence")
    assert view.trouble == "trouble.no_contact"
    assert _take_out(town, finger)
    finger.wait(lambda view: not view.card_on_reader, 20, "the card to be taken")
    assert _put_in(town, finger, ScriptedCard(cardholders_social_card()))
    finger.wait_for(Step.GREETING, 20)
    town.socialcard.take()


def _put_in(town: Estate, finger: Finger, card: ScriptedCard) -> bool:
    """As soon as the reader has opened its entry."""
    for _ in range(200):
        if town.socialcard.insert(card):
            return True
        finger.pause(0.05)
    return False


def _take_out(town: Estate, finger: Finger) -> bool:
    """As soon as the reader has brought it to its slot."""
    for _ in range(200):
        if town.socialcard.take():
            return True
        finger.pause(0.05)
    return False
