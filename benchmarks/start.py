"""From the start of the process `kiosk run` to the attract screen.

The terminal looks for cards as soon as that screen is shown and not before, so the first such command on the
reader's line tells the moment from outside. Every start is a new process. After the first, files come from the
system's cache.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from figures import Figure, hand_over, median_and_range, tell

from kiosk.demo.estate import Estate, RealDevices
from kiosk.devices.emulated.idcard import IdCardEmulator
from kiosk.devices.idcard.codec import Command

_STARTS = 5
_PATIENCE_S = 60.0


def measure(folder: Path) -> list[Figure]:
    with Estate(folder / "town", RealDevices(), say=tell) as estate:
        assert estate.reader is not None
        took = [_start(estate.config, estate.reader) for _ in range(_STARTS)]
    return [Figure(f"start to attract screen, {_STARTS} starts", "ms", {"first": took[0], **median_and_range(took)})]


def _start(config: Path, reader: IdCardEmulator) -> float:
    """In ms."""
    heard = len(reader.received)
    began = time.monotonic()
    terminal = subprocess.Popen([sys.executable, "-m", "kiosk", "run", "--config", str(config)], stdout=sys.stderr)
    try:
        while Command.FIND not in reader.received[heard:]:
            if terminal.poll() is not None or time.monotonic() - began > _PATIENCE_S:
                raise RuntimeError("the terminal did not come to its attract screen")
            time.sleep(0.001)
        return 1000 * (time.monotonic() - began)
    finally:
        terminal.terminate()
        terminal.wait()


if __name__ == "__main__":
    hand_over(measure)
