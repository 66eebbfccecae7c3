"""What makes a Qt program a well-behaved service: signals, uncaught exceptions, one instance only."""

from __future__ import annotations

import logging
import signal
import socket
import sys
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QCoreApplication, QLockFile, QObject, QSocketNotifier, Slot

log = logging.getLogger(__name__)


class StopOnSignal(QObject):
    """Ends the event loop on SIGTERM and SIGINT: Python's handlers alone do not run while Qt waits."""

    def __init__(self, app: QCoreApplication) -> None:
        super().__init__(app)
        self._app = app
        self._read, self._write = socket.socketpair()
        self._write.setblocking(False)
        signal.set_wakeup_fd(self._write.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _ignore)
        self._notifier = QSocketNotifier(self._read.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._arrived)

    @Slot()
    def _arrived(self) -> None:
        self._read.recv(64)
        self._app.quit()

    def undo(self) -> None:
        self._notifier.setEnabled(False)
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        self._read.close()
        self._write.close()


def log_uncaught() -> None:
    """An exception in a slot would only be printed; it goes to the log by class and place, never by value."""
    sys.excepthook = _uncaught


def single_instance(path: Path) -> QLockFile | None:
    """The held lock, or None when another terminal already runs. A lock of a killed process does not count."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = QLockFile(str(path))
    lock.setStaleLockTime(0)
    return lock if lock.tryLock(0) else None


def _ignore(number: int, frame: object) -> None:
    """The wake-up socket does the work."""


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    last = trace
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    place = f"{Path(last.tb_frame.f_code.co_filename).name}:{last.tb_lineno}" if last else "?"
    log.error("uncaught %s at %s", kind.__name__, place)
