"""Named timers on the event loop."""

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from kiosk.flow.events import TimeUp
from kiosk.ui.qt_timers import QtTimers


@pytest.fixture
def fired() -> list[TimeUp]:
    return []


@pytest.fixture
def timers(app: QApplication, fired: list[TimeUp]) -> QtTimers:
    return QtTimers(fired.append)


def test_each_name_answers_once(timers: QtTimers, fired: list[TimeUp], qtbot: QtBot) -> None:
    timers.start("idle", 0.02)
    timers.start("leave", 0.01)
    qtbot.waitUntil(lambda: len(fired) == 2)
    qtbot.wait(60)
    assert fired == [TimeUp("leave"), TimeUp("idle")]


def test_a_cancelled_timer_is_silent(timers: QtTimers, fired: list[TimeUp], qtbot: QtBot) -> None:
    timers.start("idle", 0.02)
    timers.cancel("idle")
    timers.cancel("never started")
    qtbot.wait(60)
    assert fired == []


def test_a_restart_begins_anew(timers: QtTimers, fired: list[TimeUp], qtbot: QtBot) -> None:
    timers.start("idle", 0.02)
    timers.start("idle", 60)
    qtbot.wait(60)
    assert fired == []
    timers.start("idle", 0)
    qtbot.waitUntil(lambda: fired == [TimeUp("idle")])


def test_a_timer_may_start_itself_from_its_answer(app: QApplication, qtbot: QtBot) -> None:
    ticks: list[str] = []

    def answer(event: TimeUp) -> None:
        ticks.append(event.timer)
        if len(ticks) < 3:
            again.start(event.timer, 0.01)

    again = QtTimers(answer)
    again.start("tick", 0.01)
    qtbot.waitUntil(lambda: len(ticks) == 3)
