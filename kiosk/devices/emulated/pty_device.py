"""What emulated devices on a serial line have in common: a port, and a thread that serves it."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import Self

from kiosk.devices.emulated.pty import PtyPort


class PtyDevice(ABC):
    """Plugged in and served in a thread of its own while entered as a context manager."""

    def __init__(self, link: Path, name: str) -> None:
        """link: the name under which the kiosk opens it; name: of the thread."""
        self.port = PtyPort(link)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)

    def __enter__(self) -> Self:
        self.port.plug()
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self._stopping.set()
        self.port.unplug()
        self._thread.join()

    def plug(self) -> None:
        self.port.plug()

    def unplug(self) -> None:
        self.port.unplug()

    @abstractmethod
    def _serve(self) -> None:
        """Until `_stopping` is set."""
