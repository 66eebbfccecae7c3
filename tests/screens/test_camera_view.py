"""The mirror: newest frame only, mirrored, from another thread, and nothing left of it afterwards."""

import threading
from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from kiosk.ui.camera_view import CameraView, Frame


@pytest.fixture
def view(app: QApplication) -> Iterator[CameraView]:
    made = CameraView()
    made.resize(400, 300)
    made.show()
    app.processEvents()
    made.open()
    yield made
    made.close()


def _frame(left: int, right: int) -> Frame:
    frame = np.zeros((720, 1280, 3), np.uint8)
    frame[:, :640] = left
    frame[:, 640:] = right
    return frame


def _grey(view: CameraView, x: float) -> int:
    """Brightness at a share of the width, in the middle of the height (inside the oval, free of its veil)."""
    return view.grab().toImage().pixelColor(round(view.width() * x), view.height() // 2).red()


def test_the_picture_is_a_mirror(view: CameraView, app: QApplication) -> None:
    view.set_frame(_frame(left=40, right=220))
    app.processEvents()
    assert _grey(view, 0.45) == 220 and _grey(view, 0.55) == 40


def test_only_the_newest_frame_of_a_burst_is_shown(view: CameraView, app: QApplication) -> None:
    def burst() -> None:
        for value in range(10, 210, 10):
            view.set_frame(_frame(value, value))

    thread = threading.Thread(target=burst)
    thread.start()
    thread.join()
    app.processEvents()
    assert _grey(view, 0.5) == 200


def test_frames_of_any_shape_fill_the_square(view: CameraView, app: QApplication) -> None:
    for shape in ((480, 640, 3), (1280, 720, 3), (300, 300, 3)):
        view.set_frame(np.full(shape, 77, np.uint8))
        app.processEvents()
        assert _grey(view, 0.5) == 77


def test_nothing_is_taken_before_open_and_nothing_stays_after_clear(view: CameraView, app: QApplication) -> None:
    view.set_frame(_frame(200, 200))
    app.processEvents()
    view.set_frame(_frame(210, 210))  # one more waits unfetched
    view.clear()
    app.processEvents()
    pictures = [value for value in vars(view).values() if isinstance(value, np.ndarray)]
    assert len(pictures) == 4 and not any(picture.any() for picture in pictures)
    view.set_frame(_frame(200, 200))
    app.processEvents()
    assert not any(picture.any() for picture in pictures)
    assert _grey(view, 0.5) not in (200, 210)


def test_clear_waits_for_a_frame_that_is_just_being_written(view: CameraView, qtbot: QtBot) -> None:
    stop = threading.Event()

    def camera() -> None:
        while not stop.is_set():
            view.set_frame(_frame(200, 200))

    thread = threading.Thread(target=camera)
    thread.start()
    try:
        for _ in range(20):
            view.open()
            qtbot.wait(5)
            view.clear()
            qtbot.wait(5)  # a writer that was not waited for would be done by now
            assert not any(value.any() for value in vars(view).values() if isinstance(value, np.ndarray))
    finally:
        stop.set()
        thread.join()


def test_a_new_size_keeps_showing(view: CameraView, app: QApplication) -> None:
    view.resize(640, 480)
    app.processEvents()
    view.set_frame(_frame(120, 120))
    app.processEvents()
    assert _grey(view, 0.5) == 120
