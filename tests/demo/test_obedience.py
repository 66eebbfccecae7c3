"""The demo's person does what the screen asks, once, and never makes the screen wait."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest

from kiosk.demo.obedience import Obedience
from kiosk.domain.coaching import Coach
from kiosk.flow.view import Step, View

BLANK = View(Step.CAMERA, frozenset())


def asks(coach: Coach | None) -> View:
    return replace(BLANK, coach=coach)


def eventually(heard: list[str], count: int) -> list[str]:
    deadline = time.monotonic() + 10
    while len(heard) < count and time.monotonic() < deadline:
        time.sleep(0.005)
    return heard


def test_each_new_request_is_acted_on_once() -> None:
    heard: list[str] = []
    person = Obedience(heard.append)
    for view in (None, BLANK, asks(Coach.BLINK), asks(Coach.BLINK), asks(Coach.TURN_LEFT), asks(Coach.BLINK), BLANK,
                 asks(Coach.BLINK), None, None):
        person.look(view)
    assert eventually(heard, 4) == ["blink", "turn_left", "blink", "blink"]


def test_the_screen_does_not_wait_for_the_person() -> None:
    free, heard = threading.Event(), []

    def slowly(request: str) -> None:
        free.wait(10)
        heard.append(request)

    person = Obedience(slowly)
    person.look(asks(Coach.BLINK))
    person.look(asks(Coach.TURN_LEFT))
    assert not heard
    free.set()
    assert eventually(heard, 2) == ["blink", "turn_left"]


def test_a_camera_that_cannot_be_reached_is_told() -> None:
    failed = threading.Event()

    def fail(request: str) -> None:
        failed.set()
        raise OSError("gone")

    person = Obedience(fail)
    person.look(asks(Coach.BLINK))
    assert failed.wait(10)
    time.sleep(0.05)
    with pytest.raises(OSError, match="gone"):
        person.look(BLANK)
