"""The window as a shell: nothing closes it, no key means anything, nothing of a person stays behind."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot
from screen_views import CASE_NUMBER, VIEWS

from kiosk.config import UiConfig
from kiosk.flow.view import Button
from kiosk.texts import TextError, Texts
from kiosk.ui.window import KioskWindow

MakeWindow = Callable[..., KioskWindow]


def test_full_screen_refuses_to_close_until_it_is_allowed(make_window: MakeWindow) -> None:
    window = make_window(fullscreen=True)
    assert not window.close()
    assert window.isVisible()
    window.allow_close()
    assert window.close()


def test_full_screen_has_no_frame_and_no_pointer(make_window: MakeWindow) -> None:
    window = make_window(fullscreen=True)
    assert window.isFullScreen()
    assert window.windowFlags() & Qt.WindowType.FramelessWindowHint
    assert window.cursor().shape() is Qt.CursorShape.BlankCursor


def test_a_minimised_window_comes_back(make_window: MakeWindow, qtbot: QtBot) -> None:
    window = make_window(fullscreen=True)
    window.showMinimized()
    qtbot.waitUntil(lambda: window.isFullScreen() and not window.isMinimized())


def test_a_window_on_a_desk_closes(make_window: MakeWindow) -> None:
    assert make_window(fullscreen=False).close()


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Space, Qt.Key.Key_Escape, Qt.Key.Key_F4, Qt.Key.Key_Tab])
def test_keys_mean_nothing(
    key: Qt.Key, make_window: MakeWindow, presses: list[Button], app: QApplication, qtbot: QtBot
) -> None:
    window = make_window(debounce_s=0)
    window.show_view(VIEWS["attract"])
    QTest.keyClick(window, key)
    QTest.keyClick(window, key, Qt.KeyboardModifier.AltModifier)
    qtbot.wait(120)
    assert presses == [] and window.isVisible() and window.focusWidget() is None


@pytest.mark.parametrize("name", ["greeting-longest", "result-review"])
def test_nothing_of_the_person_stays_on_a_screen_that_is_left(name: str, make_window: MakeWindow) -> None:
    window = make_window()
    window.show_view(VIEWS[name])
    assert CASE_NUMBER in _all_words(window)
    window.show_view(VIEWS["attract"])
    words = _all_words(window)
    assert CASE_NUMBER not in words and "阿*" not in words and "2027" not in words


def test_words_come_back_after_help_was_open(make_window: MakeWindow) -> None:
    window = make_window()
    window.show_view(VIEWS["result-review"])
    window.show_view(VIEWS["help"])
    window.show_view(VIEWS["result-review"])
    assert CASE_NUMBER in _all_words(window)


def test_an_unknown_cause_for_staff_is_shown_as_its_code(make_window: MakeWindow) -> None:
    from dataclasses import replace

    window = make_window()
    window.show_view(replace(VIEWS["out_of_service"], staff_note="staff.idcard.never_seen"))
    assert "staff.idcard.never_seen" in _all_words(window)


def test_a_catalogue_with_a_gap_is_a_fault_at_start(app: QApplication, texts: Texts) -> None:
    poor = Texts({key: value for key, value in texts.sentences.items() if key != "coach.blink"})
    with pytest.raises(TextError, match=r"coach\.blink"):
        KioskWindow(poor, UiConfig(), "1", lambda button: None)


def _all_words(window: KioskWindow) -> str:
    return "\n".join(label.text() for label in window.findChildren(QLabel))
