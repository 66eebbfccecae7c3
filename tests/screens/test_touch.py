"""Fingers on the glass: every press acts once, at touch-down, wherever the finger goes afterwards."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QPointingDevice
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from screen_views import VIEWS

from kiosk.flow.view import Button, View
from kiosk.ui.touch import MissMark
from kiosk.ui.widgets import BigButton, TickTile
from kiosk.ui.window import KioskWindow

MakeWindow = Callable[..., KioskWindow]


@pytest.fixture(scope="session")
def finger() -> QPointingDevice:
    return QTest.createTouchDevice()


def _button(window: KioskWindow, button: Button) -> BigButton:
    return next(each for each in window.findChildren(BigButton) if each.button is button and each.isVisible())


def _shown(window: KioskWindow, view: View, app: QApplication) -> KioskWindow:
    window.show_view(view)
    app.processEvents()
    return window


def _middle(window: KioskWindow, widget: BigButton) -> QPoint:
    return widget.mapTo(window, widget.rect().center())


def test_a_press_acts_while_the_finger_is_still_down(
    make_window: MakeWindow, presses: list[Button], app: QApplication, finger: QPointingDevice, qtbot: QtBot
) -> None:
    window = _shown(make_window(debounce_s=0), VIEWS["attract"], app)
    place = _middle(window, _button(window, Button.START))
    QTest.touchEvent(window.windowHandle(), finger).press(0, place)
    qtbot.waitUntil(lambda: presses == [Button.START])
    QTest.touchEvent(window.windowHandle(), finger).release(0, place)
    qtbot.wait(150)
    assert presses == [Button.START]


def test_drift_off_the_button_keeps_the_press(
    make_window: MakeWindow, presses: list[Button], app: QApplication, finger: QPointingDevice, qtbot: QtBot
) -> None:
    window = _shown(make_window(debounce_s=0), VIEWS["attract"], app)
    start, explain = (_middle(window, _button(window, each)) for each in (Button.START, Button.EXPLAIN))
    QTest.touchEvent(window.windowHandle(), finger).press(0, start)
    QTest.touchEvent(window.windowHandle(), finger).move(0, explain)
    QTest.touchEvent(window.windowHandle(), finger).release(0, explain)
    qtbot.waitUntil(lambda: bool(presses))
    qtbot.wait(150)
    assert presses == [Button.START]


def test_a_second_finger_does_not_press_twice(
    make_window: MakeWindow, presses: list[Button], app: QApplication, finger: QPointingDevice, qtbot: QtBot
) -> None:
    window = _shown(make_window(debounce_s=0), VIEWS["attract"], app)
    place = _middle(window, _button(window, Button.START))
    QTest.touchEvent(window.windowHandle(), finger).press(0, place).press(1, place + QPoint(20, 0))
    QTest.touchEvent(window.windowHandle(), finger).release(0, place).release(1, place + QPoint(20, 0))
    qtbot.waitUntil(lambda: bool(presses))
    qtbot.wait(150)
    assert presses == [Button.START]


def test_a_double_press_counts_once(
    make_window: MakeWindow, presses: list[Button], app: QApplication, qtbot: QtBot
) -> None:
    window = _shown(make_window(debounce_s=0.3), VIEWS["consent"], app)
    qtbot.wait(350)  # the time after a screen change
    tile = _button(window, Button.TICK_MATCH)
    QTest.mouseClick(tile, Qt.MouseButton.LeftButton)
    QTest.mouseDClick(tile, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(presses))
    QTest.mouseClick(tile, Qt.MouseButton.LeftButton)  # a trembling finger
    qtbot.wait(350)
    assert presses == [Button.TICK_MATCH]
    QTest.mouseClick(tile, Qt.MouseButton.LeftButton)  # later it is meant again
    qtbot.waitUntil(lambda: presses == [Button.TICK_MATCH] * 2)


def test_a_press_right_after_a_screen_change_is_not_meant(
    make_window: MakeWindow, presses: list[Button], app: QApplication, qtbot: QtBot
) -> None:
    window = _shown(make_window(debounce_s=0.3), VIEWS["greeting-valid"], app)
    QTest.mouseClick(_button(window, Button.CONTINUE), Qt.MouseButton.LeftButton)
    qtbot.wait(350)
    assert presses == []
    QTest.mouseClick(_button(window, Button.CONTINUE), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: presses == [Button.CONTINUE])


def test_a_new_state_of_the_same_screen_does_not_swallow_presses(
    make_window: MakeWindow, presses: list[Button], app: QApplication, qtbot: QtBot
) -> None:
    window = _shown(make_window(debounce_s=0.3), VIEWS["camera-too_far"], app)
    qtbot.wait(350)
    window.show_view(VIEWS["camera-hold_still"])
    QTest.mouseClick(_button(window, Button.END), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: presses == [Button.END])


def test_a_press_meant_for_a_screen_that_is_gone_is_dropped(
    make_window: MakeWindow, presses: list[Button], app: QApplication, qtbot: QtBot
) -> None:
    window = _shown(make_window(debounce_s=0), VIEWS["camera"], app)
    end = _button(window, Button.END)
    QTest.mousePress(end, Qt.MouseButton.LeftButton)
    window.show_view(VIEWS["try_again-timeout"])  # before the pressed look is over
    QTest.mouseRelease(end, Qt.MouseButton.LeftButton)
    qtbot.wait(150)
    assert presses == []


def test_the_pressed_look_is_seen_before_the_press_is_reported(
    make_window: MakeWindow, presses: list[Button], app: QApplication
) -> None:
    window = _shown(make_window(debounce_s=0), VIEWS["attract"], app)
    start = _button(window, Button.START)
    QTest.mousePress(start, Qt.MouseButton.LeftButton)
    assert start.isDown() and presses == []
    QTest.mouseRelease(start, Qt.MouseButton.LeftButton)


def test_a_disabled_button_stays_silent(
    make_window: MakeWindow, presses: list[Button], app: QApplication, qtbot: QtBot
) -> None:
    window = _shown(make_window(debounce_s=0), VIEWS["consent"], app)
    agree = _button(window, Button.AGREE)
    assert not agree.isEnabled()
    QTest.mouseClick(agree, Qt.MouseButton.LeftButton)
    qtbot.wait(150)
    assert presses == []


def test_a_tick_is_set_by_the_view_alone(
    make_window: MakeWindow, presses: list[Button], app: QApplication, qtbot: QtBot
) -> None:
    window = _shown(make_window(debounce_s=0), VIEWS["consent"], app)
    tiles = [each for each in window.findChildren(TickTile) if each.isVisible()]
    assert [tile.isChecked() for tile in tiles] == [False, False]  # never ticked beforehand
    QTest.mouseClick(tiles[0], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: presses == [Button.TICK_MATCH])
    assert not tiles[0].isChecked()
    window.show_view(VIEWS["consent-match"])
    assert [tile.isChecked() for tile in tiles] == [True, False]


def test_a_touch_beside_every_button_is_answered(
    make_window: MakeWindow, presses: list[Button], app: QApplication, qtbot: QtBot
) -> None:
    window = _shown(make_window(debounce_s=0), VIEWS["attract"], app)
    mark = window.findChild(MissMark)
    assert isinstance(mark, MissMark) and not mark.isVisible()
    QTest.mouseClick(window, Qt.MouseButton.LeftButton, pos=QPoint(10, 300))
    assert mark.isVisible() and mark.geometry().contains(QPoint(10, 300))
    qtbot.waitUntil(lambda: not mark.isVisible())
    assert presses == []


def test_the_next_visit_to_a_screen_finds_no_button_held_down(
    make_window: MakeWindow, app: QApplication
) -> None:
    window = _shown(make_window(debounce_s=0), VIEWS["attract"], app)
    start = _button(window, Button.START)
    QTest.mousePress(start, Qt.MouseButton.LeftButton)
    window.show_view(VIEWS["card"])
    window.show_view(VIEWS["attract"])
    assert not start.isDown()


def test_help_over_the_camera_hides_the_face(make_window: MakeWindow, app: QApplication) -> None:
    view = replace(VIEWS["camera"], enabled=frozenset({Button.CLOSE_HELP}), help_open=True)
    window = _shown(make_window(), VIEWS["camera"], app)
    assert window.camera.isVisible()
    window.show_view(view)
    assert not window.camera.isVisible()
