import sys
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # screen_audit.py, screen_views.py

import pytest
from PySide6.QtWidgets import QApplication

from kiosk.config import REPOSITORY, UiConfig
from kiosk.flow.view import Button
from kiosk.texts import Texts, load_texts
from kiosk.ui.fonts import load_fonts
from kiosk.ui.window import KioskWindow

CATALOGUE = REPOSITORY / "assets" / "texts" / "zh_CN.toml"
PHONE = "023-65731387"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--gallery", type=Path, help="write a picture of every screen to this folder")


@pytest.fixture(scope="session")
def gallery(request: pytest.FixtureRequest) -> Path | None:
    folder: Path | None = request.config.getoption("--gallery", default=None)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def texts() -> Texts:
    return load_texts(CATALOGUE)


@pytest.fixture(scope="session")
def app(qapp: QApplication) -> QApplication:
    qapp.setStyle("Fusion")
    assert load_fonts(UiConfig().font_dir), "the screen font is missing: run `make setup`"
    return qapp


@pytest.fixture
def presses() -> list[Button]:
    return []


@pytest.fixture
def make_window(app: QApplication, texts: Texts, presses: list[Button]) -> Iterator[Callable[..., KioskWindow]]:
    made: list[KioskWindow] = []

    def make(width: int = 540, height: int = 960, **config: object) -> KioskWindow:
        settings = UiConfig.model_validate({"fullscreen": False, "width": width, "height": height, **config})
        window = KioskWindow(texts, settings, PHONE, presses.append)
        window.present()
        app.processEvents()
        made.append(window)
        return window

    yield make
    for window in made:
        window.allow_close()
        window.close()
        window.deleteLater()
    app.processEvents()
