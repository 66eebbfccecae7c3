"""Every screen in every state, portrait and landscape, with the longest data, judged on its pixels."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QRect, QSize
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QWidget
from screen_audit import AIM, FLOOR, audit
from screen_views import CASE_NUMBER, VIEWS, camera_frame

from kiosk.flow.view import Button, Step
from kiosk.ui.camera_view import CameraView
from kiosk.ui.widgets import BigButton
from kiosk.ui.window import KioskWindow

SIZES = {"portrait": (1080, 1920), "landscape": (1920, 1080)}


def _settle(app: QApplication) -> None:
    """Nested layouts pass a new height on step by step; the camera picture arrives by a queued signal."""
    for _ in range(3):
        app.processEvents()


@pytest.mark.parametrize("orientation", SIZES)
def test_every_screen_meets_the_aim(
    orientation: str, make_window: Callable[..., KioskWindow], app: QApplication, gallery: Path | None
) -> None:
    window = make_window(*SIZES[orientation])
    found = []
    for name, view in VIEWS.items():
        window.show_view(view)
        window.camera.set_frame(camera_frame())
        _settle(app)
        assert window.size() == QSize(*SIZES[orientation]), name
        found += [(name, finding) for finding in audit(window, AIM)]
        if gallery is not None:
            window.grab().save(str(gallery / f"{name}-{orientation}.png"))
    assert not found, "\n".join(map(str, found))


@pytest.mark.parametrize("orientation", SIZES)
def test_the_pressed_look_can_be_read_too(
    orientation: str, make_window: Callable[..., KioskWindow], app: QApplication
) -> None:
    window = make_window(*SIZES[orientation])
    for name, view in VIEWS.items():
        window.show_view(view)
        _settle(app)
        for button in window.findChildren(BigButton):
            button.setDown(button.isVisible() and button.isEnabled())
        app.processEvents()
        found = [finding for finding in audit(window, AIM) if finding.rule == "contrast"]
        for button in window.findChildren(BigButton):
            button.setDown(False)
        assert not found, (name, found)


def test_every_step_has_a_view() -> None:
    assert {view.step for view in VIEWS.values()} == set(Step)


def test_a_human_can_be_reached_from_every_screen(make_window: Callable[..., KioskWindow]) -> None:
    """Help with its number everywhere; while it cannot be pressed, the number still stands there."""
    window = make_window()
    for name, view in VIEWS.items():
        window.show_view(view)
        texts = [label.text() for label in window.findChildren(QLabel) if label.isVisible()]
        button = window.findChild(QPushButton, Button.HELP.value)
        assert isinstance(button, QPushButton)
        assert button.isVisible() == button.isEnabled() == (Button.HELP in view.enabled), name
        assert button.isVisible() or any("65731387" in text for text in texts), name


def test_what_may_be_pressed_is_exactly_what_the_view_enables(make_window: Callable[..., KioskWindow]) -> None:
    window = make_window()
    for name, view in VIEWS.items():
        window.show_view(view)
        shown = {button.button for button in window.findChildren(BigButton) if button.isVisible() and button.isEnabled()}
        assert shown == view.enabled, name


def test_the_case_number_stands_in_one_line(make_window: Callable[..., KioskWindow]) -> None:
    window = make_window(*SIZES["landscape"])
    window.show_view(VIEWS["result-review"])
    number = next(label for label in window.findChildren(QLabel) if label.text() == CASE_NUMBER)
    assert number.height() < 2 * number.fontMetrics().height()


@pytest.mark.parametrize("size", [(540, 960), (960, 540), (480, 854), (1200, 1920), (768, 1366)])
def test_other_window_sizes_cut_nothing(
    size: tuple[int, int], make_window: Callable[..., KioskWindow], app: QApplication
) -> None:
    window = make_window(*size)
    for name, view in VIEWS.items():
        window.show_view(view)
        _settle(app)
        assert window.size() == QSize(*size)
        faults = [each for each in audit(window, FLOOR) if each.rule in ("off screen", "overlap", "cut text")]
        assert not faults, (name, faults)


def test_the_audit_finds_every_kind_of_fault(app: QApplication) -> None:
    bad = QWidget()
    bad.resize(600, 800)
    bad.setStyleSheet("QWidget { background: white; color: #1A1A1A; } QLabel, QPushButton { font-size: 44px; }")

    def place(widget: QLabel | QPushButton, name: str, x: int, y: int, width: int, height: int, style: str = "") -> None:
        widget.setParent(bad)
        widget.setObjectName(name)
        widget.setStyleSheet(style)
        widget.setGeometry(x, y, width, height)

    place(QLabel("弱"), "weak", 0, 0, 100, 100, "color: #9A9A9A")
    place(QLabel("小字"), "small", 150, 0, 200, 80, "font-size: 30px")
    place(QLabel("😀"), "emoji", 350, 0, 100, 100)
    place(QLabel("这一句话太长了放不下"), "cut", 0, 110, 200, 60)
    place(QLabel("出去了"), "outside", 500, 110, 200, 80)
    place(QLabel("上"), "upper", 0, 600, 100, 80)
    place(QLabel("下"), "lower", 0, 660, 100, 80)
    place(QPushButton("矮"), "low", 0, 200, 200, 70)
    for index, name in enumerate(("left", "right")):
        button = QPushButton("近")
        button.setAccessibleName("同名")
        place(button, name, index * 130, 400, 120, 120)
    camera = CameraView()
    camera.setParent(bad)
    camera.setGeometry(QRect(400, 560, 200, 200))
    place(QLabel("盖住"), "covering", 420, 600, 150, 80)
    bad.show()
    app.processEvents()
    found = {(finding.rule, finding.who) for finding in audit(bad, FLOOR)}
    bad.close()
    assert found >= {
        ("contrast", "weak"), ("font", "small"), ("cut text", "cut"), ("off screen", "outside"), ("overlap", "upper"),
        ("target", "low"), ("gap", "left"), ("name", "low"), ("name", "同名"), ("text on camera", "covering"),
    }
    assert ("tofu", "emoji") in found or ("foreign font", "emoji") in found
