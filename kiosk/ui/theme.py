"""Colours and sizes. Every size is given for a 1080 x 1920 panel of 21.5 inches and follows one scale number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PAGE: Final = "#FFFFFF"
INK: Final = "#1A1A1A"
BLUE: Final = "#0B4A8F"
BLUE_PRESSED: Final = "#062B54"
BLUE_PALE: Final = "#EAF2FB"
BLUE_LINE: Final = "#9DC1E8"
GREEN: Final = "#0B5D1E"
GREEN_PALE: Final = "#E7F4EA"
AMBER: Final = "#8A4B00"
AMBER_PALE: Final = "#FFF3DC"
OFF: Final = "#E4E4E4"
OFF_INK: Final = "#454545"

GAP: Final = 32
"""Between two things a finger can press."""
MARGIN: Final = 56


@dataclass(frozen=True, slots=True)
class Theme:
    """scale: 1.0 at 1080 x 1920; landscape: panes stand side by side."""

    scale: float
    landscape: bool

    @classmethod
    def for_size(cls, width: int, height: int) -> Theme:
        short, long = sorted((width, height))
        return cls(scale=min(short / 1080, long / 1920), landscape=width > height)

    def px(self, size: float) -> int:
        return max(1, round(size * self.scale))

    def style_sheet(self) -> str:
        """QSS for every role a label, button or panel may have. Text of weak eyes: 40 px and more, at least 7:1."""
        px = self.px
        start, main, pair, tick = (210, 150, 150, 120) if self.landscape else (260, 190, 150, 150)
        instruction, notice = (48, 40) if self.landscape else (54, 44)
        return f"""
        QWidget {{ background: {PAGE}; color: {INK}; }}
        QLabel {{ background: transparent; font-size: {px(46)}px; }}
        QLabel[role="small"] {{ font-size: {px(42)}px; }}
        QLabel[role="term"] {{ font-size: {px(40)}px; font-weight: bold; color: {BLUE}; }}
        QLabel[role="instruction"] {{ font-size: {px(instruction)}px; }}
        QLabel[role="notice"] {{ font-size: {px(notice)}px; }}
        QLabel[role="title"] {{ font-size: {px(72)}px; font-weight: bold; }}
        QLabel[role="display"] {{ font-size: {px(104)}px; font-weight: bold; color: {BLUE}; }}
        QLabel[role="number"] {{ font-size: {px(56)}px; font-weight: bold; color: {BLUE}; }}
        QLabel[role="good"] {{ font-size: {px(76)}px; font-weight: bold; color: {GREEN}; }}

        QPushButton {{
            font-size: {px(46)}px; font-weight: bold; min-height: {px(126)}px; padding: 0 {px(12)}px;
            color: {BLUE}; background: {PAGE}; border: {px(5)}px solid {BLUE}; border-radius: {px(24)}px;
        }}
        QPushButton[role="main"] {{ font-size: {px(68)}px; min-height: {px(main)}px; color: white; background: {BLUE}; }}
        QPushButton[role="start"] {{ font-size: {px(96)}px; min-height: {px(start)}px; color: white; background: {BLUE}; }}
        QPushButton[role="pair"] {{ font-size: {px(52)}px; min-height: {px(pair)}px; color: white; background: {BLUE}; }}
        QPushButton[role="second"] {{ font-size: {px(60)}px; min-height: {px(pair)}px; }}
        QPushButton[role="key"] {{ font-size: {px(60)}px; min-height: {px(pair)}px; }}
        QPushButton[role="two_lines"] {{ min-height: {px(pair)}px; }}
        QPushButton[role="help"] {{
            font-size: {px(40)}px; color: {GREEN}; background: {GREEN_PALE}; border-color: {GREEN};
        }}
        QPushButton:disabled {{ color: {OFF_INK}; background: {OFF}; border-color: {OFF_INK}; border-style: dashed; }}
        QPushButton:pressed {{ color: white; background: {BLUE_PRESSED}; border: {px(10)}px solid {BLUE_LINE}; }}
        QPushButton[role="tick"] {{ background: {PAGE}; border-color: {INK}; min-height: {px(tick)}px; padding: 0; }}
        QPushButton[role="tick"]:checked {{ background: {GREEN_PALE}; border-color: {GREEN}; }}
        QPushButton[role="tick"]:pressed {{ background: {BLUE_LINE}; border: {px(10)}px solid {INK}; }}
        QPushButton[role="tick"] QLabel {{ font-size: {px(44)}px; font-weight: bold; color: {INK}; }}

        QFrame[tone] {{ border-radius: {px(24)}px; border: {px(4)}px solid {BLUE_LINE}; background: {BLUE_PALE}; }}
        QFrame[tone="good"] {{ border-color: {GREEN}; background: {GREEN_PALE}; }}
        QFrame[tone="attention"] {{ border-color: {AMBER}; background: {AMBER_PALE}; }}
        QFrame[tone] Picture {{ background: transparent; border: none; }}
        """
