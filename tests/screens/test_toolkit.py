"""Faults of the toolkit that a short run does not show: lost references, a second Qt, a missing font."""

import subprocess
import sys
from pathlib import Path

from PySide6.QtWidgets import QApplication

from kiosk.ui.fonts import FAMILY, load_fonts, screen_font

_COUNT = """
import sys
from PySide6.QtCore import QCoreApplication, QObject, QTimer, Qt, Signal
keep = [True] * 100_000 + [False] * 100_000 + [None] * 100_000  # so that a loss cannot abort the check itself
app = QCoreApplication([])

class Sender(QObject):
    plain = Signal()
    direct = Signal(object)
    queued = Signal(object)
    def __init__(self):
        super().__init__()
        self.direct.connect(self.taken)
        self.queued.connect(self.taken, Qt.ConnectionType.QueuedConnection)
    def taken(self, value):
        pass

sender, timer = Sender(), QTimer()
timer.setSingleShot(True)

def tick():
    timer.timeout.connect(sender.plain)
    timer.start(0)
    app.processEvents()
    timer.stop()
    timer.timeout.disconnect(sender.plain)

def queued():
    sender.queued.emit(1)
    app.processEvents()

for name, call in {
    "emit": sender.plain.emit,
    "emit to a method": lambda: sender.direct.emit(1),
    "queued emit": queued,
    "setObjectName": lambda: sender.setObjectName("x"),
    "timer, connect, disconnect": tick,
}.items():
    call()
    before = sys.getrefcount(True), sys.getrefcount(None)
    for _ in range(100):
        call()
    after = sys.getrefcount(True), sys.getrefcount(None)
    for old, new in zip(before, after):
        if new - old < -5:
            print(name, old - new)
"""


def test_pyside_is_the_pinned_version_and_loses_no_references() -> None:
    """6.12.0 on CPython 3.11 loses one reference of True per emit and aborts after some hundred of them."""
    from importlib.metadata import version

    assert version("PySide6-Essentials") == version("PySide6-Addons") == "6.11.3"
    done = subprocess.run([sys.executable, "-c", _COUNT], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def test_opencv_brings_no_qt_of_its_own() -> None:
    program = (
        "import cv2, os, pathlib\n"
        "assert not (pathlib.Path(cv2.__file__).parent / 'qt').exists()\n"
        "assert not {'QT_QPA_PLATFORM_PLUGIN_PATH', 'QT_QPA_FONTDIR'} & os.environ.keys()\n"
    )
    clean = {"PATH": "/usr/bin:/bin"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=clean, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_no_screen_keyboard_is_loaded(app: QApplication) -> None:
    import os

    assert "QT_IM_MODULE" not in os.environ


def test_a_missing_font_degrades_and_does_not_crash(tmp_path: Path) -> None:
    """In its own process, because a loaded font stays loaded."""
    (tmp_path / "broken.otf").write_bytes(b"no font")
    for folder in (tmp_path, tmp_path / "absent"):
        program = (
            "from pathlib import Path\nfrom PySide6.QtWidgets import QApplication\nfrom kiosk.ui.fonts import load_fonts\n"
            f"app = QApplication([])\nraise SystemExit(load_fonts(Path({str(folder)!r})))"
        )
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr


def test_the_font_draws_the_same_everywhere(app: QApplication) -> None:
    font = screen_font()
    assert font.families()[0] == FAMILY
    assert font.hintingPreference() is font.HintingPreference.PreferNoHinting


def test_loading_twice_is_harmless(app: QApplication) -> None:
    from kiosk.config import UiConfig

    assert load_fonts(UiConfig().font_dir)
