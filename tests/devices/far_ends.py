"""Devices for tests that ask a port who is there: the emulators under one roof, and far ends of few words."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from kiosk.devices.emulated.crt310 import Crt310Emulator
from kiosk.devices.emulated.idcard import IdCardEmulator
from kiosk.devices.emulated.printer import PrinterEmulator
from kiosk.devices.emulated.pty import PtyPort
from kiosk.devices.emulated.scanner import ScannerEmulator
from kiosk.domain.status import DeviceKind


class FarEnd:
    """Answers each piece of the wire by a rule, and keeps what it was sent."""

    def __init__(self, link: Path, rule: Callable[[bytes], bytes] = lambda data: b"", unasked: bytes = b"") -> None:
        """unasked: sent again and again, without a pause."""
        self.port = PtyPort(link)
        self.received = bytearray()
        self.stopping = threading.Event()
        self._rule = rule
        self._unasked = unasked
        self._thread = threading.Thread(target=self._serve, name="far-end", daemon=True)

    def __enter__(self) -> FarEnd:
        self.port.plug()
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stopping.set()
        self.port.unplug()
        self._thread.join()

    def _serve(self) -> None:
        while not self.stopping.is_set():
            data = self.port.read(0.005 if self._unasked else 0.05)
            self.received += data
            self.port.write(self._unasked + (self._rule(data) if data else b""))


def crt310(data: bytes) -> bytes:
    """A CRT-310 without a card, asked for its status."""
    if data.endswith(b"\x05"):
        return bytes.fromhex("02 00 05 31 30 4E 4A 4E 03 4F")
    return b"\x06" if data.endswith(bytes.fromhex("02 00 02 31 30 03 02")) else b""


@contextmanager
def device(kind: DeviceKind, link: Path) -> Iterator[PtyPort]:
    """A working device of that kind at a port of that name."""
    with ExitStack() as stack:
        match kind:
            case DeviceKind.IDCARD:
                yield stack.enter_context(IdCardEmulator(link)).port
            case DeviceKind.PRINTER:
                port = stack.enter_context(PtyPort(link))
                stack.enter_context(PrinterEmulator(port))
                yield port
            case DeviceKind.SCANNER:
                yield stack.enter_context(ScannerEmulator(link)).port
            case DeviceKind.SOCIALCARD:
                yield stack.enter_context(Crt310Emulator(link)).port
            case _:
                raise ValueError(kind)
