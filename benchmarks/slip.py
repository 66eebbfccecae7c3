"""What a slip costs: bytes on the line, and seconds until the printer itself says that it is complete.

The emulated printer prints at 100 mm/s and takes bytes no faster than a line of 115200 baud brings them.
"""

from __future__ import annotations

import queue
import time
from pathlib import Path

from figures import Figure, hand_over, median_and_range

from kiosk.cli.journal import NoJournal
from kiosk.config import KioskConfig, PrinterConfig
from kiosk.devices.emulated.printer import PrinterEmulator
from kiosk.devices.emulated.pty import PtyPort
from kiosk.devices.printer import escpos, text_mode
from kiosk.devices.printer.service import PrinterService
from kiosk.domain.slip import Printable, PrintOutcome, PrintResult, Raster, TextSlip
from kiosk.terminal.app import make_application
from kiosk.texts import load_texts
from kiosk.ui.sample import sample_slip
from kiosk.ui.slip import MissingGlyphs, SlipPainter

_BAUD = 115200
_SLIPS = 6
_DOTS_PER_S = 800
"""100 mm/s at 203 dpi."""
_PAPER = {58: 384, 80: 576}
"""Width in mm to dots of the head."""


def measure(folder: Path) -> list[Figure]:
    figures = []
    make_application(KioskConfig(mode="demo"))
    for width_mm, dots in _PAPER.items():
        for text_mode_on in (False, True):
            config = PrinterConfig(port=str(folder / "printer"), width_dots=dots, text_mode=text_mode_on)
            figures += _slip(folder, config, f"{width_mm} mm, {'letters' if text_mode_on else 'picture'}")
    return figures


def _slip(folder: Path, config: PrinterConfig, name: str) -> list[Figure]:
    whole = KioskConfig(mode="demo", printer=config.model_dump())
    slip = SlipPainter(load_texts(whole.ui.texts), whole).paint(sample_slip())
    if isinstance(slip, MissingGlyphs):
        raise RuntimeError("the sample slip has characters without a glyph")
    size = len(b"".join(_packets(slip)))
    beside = {"line alone": size * 10 / _BAUD}
    if isinstance(slip, Raster):
        beside["paper alone"] = slip.height / _DOTS_PER_S
    took = _print(config, slip)
    ratio = sorted(took)[len(took) // 2] / max(beside.values()) if isinstance(slip, Raster) else None
    return [
        Figure(f"slip, {name}: bytes", "bytes", {"sent": size}, _untrimmed(slip)),
        Figure(f"slip, {name}: until complete", "s", median_and_range(took), beside, ratio),
    ]


def _print(config: PrinterConfig, slip: Printable) -> list[float]:
    results: queue.Queue[PrintResult] = queue.Queue()
    with PtyPort(Path(config.port)) as line, PrinterEmulator(line, width=config.width_dots, baud=_BAUD):
        printer = PrinterService(config, NoJournal(), lambda number, result: results.put(result), lambda status: None)
        printer.start()
        took = []
        try:
            for _ in range(_SLIPS):
                began = time.monotonic()
                printer.print(slip, "BENCH")
                result = results.get(timeout=120)
                if result.outcome is not PrintOutcome.PRINTED:
                    raise RuntimeError(f"not printed: {result.reason}")
                took.append(time.monotonic() - began)
        finally:
            printer.stop()
    return took[1:]  # the first one waits for the printer to prove itself


def _packets(slip: Printable) -> list[bytes]:
    return text_mode.packets(slip) if isinstance(slip, TextSlip) else escpos.packets(slip)


def _untrimmed(slip: Printable) -> dict[str, float]:
    return {"the bare picture": len(slip.data)} if isinstance(slip, Raster) else {}


if __name__ == "__main__":
    hand_over(measure)
