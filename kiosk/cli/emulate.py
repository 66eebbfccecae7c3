"""`kiosk emulate`: one emulated device for another program, on a real pseudo-terminal or stream."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import Annotated, Literal

import typer

app = typer.Typer(no_args_is_help=True, help="An emulated device at the far end of the wire.")

Link = Annotated[Path | None, typer.Option(help="Name of the port to make; without it one under /tmp.")]


@app.command()
def idcard(
    link: Link = None,
    card: Annotated[bool, typer.Option(help="A sample card lies on the reader.")] = True,
) -> None:
    """A SAM_V reader; prints the port to use and runs until interrupted."""
    from kiosk.devices.emulated.cards import EmulatedCard, sample_card
    from kiosk.devices.emulated.idcard import IdCardEmulator

    with IdCardEmulator(link or Path("/tmp/kiosk-emulated-idcard")) as reader:
        if card:
            reader.lay(EmulatedCard.of(sample_card()))
        typer.echo(str(reader.port.path))
        _until_interrupted()


@app.command()
def printer(
    link: Link = None,
    slips: Annotated[Path, typer.Option(help="Folder for the slips as PNG.")] = Path("var/slips"),
) -> None:
    """A receipt printer that draws what it receives; prints the port to use and runs until interrupted."""
    from kiosk.devices.emulated.printer import PrinterEmulator
    from kiosk.devices.emulated.pty import PtyPort

    with PtyPort(link or Path("/tmp/kiosk-emulated-printer")) as line, PrinterEmulator(line, slip_dir=slips):
        typer.echo(str(line.path))
        _until_interrupted()


@app.command()
def camera(
    port: Annotated[int, typer.Option(min=0, max=65535, help="TCP port on loopback; 0 takes any free one.")] = 0,
    person: Annotated[Literal["cardholder", "stranger", "photo", "two", "nobody"], typer.Option()] = "cardholder",
) -> None:
    """A camera stream of a living portrait; prints the address to use and runs until interrupted."""
    from kiosk.devices.emulated.camera import CameraEmulator
    from kiosk.devices.emulated.people import Person

    emulated = CameraEmulator(port, Person(person))
    typer.echo(emulated.stream)
    _until_interrupted()
    emulated.stop()


def _until_interrupted() -> None:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    stop.wait()
