"""`kiosk print`: a slip or a document without a conversation."""

from __future__ import annotations

import os
import queue
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from kiosk.cli.common import ConfigFile, configuration, fail
from kiosk.cli.journal import NoJournal
from kiosk.config import A4Config, KioskConfig, PrinterConfig
from kiosk.domain.slip import Printable, PrintOutcome, PrintResult, Raster
from kiosk.domain.status import DeviceStatus

if TYPE_CHECKING:
    from kiosk.texts import Texts
    from kiosk.ui.slip import MissingGlyphs

app = typer.Typer(no_args_is_help=True, help="Print, or draw what would be printed.")
_PATIENCE_S = 60.0


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
    from kiosk.ui.raster import save_png
    from kiosk.ui.sample import sample_slip
    from kiosk.ui.slip import SlipPainter

    settings = configuration(config)
    if to is not None:
        settings = settings.model_copy(update={"printer": settings.printer.model_copy(update={"text_mode": False})})
    texts = _texts(settings)
    printable = _with_glyphs(SlipPainter(texts, settings).paint(sample_slip()))
    if to is None:
        _print_and_exit(printable, _at(settings.printer, port))
    assert isinstance(printable, Raster)
    try:
        save_png(printable, to)
    except OSError as error:
        fail(str(error))
    typer.echo(str(to))


@app.command()
def test(
    port: Annotated[str | None, typer.Option(help="Serial port; without it the configured one.")] = None,
    config: ConfigFile = None,
) -> None:
    """Ask the receipt printer what it can, print a slip of ruler, sizes and characters, and say how it ended.

    Status 1 unless the printer confirms it. Stop the terminal first: a port has one owner.
    """
    from kiosk.devices.printer.probe import probe
    from kiosk.devices.serial_line import LineLost, SerialLine
    from kiosk.ui.trial_slip import trial_slip

    settings = configuration(config)
    printer = _at(settings.printer, port)
    texts = _texts(settings)
    stop = threading.Event()
    try:
        line = SerialLine.open(printer.port, printer.baud, stop)
        try:
            probed = probe(line, stop)
        finally:
            line.close()
    except LineLost as lost:
        fail(f"blocked {lost.reason}")
    answers = list(probed.lines())
    fits = f"answers as {probed.fits.value}, configured is {printer.profile.value}" if probed.fits else _CANNOT_TELL
    for answer in (*answers, fits):
        typer.echo(answer)
    _print_and_exit(_with_glyphs(trial_slip(texts, printer, answers)), printer)


_CANNOT_TELL = "cannot tell while it is off-line: refill or close it and repeat"


def _at(printer: PrinterConfig, port: str | None) -> PrinterConfig:
    return printer.model_copy(update={"port": port} if port else {})


