"""Judges a screen on its rendered pixels: contrast, sizes, gaps, cut or missing text, things off the screen.

Contrast is WCAG 2.2 relative luminance of the most frequent colour inside a text's rectangle (the background)
against the most frequent colour clearly different from it (the ink).
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QFont, QFontInfo, QFontMetrics, QImage, QTextLayout
from PySide6.QtWidgets import QAbstractButton, QLabel, QWidget

from kiosk.ui.camera_view import CameraView
from kiosk.ui.fonts import FAMILY

Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Limits:
    """Pixels of a 21.5 inch panel with 1080 x 1920 of them (0.248 mm each)."""

    font: int
    target: int
    gap: int
    contrast: float


FLOOR = Limits(font=36, target=90, gap=32, contrast=4.5)
AIM = Limits(font=40, target=120, gap=32, contrast=7.0)


@dataclass(frozen=True, slots=True)
class Finding:
    rule: str
    who: str
    detail: str


@dataclass(frozen=True, slots=True)
class _Item:
    widget: QWidget
    text: str
    rect: QRect
    pressable: bool

    @property
    def who(self) -> str:
        return self.widget.objectName() or self.text[:12]


def audit(root: QWidget, limits: Limits) -> list[Finding]:
    """Everything on the shown screen that breaks the limits."""
    items = list(_items(root))
    picture = _pixels(root.grab().toImage())
    findings = [finding for item in items for finding in _judge_item(item, root, picture, limits)]
    return findings + _judge_buttons([item for item in items if item.pressable], limits) + _judge_places(root, items)


def _items(root: QWidget) -> Iterator[_Item]:
    for widget in root.findChildren(QWidget):
        if not isinstance(widget, QLabel | QAbstractButton) or not widget.isVisibleTo(root):
            continue
        widget.ensurePolished()
        pressable = isinstance(widget, QAbstractButton)
        if widget.text() or pressable:
            yield _Item(widget, widget.text(), QRect(widget.mapTo(root, QPoint(0, 0)), widget.size()), pressable)


def _judge_item(item: _Item, root: QWidget, picture: NDArray[np.uint8], limits: Limits) -> Iterator[Finding]:
    if not root.rect().contains(item.rect):
        yield Finding("off screen", item.who, str(item.rect))
    if item.pressable and min(item.rect.width(), item.rect.height()) < limits.target:
        yield Finding("target", item.who, f"{item.rect.width()} x {item.rect.height()} px")
    if not item.text:
        return
    font = item.widget.font()
    if QFontInfo(font).pixelSize() < limits.font:
        yield Finding("font", item.who, f"{QFontInfo(font).pixelSize()} px")
    needed, room = _text_size(item, font), _text_room(item)
    if needed.width() > room.width() or needed.height() > room.height():
        yield Finding("cut text", item.who, f"needs {needed.width()} x {needed.height()}, has {room.width()} x {room.height()}")
    ratio = _contrast(picture[room.top() : room.bottom() + 1, room.left() : room.right() + 1])
    if ratio < limits.contrast:
        yield Finding("contrast", item.who, f"{ratio:.1f}:1")
    glyphs, families = _shape(item.text, font)
    if 0 in glyphs:
        yield Finding("tofu", item.who, item.text)
    if families - {FAMILY}:
        yield Finding("foreign font", item.who, ", ".join(sorted(families - {FAMILY})))


def _judge_buttons(buttons: list[_Item], limits: Limits) -> list[Finding]:
    findings = []
    names = Counter(button.widget.accessibleName() for button in buttons)
    findings += [Finding("name", button.who, "none") for button in buttons if not button.widget.accessibleName()]
    findings += [Finding("name", name, f"{count} times") for name, count in names.items() if name and count > 1]
    for one, other in itertools.combinations(buttons, 2):
        grown = one.rect.adjusted(-limits.gap, -limits.gap, limits.gap, limits.gap)
        if grown.intersects(other.rect):
            findings.append(Finding("gap", one.who, f"to {other.who}"))
    return findings


def _judge_places(root: QWidget, items: list[_Item]) -> list[Finding]:
    findings = []
    texts = [item for item in items if item.text]
    for one, other in itertools.combinations(texts, 2):
        if one.rect.intersects(other.rect):
            findings.append(Finding("overlap", one.who, f"with {other.who}"))
    for view in root.findChildren(CameraView):
        place = QRect(view.mapTo(root, QPoint(0, 0)), view.size())
        if view.isVisibleTo(root):
            findings += [Finding("text on camera", item.who, "") for item in items if place.intersects(item.rect)]
    return findings


def _text_room(item: _Item) -> QRect:
    """Where the text may stand: inside the border and padding of a button."""
    border = round(item.rect.height() * 0.05) if item.pressable else 0
    return item.rect.adjusted(border, border, -border, -border)


def _text_size(item: _Item, font: QFont) -> QRect:
    wraps = isinstance(item.widget, QLabel) and item.widget.wordWrap()
    flags = Qt.TextFlag.TextWordWrap if wraps else 0
    return QFontMetrics(font).boundingRect(QRect(0, 0, _text_room(item).width(), 10000), flags, item.text)


def _shape(text: str, font: QFont) -> tuple[set[int], set[str]]:
    """Glyph indices (0: no glyph) and the families that drew them."""
    glyphs: set[int] = set()
    families: set[str] = set()
    for line in text.split("\n"):
        layout = QTextLayout(line, font)
        layout.beginLayout()
        layout.createLine()
        layout.endLayout()
        for run in layout.glyphRuns():
            glyphs.update(run.glyphIndexes())
            families.add(run.rawFont().familyName())
    return glyphs, families


def _pixels(image: QImage) -> NDArray[np.uint8]:
    """Rows x columns x RGB."""
    rgb = image.convertToFormat(QImage.Format.Format_RGB32)
    flat = np.frombuffer(rgb.constBits(), np.uint8).reshape(rgb.height(), rgb.bytesPerLine() // 4, 4)
    return flat[:, : rgb.width(), [2, 1, 0]].copy()


def _contrast(crop: NDArray[np.uint8]) -> float:
    """1.0 where no ink can be told from the background."""
    channels = (crop >> 2).astype(np.uint32)  # 6 bits each: anti-aliased neighbours fall together
    codes, counts = np.unique(channels[..., 0] << 12 | channels[..., 1] << 6 | channels[..., 2], return_counts=True)
    by_count = [_colour(int(code)) for code in codes[np.argsort(-counts)]]
    ink = next((each for each in by_count if sum(abs(a - b) for a, b in zip(each, by_count[0], strict=True)) > 90), None)
    if ink is None:
        return 1.0
    lighter, darker = sorted((_luminance(by_count[0]), _luminance(ink)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _colour(code: int) -> Colour:
    return (code >> 12) * 255 // 63, (code >> 6 & 63) * 255 // 63, (code & 63) * 255 // 63


def _luminance(colour: Colour) -> float:
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (each / 255 for each in colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
