"""The whole way to A4 paper: a real cupsd, a real IPP printer behind it, and the sheets that came out."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from kiosk.devices.emulated.a4_faults import A4Faults
from kiosk.devices.emulated.a4_printer import A4Printer
from kiosk.devices.emulated.spooler import Spooler

QUEUE = "certificates"


class A4Emulator:
    """Runs while entered as a context; its files but for the sheets lie in a folder that goes with it."""

    printer: A4Printer
    spooler: Spooler

    def __init__(self, sheets: Path) -> None:
        """sheets: receives the documents that came out."""
        self._sheets = sheets.absolute()

    def __enter__(self) -> A4Emulator:
        with contextlib.ExitStack() as stack:
            folder = Path(tempfile.mkdtemp(prefix="kiosk-a4-"))
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            folder.chmod(0o711)  # the filters of CUPS run as user lp
            self.printer = stack.enter_context(A4Printer(folder / "printer", self._sheets))
            self.spooler = stack.enter_context(Spooler(folder / "cups"))
            self.spooler.add_queue(QUEUE, self.printer.uri)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.close()


def _ordered(name: str) -> Callable[[A4Emulator], None]:
    return lambda emulator: emulator.printer.order(**{name: True})


FAULTS = {name: _ordered(name) for name in A4Faults.__slots__ if isinstance(getattr(A4Faults(), name), bool)}
"""Those that are either there or not, by name, for the command line."""
