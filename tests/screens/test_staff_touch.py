"""What only staff touch: the bar above the start screen, held for a while, and the keypad."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QPointingDevice
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from screen_views import VIEWS

from kiosk.config import UiConfig
from kiosk.flow.events import Erased, StaffWanted, Typed
from kiosk.flow.view import Button
from kiosk.texts import Texts
from kiosk.ui import bars
from kiosk.ui.bars import TopBar
from kiosk.ui.keypad import Key
from kiosk.ui.touch import MissMark
from kiosk.ui.window import KioskWindow

LEFT = Qt.MouseButton.LeftButton
ENTRY = replace(VIEWS["attract"], staff_entry=True)
MakeWindow = Callable[..., KioskWindow]


@pytest.fixture
def touched() -> list[object]:
    return []


@pytest.fixture
def make(app: QApplication, texts: Texts, presses: list[Button], touched: list[object]) -> Iterator[MakeWindow]:
    made: list[KioskWindow] = []

    def window(debounce_s: float = 0) -> KioskWindow:
        config = UiConfig.model_validate({"fullscreen": False, "width": 540, "height": 960, "debounce_s": debounce_s})
        made.append(KioskWindow(texts, config, "1", presses.append, touched.append))
        made[-1].present()
        app.processEvents()
        return made[-1]

    yield window
    for one in made:
        one.allow_close()
        one.close()
        one.deleteLater()
    app.processEvents()


@pytest.fixture
def short_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bars, "HOLD_MS", 60)


def _bar(window: KioskWindow) -> TopBar:
    bar = window.findChild(TopBar)
    assert isinstance(bar, TopBar)
    return bar


def _key(window: KioskWindow, name: str) -> Key:
    key = window.findChild(Key, f"key_{name}")
    assert isinstance(key, Key)
    return key


def test_three_seconds_are_a_long_time_for_a_finger() -> None:
    assert bars.HOLD_MS == 3000


def test_holding_the_bar_calls_staff_in(make: MakeWindow, touched: list[object], short_hold: None, qtbot: QtBot) -> None:
    window = make()
    window.show_view(ENTRY)
    QTest.mousePress(_bar(window), LEFT)
    assert touched == []
    qtbot.waitUntil(lambda: touched == [StaffWanted()])
    QTest.mouseRelease(_bar(window), LEFT)
    qtbot.wait(120)
    assert touched == [StaffWanted()]


def test_a_held_finger_calls_staff_in(
    make: MakeWindow, touched: list[object], short_hold: None, qtbot: QtBot, app: QApplication,
) -> None:
    device: QPointingDevice = QTest.createTouchDevice()
    window = make()
    window.show_view(ENTRY)
    app.processEvents()
    QTest.touchEvent(window.windowHandle(), device).press(0, QPoint(270, 20))
    qtbot.waitUntil(lambda: touched == [StaffWanted()])
    QTest.touchEvent(window.windowHandle(), device).release(0, QPoint(270, 20))


def test_a_short_touch_or_a_finger_that_drifts_away_is_nothing(
    make: MakeWindow, presses: list[Button], touched: list[object], short_hold: None, qtbot: QtBot,
) -> None:
    window = make()
    window.show_view(ENTRY)
    bar = _bar(window)
    QTest.mouseClick(bar, LEFT)
    mark = window.findChild(MissMark)
    assert isinstance(mark, MissMark) and mark.isVisible(), "answered like any touch beside a button"
    QTest.mousePress(bar, LEFT)
    QTest.mouseMove(bar, QPoint(bar.width() // 2, bar.height() + 40))
    qtbot.wait(120)
    QTest.mouseRelease(bar, LEFT)
    assert touched == [] and presses == []


def test_where_staff_cannot_sign_in_holding_is_nothing(
    make: MakeWindow, touched: list[object], short_hold: None, qtbot: QtBot,
) -> None:
    window = make()
    for view in (VIEWS["attract"], VIEWS["greeting-valid"], VIEWS["staff_pin"]):
        window.show_view(view)
        QTest.mousePress(_bar(window), LEFT)
        qtbot.wait(90)
        QTest.mouseRelease(_bar(window), LEFT)
    window.show_view(ENTRY)
    QTest.mousePress(_bar(window), LEFT)
    window.show_view(VIEWS["card"])  # somebody lays a card meanwhile
    qtbot.wait(120)
    assert touched == []


def test_keys_act_at_touch_down_and_twice_as_fast_as_they_are_struck(
    make: MakeWindow, presses: list[Button], touched: list[object], qtbot: QtBot,
) -> None:
    window = make(debounce_s=0.2)
    window.show_view(VIEWS["staff_pin"])
    QTest.mouseClick(_key(window, "1"), LEFT)
    assert touched == [], "right after a screen change nothing is meant"
    qtbot.wait(250)
    for name in "1107":
        QTest.mousePress(_key(window, name), LEFT)
        QTest.mouseRelease(_key(window, name), LEFT)
    QTest.mouseClick(_key(window, "erase"), LEFT)
    assert touched == [Typed("1"), Typed("1"), Typed("0"), Typed("7"), Erased()] and presses == []


@pytest.mark.parametrize("name", ["staff_pin-checking", "staff_pin-locked", "join-asking"])
def test_a_closed_keypad_stays_silent(name: str, make: MakeWindow, touched: list[object], qtbot: QtBot) -> None:
    window = make()
    window.show_view(VIEWS[name])
    keys = [key for key in window.findChildren(Key) if key.isVisible()]
    assert len(keys) == 11 and not any(key.isEnabled() for key in keys)
    for key in keys:
        QTest.mouseClick(key, LEFT)
    qtbot.wait(20)
    assert touched == []


def test_steps_of_one_class_share_one_screen(make: MakeWindow) -> None:
    window = make()
    window.show_view(VIEWS["enrol_camera"])
    assert window.camera.isVisible(), "there is one camera view, wherever a person looks into it"


def test_words_of_the_person_are_gone_afterwards(make: MakeWindow) -> None:
    from PySide6.QtWidgets import QLabel

    window = make()
    for name in ("enrol_person-longest", "enrol_check-longest"):
        window.show_view(VIEWS[name])
        assert "阿" in "".join(label.text() for label in window.findChildren(QLabel))
        window.show_view(VIEWS["attract"])
        assert "阿" not in "".join(label.text() for label in window.findChildren(QLabel))
