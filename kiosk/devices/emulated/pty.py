"""The far end of a serial line: a pseudo-terminal that can be pulled out and plugged in under one name."""

from __future__ import annotations

import contextlib
import os
import select
import termios
import threading
import tty
from pathlib import Path
from types import TracebackType


class PtyPort:
    """What an emulated device talks through. The program under test opens `path`.

    The near end stays open here too, so a program may come and go without the device noticing; bytes that no
    program reads are lost once the kernel's buffer is full, as on a real line.
    """

    def __init__(self, link: Path) -> None:
        """link: the stable name, a symbolic link to whatever pseudo-terminal is plugged in."""
        self.path = link
        self._plugged = threading.Event()
        self._reading = threading.Lock()
        self._writing = threading.Lock()
        self._master = self._slave = self._wake = -1

    def __enter__(self) -> PtyPort:
        self.plug()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.unplug()

    def plug(self) -> None:
        """Makes a fresh pseudo-terminal and points the link at it. Nothing happens if one is plugged in."""
        with self._reading, self._writing:
            if self._plugged.is_set():
                return
            self._master, self._slave = os.openpty()
            tty.setraw(self._slave)
            os.set_blocking(self._master, False)
            self._wake = os.eventfd(0)
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.unlink(missing_ok=True)
            self.path.symlink_to(os.ttyname(self._slave))
            self._plugged.set()

    def unplug(self) -> None:
        """The device vanishes: link gone, both ends closed, an open program gets I/O errors."""
        if not self._plugged.is_set():
            return
        self._plugged.clear()
        os.eventfd_write(self._wake, 1)  # ends a read that holds the lock
        with self._reading, self._writing:
            self.path.unlink(missing_ok=True)
            for fd in (self._master, self._slave, self._wake):
                os.close(fd)

    def replug_elsewhere(self) -> None:
        """Pulled out and put into another socket: the stable name leads to another node than before."""
        held = os.dup(self._slave)  # the old number is not to be had again at once
        self.unplug()
        self.plug()
        os.close(held)

    def stall(self, stalled: bool = True) -> None:
        """Like a half-dead adapter: the line is there and takes no bytes. Ends with False, or when plugged in anew."""
        with self._writing:
            if self._plugged.is_set():
                termios.tcflow(self._slave, termios.TCOOFF if stalled else termios.TCOON)

    def read(self, timeout: float) -> bytes:
        """What the program has written, as soon as there is something; b"" after `timeout` seconds."""
        if not self._plugged.wait(timeout):
            return b""
        with self._reading:
            if not self._plugged.is_set():
                return b""
            ready, _, _ = select.select([self._master, self._wake], [], [], timeout)
            with contextlib.suppress(BlockingIOError):
                return os.read(self._master, 4096) if self._master in ready else b""
        return b""

    def write(self, data: bytes) -> None:
        """Sends to the program; what the line cannot hold, or all of it when unplugged, is lost."""
        with self._writing, contextlib.suppress(BlockingIOError):
            while data and self._plugged.is_set():
                data = data[os.write(self._master, data) :]
