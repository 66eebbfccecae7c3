"""Visits beyond the day: the office's decision comes back, and a person's choices hold."""

from __future__ import annotations

import re

import httpx
import pytest
from visits import TRY_S, Enter, delivered, to_camera, to_result

from kiosk.demo.estate import DESK_PASSWORD, DESK_USER, Estate
from kiosk.flow.view import Button, Step

pytestmark = pytest.mark.timeout(180)


class Officer:
    """At the desk as with a browser: real pages, real forms."""

    def __init__(self, town: Estate) -> None:
        self._client = httpx.Client(base_url=town.desk_url, follow_redirects=True, timeout=20)
        page = self._client.get("desk/login/")
        self._post("desk/login/", page.text, username=DESK_USER, password=DESK_PASSWORD)

    def __enter__(self) -> Officer:
        return self

    def __exit__(self, *exc: object) -> None:
        self._client.close()

    def decide(self, case_number: str, verdict: str) -> str:
        """`accept` or `reject`; returns the reason given."""
        listing = self._client.get("desk/office/case/", params={"q": case_number}).text
        link = re.search(r'href="([^"]*/case/[0-9a-f-]{36}/change/[^"]*)"', listing)
        assert link, "the case is not in the officer's list"
        page = self._client.get(link[1])
        action = re.search(r'<form[^>]*action="([^"]*decide/)"', page.text)
        version = re.search(r'name="version"[^>]*value="(\d+)"', page.text)
        reasons = re.findall(r'<option value="([^"]+)"', page.text)
        assert action and version and reasons
        reason = reasons[0] if verdict == "reject" else ""
        answer = self._post(action[1], page.text, version=version[1], verdict=verdict, reason=reason)
        assert answer.status_code == 200, answer.text
        return reason

    def _post(self, address: str, page: str, **fields: str) -> httpx.Response:
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert token
        return self._client.post(address, data={**fields, "csrfmiddlewaretoken": token[1]})


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
