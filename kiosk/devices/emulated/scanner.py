"""A code scanner at the far end of a pseudo-terminal: what is held before it comes out as a line, or as trouble."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from pathlib import Path

from kiosk.devices.emulated.pty_device import PtyDevice

_QUERY = re.compile(rb"\x7e\x010000([@#])([A-Z0-9]{6})\*;\x03")
_LONGEST_COMMAND = 64
NOISE = bytes.fromhex("00FF80 1B 7F 0B")
"""Nothing printable in it."""
_BABBLE = b"U7%x)Lq0" * 80
"""Longer than any code, so that a pause of a busy machine makes none of it."""


class ScannerEmulator(PtyDevice):
    """Answers Newland's query in its own thread while entered as a context manager. Knobs may be turned at any time."""

    def __init__(self, link: Path) -> None:
        """link: the name under which the kiosk opens the scanner."""
        super().__init__(link, "emulated-scanner")
        self.suffix = "\r"
        """What follows a code; "" for a scanner that was not set up."""
        self.aim_id = "]Q1"
        """What precedes it; "" for none."""
        self.answers = True
        """Whether it is a Newland model, and in the mood to answer."""
        self.old_model = False
        """Answers like an EM3095."""
        self.queries = 0
        """How often it was asked."""
        self._babbling = threading.Event()

    def scan(self, *codes: str) -> None:
        """Codes held before it, so fast one after the other that they leave in one piece."""
        self.send("".join(f"{self.aim_id}{code}{self.suffix}" for code in codes).encode())

    def send(self, data: bytes) -> None:
        self.port.write(data)

    def noise(self) -> None:
        self.send(NOISE)

    def babble(self, on: bool = True) -> None:
        """Letters without end and without a pause."""
        if on:
            self._babbling.set()
        else:
            self._babbling.clear()

    def _serve(self) -> None:
        heard = b""
        while not self._stopping.is_set():
            if self._babbling.is_set():
                self.send(_BABBLE)
            heard = (heard + self.port.read(0.02 if self._babbling.is_set() else 0.05))[-_LONGEST_COMMAND:]
            while query := _QUERY.search(heard):
                heard = heard[query.end() :]
                self.queries += 1
                if self.answers:
                    storage, setting = query.groups()
                    new = b"\x02\x010000" + storage + setting + b"1\x06;\x03"
                    self.send(bytes.fromhex("02000001003331") if self.old_model else new)


def _mute(scanner: ScannerEmulator) -> None:
    scanner.answers = False


def _no_suffix(scanner: ScannerEmulator) -> None:
    scanner.suffix = ""


def _old_model(scanner: ScannerEmulator) -> None:
    scanner.old_model = True


FAULTS: dict[str, Callable[[ScannerEmulator], None]] = {
    "babbling": ScannerEmulator.babble,
    "mute": _mute,
    "no_suffix": _no_suffix,
    "old_model": _old_model,
    "unplugged": ScannerEmulator.unplug,
}
"""By name, for the command line."""
