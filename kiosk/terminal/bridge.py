"""The one way from device, face and store threads into the UI thread."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, Signal, Slot

from kiosk.flow.events import Event


class EventBridge(QObject):
    """`post` may be called from any thread; `handle` runs in the thread this object lives in."""

    _posted = Signal(object)

    def __init__(self, handle: Callable[[Event], None]) -> None:
        super().__init__()
        self._handle = handle
        self._posted.connect(self._arrived, Qt.ConnectionType.QueuedConnection)

    def post(self, event: Event) -> None:
        self._posted.emit(event)

    @Slot(object)
    def _arrived(self, event: Event) -> None:
        self._handle(event)