def _texts(settings: KioskConfig) -> Texts:
    """The catalogue, with an application and its fonts to draw it."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from kiosk.terminal.app import make_application
    from kiosk.texts import TextError, load_texts

    make_application(settings)
    try:
        return load_texts(settings.ui.texts)
    except TextError as error:
        fail(str(error))


def _with_glyphs(painted: Printable | MissingGlyphs) -> Printable:
    from kiosk.ui.slip import MissingGlyphs

    if isinstance(painted, MissingGlyphs):
        fail(f"{painted.count} characters have no glyph; run the set-up again to build the font")
    return painted


@app.command()
def pdf(
    file: Annotated[Path, typer.Argument(help="The document; it is printed on A4, one side, at its own size.")],
    queue_name: Annotated[str | None, typer.Option("--queue", help="Queue of CUPS.")] = None,
    server: Annotated[str | None, typer.Option(help="Address of CUPS, such as ipp://localhost:631.")] = None,
    printer: Annotated[str | None, typer.Option(help="The printer's own address, such as ipp://192.0.2.7/ipp/print.")] = None,
    seconds: Annotated[float | None, typer.Option(help="Patience before the job is taken back.")] = None,
    config: ConfigFile = None,
) -> None:
    """Print a PDF on the office printer and say how it ended; status 1 unless the printer confirms it.

    Options not given are those of the configuration. Stop the terminal first: a queue has one owner.
    """
    from pydantic import ValidationError

    from kiosk.devices.a4.pages import count_pages

    patience = {} if seconds is None else {"patience_s": seconds, "page_s": 0}
    given = {"queue": queue_name, "server": server, "printer": printer, **patience}
    changed = {key: value for key, value in given.items() if value is not None}
    try:
        settings = A4Config.model_validate({**configuration(config).a4.model_dump(), **changed, "enabled": True})
        document = file.read_bytes()
    except ValidationError as error:
        fail("\n".join(f"{'.'.join(map(str, fault['loc'])) or 'a4'}: {fault['msg']}" for fault in error.errors()))
    except OSError as error:
        fail(f"{file}: cannot be read: {error.strerror}")
    pages = count_pages(document)
    if pages is None:
        fail(f"{file}: is not a PDF that can be printed (damaged, locked or empty)")
    result = _print_pdf(document, settings, settings.patience_s + pages * settings.page_s + _PATIENCE_S)
    reason = f"{result.outcome.value} {result.reason}".strip()
    ended = _NOT_TAKEN_BACK if (result.outcome, result.reason) in _LEFT_BEHIND else _PDF_ENDED[result.outcome]
    typer.echo(f"{reason}: {ended.format(pages=pages)}")
    raise typer.Exit(0 if result.outcome is PrintOutcome.PRINTED else 1)


_PDF_ENDED = {
    PrintOutcome.PRINTED: "the printer confirms {pages} pages",
    PrintOutcome.BLOCKED: "nothing was sent",
    PrintOutcome.UNKNOWN: "the job was taken back; look at the paper before printing again",
}
_LEFT_BEHIND = {(PrintOutcome.UNKNOWN, reason) for reason in ("not_taken_back", "program_fault")}
_NOT_TAKEN_BACK = "the job could not be taken back: switch the printer off before anything else is printed"


def _print_pdf(document: bytes, settings: A4Config, wait_s: float) -> PrintResult:
    """wait_s: more than the service needs, which ends every job by itself."""
    from kiosk.devices.a4.service import A4Service

    results: queue.Queue[PrintResult] = queue.Queue()

    def ended(case_number: str, result: PrintResult) -> None:
        results.put(result)

    def tell(status: DeviceStatus) -> None:
        if status.reason:
            typer.echo(f"printer is {status.state.value} {status.reason}", err=True)

    service = A4Service(settings, NoJournal(), ended, tell)
    service.print(document, "BY HAND")
    service.start()
    try:
        return results.get(timeout=wait_s)
    except queue.Empty:
        return PrintResult(0, PrintOutcome.UNKNOWN, "not_taken_back")
    finally:
        service.stop()


def _print_and_exit(printable: Printable, settings: PrinterConfig) -> NoReturn:
    result = _print(printable, settings)
    typer.echo(f"{result.outcome.value} {result.reason}".strip())
    raise typer.Exit(0 if result.outcome is PrintOutcome.PRINTED else 1)


def _print(printable: Printable, settings: PrinterConfig) -> PrintResult:
    from kiosk.devices.printer.service import PrinterService

    results: queue.Queue[PrintResult] = queue.Queue()

    def ended(case_number: str, result: PrintResult) -> None:
        results.put(result)

    printer = PrinterService(settings, NoJournal(), ended, _ignore_status)
    printer.print(printable, "SAMPLE")
    printer.start()
    try:
        return results.get(timeout=_PATIENCE_S)
    except queue.Empty:
        return PrintResult(0, PrintOutcome.UNKNOWN, "mute")
    finally:
        printer.stop()


def _ignore_status(status: DeviceStatus) -> None:
    """The result alone counts here."""
