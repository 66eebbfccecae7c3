"""The whole window in one colour after the other, for the liveness check that looks for them in the face."""

from __future__ import annotations

from PySide6.QtCore import QTimer, Slot
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from kiosk.domain.coaching import FlashPlan


class FlashCover(QWidget):
    """Lies over everything while a plan runs, and goes by itself."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._over = parent
        self._plan: FlashPlan | None = None
        self._at = 0
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._next)
        self.hide()

    def show_plan(self, plan: FlashPlan | None) -> None:
        """The same plan again changes nothing; None ends the one that runs."""
        if plan is self._plan:
            return
        self._plan, self._at = plan, 0
        if plan is None:
            self._end()
            return
        self.setGeometry(self._over.rect())
        self.show()
        self.raise_()
        self._timer.start(round(1000 * plan.step_s))

    @property
    def colour(self) -> tuple[int, int, int] | None:
        """RGB, as it is shown now."""
        return self._plan.colours[self._at] if self._plan is not None and not self.isHidden() else None

    @Slot()
    def _next(self) -> None:
        self._at += 1
        if self._plan is None or self._at >= len(self._plan.colours):
            self._end()
        self.update()

    def _end(self) -> None:
        self._timer.stop()
        self.hide()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(*(self.colour or (255, 255, 255))))
        painter.end()
