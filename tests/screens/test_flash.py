"""The colours of the screen: in their order, over everything, and gone by themselves."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from kiosk.domain.coaching import FlashPlan
from kiosk.ui.flash import FlashCover

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def covered(qtbot: QtBot) -> tuple[QWidget, FlashCover]:
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(300, 400)
    cover = FlashCover(window)
    window.show()
    return window, cover


def test_every_colour_is_shown_in_its_turn(qtbot: QtBot) -> None:
    window, cover = covered(qtbot)
    seen: list[tuple[int, int, int]] = []
    cover.show_plan(FlashPlan((RED, GREEN, BLUE, RED), 0.05))

    def watch() -> bool:
        if cover.colour and (not seen or seen[-1] != cover.colour):
            colour = window.grab().toImage().pixelColor(150, 200)
            seen.append(cover.colour)
            assert (colour.red(), colour.green(), colour.blue()) == cover.colour
        return cover.colour is None

    qtbot.waitUntil(watch, timeout=5000)
    assert seen == [RED, GREEN, BLUE, RED] and cover.isHidden()


def test_the_same_plan_does_not_begin_again_and_none_ends_it(qtbot: QtBot) -> None:
    _, cover = covered(qtbot)
    plan = FlashPlan((RED, GREEN), 0.3)
    cover.show_plan(plan)
    qtbot.waitUntil(lambda: cover.colour == GREEN, timeout=3000)
    cover.show_plan(plan)
    assert cover.colour == GREEN
    cover.show_plan(None)
    assert cover.colour is None and cover.isHidden()
