"""Parts of a visit that many tests share."""

from __future__ import annotations

from collections.abc import Callable

from kiosk.demo.estate import Estate
from kiosk.demo.finger import Finger
from kiosk.flow.view import Button, Step, View

TRY_S = 60.0
Enter = Callable[..., Finger]
"""Starts the terminal with changed settings, e.g. enter(ui__idle_s="3")."""


def to_camera(town: Estate, finger: Finger, person: str = "cardholder", send_photo: bool = True) -> None:
    town.stand(person)
    town.lay_card()
    finger.wait_for(Step.GREETING)
    agree(finger, send_photo)


def agree(finger: Finger, send_photo: bool = True) -> None:
    """From the greeting to the camera."""
    finger.press(Button.CONTINUE)
    finger.wait_for(Step.CONSENT)
    finger.press(Button.TICK_MATCH)
    if send_photo:
        finger.press(Button.TICK_SEND_PHOTO)
    finger.press(Button.AGREE)
    finger.wait_for(Step.CAMERA)


def to_result(town: Estate, finger: Finger) -> View:
    to_camera(town, finger)
    finger.wait_for(Step.RESULT, TRY_S)
    return finger.wait(lambda view: view.slip is not None, 60, "the slip")


def delivered(town: Estate, finger: Finger) -> None:
    """Waits until nothing is unsent."""
    for _ in range(60):
        if town.sync_status()["unsent"] == 0:
            return
        finger.pause(0.5)
    raise AssertionError("still unsent after 30 s")
