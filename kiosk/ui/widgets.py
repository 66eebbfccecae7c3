"""The few building blocks every screen is made of: labels, pictures, panels, large buttons, the progress line."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from kiosk.config import REPOSITORY
from kiosk.flow.view import Button
from kiosk.ui.theme import BLUE, BLUE_LINE, Theme

ICONS: Final = REPOSITORY / "assets" / "icons"


def set_style(widget: QWidget, name: str, value: str) -> None:
    """Gives a widget another role or tone of the theme."""
    if widget.property(name) != value:
        widget.setProperty(name, value)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


class Scaled:
    """A widget with sizes a style sheet cannot give. The window calls this whenever its size changes."""

    def rescale(self, theme: Theme) -> None:
        raise NotImplementedError


def label(role: str, text: str = "", *, centred: bool = True) -> QLabel:
    """A wrapped label; `role` is a size and colour of the theme."""
    made = QLabel(text)
    made.setProperty("role", role)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setWordWrap(True)
    made.setAlignment(Qt.AlignmentFlag.AlignCenter if centred else Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    made.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
    return made


class Picture(QWidget, Scaled):
    """A drawing of assets/icons, as large as its place allows. `side`: fixed size, 0 for as large as possible."""

    def __init__(self, name: str, side: int = 0) -> None:
        super().__init__()
        self._side = side
        self._renderer = QSvgRenderer(self)
        self._name = ""
        self.set_picture(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def set_picture(self, name: str) -> None:
        """Raises FileNotFoundError for a name without a drawing."""
        if name == self._name:
            return
        if not self._renderer.load(str(ICONS / f"{name}.svg")):
            raise FileNotFoundError(f"no drawing {name}.svg in {ICONS}")
        self._name = name
        self.update()

    def rescale(self, theme: Theme) -> None:
        if self._side:
            self.setFixedSize(theme.px(self._side), theme.px(self._side))
        else:
            self.setMinimumHeight(theme.px(160))

    def paintEvent(self, event: QPaintEvent) -> None:
        size = QSize(self._renderer.defaultSize()).scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        place = QRectF((self.width() - size.width()) / 2, (self.height() - size.height()) / 2, size.width(), size.height())
        painter = QPainter(self)
        self._renderer.render(painter, place)
        painter.end()


class Panel(QFrame, Scaled):
    """A coloured box with a drawing (or none) and one or more sentences. tone: calm, good or attention."""

    def __init__(self, tone: str, picture: str, *labels: QLabel, side: int = 96) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._row = QHBoxLayout(self)
        self._lines = QVBoxLayout()
        if picture:
            self._picture = Picture(picture, side)
            self._row.addWidget(self._picture, 0, Qt.AlignmentFlag.AlignVCenter)
        self._row.addLayout(self._lines, 1)
        for each in labels:
            self._lines.addWidget(each)
        self.setProperty("tone", tone)

    def set_tone(self, tone: str, picture: str) -> None:
        self._picture.set_picture(picture)
        set_style(self, "tone", tone)

    def rescale(self, theme: Theme) -> None:
        self._row.setContentsMargins(theme.px(28), theme.px(16), theme.px(28), theme.px(16))
        self._row.setSpacing(theme.px(28))
        self._lines.setSpacing(theme.px(10))


class BigButton(QPushButton):
    """Acts at touch-down: `felt` carries the Button the moment a finger lands, however long it stays or drifts."""

    felt = Signal(object)

    def __init__(self, button: Button, text: str, role: str = "", *, shown_disabled: bool = False) -> None:
        super().__init__(text)
        self.button = button
        self._shown_disabled = shown_disabled
        self.setObjectName(button.value)
        self.setAccessibleName(text.replace("\n", " "))
        self.setProperty("role", role)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.pressed.connect(self._pressed)

    def offer(self, enabled: frozenset[Button]) -> None:
        """Shows the button if it may be pressed; one that only waits for a condition stays visible, greyed."""
        self.setEnabled(self.button in enabled)
        self.setVisible(self.isEnabled() or self._shown_disabled)

    def _pressed(self) -> None:
        self.felt.emit(self.button)


class TickTile(BigButton, Scaled):
    """A box to tick with its sentence. The tick is set by the view alone, never by the finger."""

    def __init__(self, button: Button, text: str) -> None:
        super().__init__(button, "", "tick")
        self.setAccessibleName(text)
        self.setCheckable(True)
        self._box = Picture("tick_off", 88)
        self._text = label("", text, centred=False)
        self._row = QHBoxLayout(self)
        self._row.addWidget(self._box)
        self._row.addWidget(self._text, 1)
        for child in (self._box, self._text):
            child.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def set_ticked(self, ticked: bool) -> None:
        self.setChecked(ticked)
        self._box.set_picture("tick_on" if ticked else "tick_off")

    def nextCheckState(self) -> None:
        """Left as it is: the flow decides what a press means."""

    def rescale(self, theme: Theme) -> None:
        self._row.setContentsMargins(theme.px(20), theme.px(12), theme.px(20), theme.px(12))
        self._row.setSpacing(theme.px(20))


class ProgressLine(QWidget, Scaled):
    """One bar per step, filled up to the present one. The words stand beside it."""

    def __init__(self) -> None:
        super().__init__()
        self._step, self._steps = 0, 1

    def set_progress(self, step: int, steps: int) -> None:
        self._step, self._steps = step, steps
        self.update()

    def rescale(self, theme: Theme) -> None:
        self.setFixedHeight(theme.px(20))

    def paintEvent(self, event: QPaintEvent) -> None:
        gap = self.height() / 2
        width = (self.width() - gap * (self._steps - 1)) / self._steps
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        for index in range(self._steps):
            painter.setBrush(QColor(BLUE if index < self._step else BLUE_LINE))
            painter.drawRoundedRect(QRectF(index * (width + gap), 0, width, self.height()), gap, gap)
        painter.end()
