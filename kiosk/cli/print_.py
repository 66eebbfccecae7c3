"""`kiosk print`: a slip without a conversation."""

from __future__ import annotations

import os
import queue
from pathlib import Path
from typing import Annotated

import typer

from kiosk.cli.common import ConfigFile, configuration, fail

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
    from kiosk.terminal.sample_slip import draw_sample

    settings = configuration(config)
    raster = draw_sample(settings)
    if to is not None:
        from kiosk.ui.slip import save_png

        save_png(raster, to)
        typer.echo(str(to))
        return
    from kiosk.devices.printer.service import PrinterService
    from kiosk.domain.slip import PrintOutcome, PrintResult
    from kiosk.terminal.sample_slip import NoJournal

    printer_settings = settings.printer.model_copy(update={"port": port}) if port else settings.printer
    results: queue.Queue[PrintResult] = queue.Queue()
    printer = PrinterService(printer_settings, NoJournal(), results.put, lambda status: None)
    printer.start()
    try:
        printer.print(raster, "SAMPLE")
        result = results.get(timeout=_PATIENCE_S)
    except queue.Empty:
        fail("the printer gave no answer")
    finally:
        printer.stop()
    typer.echo(f"{result.outcome.value} {result.reason}".strip())
    raise typer.Exit(0 if result.outcome is PrintOutcome.PRINTED else 1)
