"""The screen font "Kiosk Sans SC", built by the set-up; a missing one degrades the look, never the service."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from PySide6.QtGui import QFont, QFontDatabase
from PySide6.QtWidgets import QApplication

FAMILY: Final = "Kiosk Sans SC"
_SUBSTITUTES: Final = ("Noto Sans CJK SC", "Noto Sans SC", "WenQuanYi Zen Hei")
_SUFFIXES: Final = frozenset({".otf", ".ttf"})


def screen_font() -> QFont:
    """The font with the settings that make its pixels equal on every machine."""
    font = QFont([FAMILY, *_SUBSTITUTES])
    font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    font.setStyleStrategy(QFont.StyleStrategy.PreferAntialias | QFont.StyleStrategy.NoSubpixelAntialias)
    return font


def load_fonts(font_dir: Path) -> bool:
    """Registers the fonts of the folder and makes them the application's. False: substitutes are in use (degraded)."""
    files = sorted(path for path in font_dir.glob("*") if path.suffix in _SUFFIXES) if font_dir.is_dir() else []
    for path in files:
        QFontDatabase.addApplicationFont(str(path))
    QApplication.setFont(screen_font())
    return FAMILY in QFontDatabase.families()
