"""The flow's named timers, on the event loop of the screen."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, QTimer, Slot

from kiosk.flow.events import TimeUp


class QtTimers(QObject):
    """The flow's `Timers` port. `answer` gets a TimeUp for every timer that was not cancelled or restarted before."""

    def __init__(self, answer: Callable[[TimeUp], None]) -> None:
        super().__init__()
        self._answer = answer
        self._timers: dict[str, _NamedTimer] = {}

    def start(self, name: str, seconds: float) -> None:
        timer = self._timers.get(name)
        if timer is None:
            timer = self._timers[name] = _NamedTimer(name, self._answer, self)
        timer.start(round(seconds * 1000))

    def cancel(self, name: str) -> None:
        if name in self._timers:
            self._timers[name].stop()


class _NamedTimer(QTimer):
    def __init__(self, name: str, answer: Callable[[TimeUp], None], parent: QObject) -> None:
        super().__init__(parent)
        self._name = name
        self._answer = answer
        self.setSingleShot(True)
        self.setTimerType(Qt.TimerType.PreciseTimer)
        self.timeout.connect(self._up)

    @Slot()
    def _up(self) -> None:
        self._answer(TimeUp(self._name))
