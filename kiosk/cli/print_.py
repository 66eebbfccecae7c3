"""`kiosk print`: a slip without a conversation."""

from __future__ import annotations

import os
import queue
from pathlib import Path
from typing import Annotated

import typer

from kiosk.cli.common import ConfigFile, configuration, fail
from kiosk.config import PrinterConfig
from kiosk.domain.slip import PrintOutcome, PrintResult, Raster
from kiosk.domain.status import DeviceStatus

app = typer.Typer(no_args_is_help=True, help="Print, or draw what would be printed.")
_PATIENCE_S = 60.0


@app.callback()
def _group() -> None:
    """Keeps `print slip` a sub-command while it is the only one."""


@app.command()
def slip(
    sample: Annotated[bool, typer.Option("--sample", help="A slip of an invented person.")] = False,
    to: Annotated[Path | None, typer.Option("--to", help="Write a PNG instead of printing.")] = None,
    port: Annotated[str | None, typer.Option(help="Serial port; without it the configured one.")] = None,
    config: ConfigFile = None,
) -> None:
    """Print the sample slip and say how it ended; status 1 unless the printer confirms it."""
    if not sample:
        fail("only the sample slip can be printed from here: add --sample")
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from kiosk.terminal.app import make_application
    from kiosk.texts import TextError, load_texts
    from kiosk.ui.raster import save_png
    from kiosk.ui.sample import sample_slip
    from kiosk.ui.slip import MissingGlyphs, SlipPainter

    settings = configuration(config)
    app = make_application(settings)
    try:
        texts = load_texts(settings.ui.texts)
    except TextError as error:
        fail(str(error))
    raster = SlipPainter(texts, settings).paint(sample_slip())
    if isinstance(raster, MissingGlyphs):
        fail(f"{raster.count} characters have no glyph; run the set-up again to build the font")
    if to is None:
        result = _print(raster, settings.printer.model_copy(update={"port": port} if port else {}))
        typer.echo(f"{result.outcome.value} {result.reason}".strip())
        raise typer.Exit(0 if result.outcome is PrintOutcome.PRINTED else 1)
    try:
        save_png(raster, to)
    except OSError as error:
        fail(str(error))
    typer.echo(str(to))
    app.quit()


def _print(raster: Raster, settings: PrinterConfig) -> PrintResult:
    from kiosk.devices.printer.service import PrinterService

    results: queue.Queue[PrintResult] = queue.Queue()

    def ended(case_number: str, result: PrintResult) -> None:
        results.put(result)

    printer = PrinterService(settings, _NoJournal(), ended, _ignore_status)
    printer.print(raster, "SAMPLE")
    printer.start()
    try:
        return results.get(timeout=_PATIENCE_S)
    except queue.Empty:
        return PrintResult(0, PrintOutcome.UNKNOWN, "mute")
    finally:
        printer.stop()


def _ignore_status(status: DeviceStatus) -> None:
    """The result alone counts here."""


class _NoJournal:
    """A sample belongs to no case: there is nothing to keep."""

    def queue(self, case_number: str, kind: str, copy: int, digest: str, size: int) -> int:
        return 1

    def sending(self, job: int) -> None: ...

    def end(self, job: int, outcome: PrintOutcome, evidence: str) -> None: ...

    def settle_interrupted(self) -> int:
        return 0
