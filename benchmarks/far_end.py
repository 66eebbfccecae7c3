"""Emulated devices in processes of their own: what they cost is not ours."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def emulated(kind: str, *options: str) -> Iterator[str]:
    """`kiosk emulate …`; gives what it prints first, the port or address to use."""
    command = [sys.executable, "-m", "kiosk", "emulate", kind, *options]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()
