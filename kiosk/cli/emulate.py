"""`kiosk emulate`: one emulated device for another program, on a real pseudo-terminal or stream."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import typer

from kiosk.cli.common import fail

app = typer.Typer(no_args_is_help=True, help="An emulated device at the far end of the wire.")

Link = Annotated[Path | None, typer.Option(help="Name of the port to make; without it one under /tmp.")]
Fault = Annotated[str, typer.Option(help="What is wrong with the device; `list` names the faults.")]
_NEW_ADDRESS = "测试市测试区新地址路3号"
_Emulator = TypeVar("_Emulator")


@app.command()
def idcard(
    link: Link = None,
    card: Annotated[bool, typer.Option(help="A sample card lies on the reader.")] = True,
    kind: Annotated[Literal["resident", "hmt", "foreign2017", "foreign2023"], typer.Option(help="Of the card.")] = "resident",
    new_address: Annotated[bool, typer.Option("--new-address", help="The card also holds a new address.")] = False,
    fault: Fault = "",
) -> None:
    """A SAM_V reader; prints the port to use and runs until interrupted."""
    from kiosk.devices.emulated.cards import EmulatedCard, sample_of
    from kiosk.devices.emulated.idcard import IdCardEmulator
    from kiosk.devices.emulated.idcard_faults import FAULTS
    from kiosk.domain.document import CardKind

    break_it = _chosen(fault, FAULTS)
    with IdCardEmulator(link or Path("/tmp/kiosk-emulated-idcard")) as reader:
        if card:
            reader.lay(EmulatedCard.of(replace(sample_of(CardKind(kind)), new_address=_NEW_ADDRESS if new_address else None)))
        break_it(reader)
        _serve(str(reader.port.path))


@app.command()
def printer(
    link: Link = None,
    slips: Annotated[Path, typer.Option(help="Folder for the slips as PNG.")] = Path("var/slips"),
    profile: Annotated[
        Literal["epson", "snbc", "custom", "clone", "mute"], typer.Option(help="The make it behaves like.")
    ] = "epson",
    fault: Fault = "",
) -> None:
    """A receipt printer that draws what it receives; prints the port to use and runs until interrupted."""
    from kiosk.devices.emulated.printer import PrinterEmulator
    from kiosk.devices.emulated.printer_faults import FAULTS
    from kiosk.devices.emulated.pty import PtyPort

    break_it = _chosen(fault, FAULTS)
    path = link or Path("/tmp/kiosk-emulated-printer")
    with PtyPort(path) as line, PrinterEmulator(line, make=profile, slip_dir=slips) as emulated:
        break_it(emulated.faults)
        _serve(str(line.path))


@app.command()
def camera(
    port: Annotated[int, typer.Option(min=0, max=65535, help="TCP port on loopback; 0 takes any free one.")] = 0,
    person: Annotated[
        Literal["cardholder", "stranger", "stiff", "photo", "waved_photo", "bent_photo", "cut_eyes", "screen", "two", "nobody"],
        typer.Option(),
    ] = "cardholder",
    fault: Fault = "",
) -> None:
    """A camera stream of a living portrait; prints the address to use and runs until interrupted."""
    from kiosk.devices.emulated.camera import FAULTS, CameraEmulator
    from kiosk.devices.emulated.people import Person

    break_it = _chosen(fault, FAULTS)
    emulated = CameraEmulator(port, Person(person))
    break_it(emulated)
    _serve(emulated.stream)
    emulated.stop()


@app.command()
def a4(
    sheets: Annotated[Path, typer.Option(help="Folder for the documents that come out.")] = Path("var/sheets"),
    fault: Fault = "",
) -> None:
    """CUPS with a queue and an IPP printer behind it; prints their configuration and runs until interrupted."""
    from kiosk.devices.emulated.a4 import FAULTS, QUEUE, A4Emulator

    break_it = _chosen(fault, FAULTS)
    with A4Emulator(sheets) as emulated:
        break_it(emulated)
        spooler, printer = emulated.spooler.server, emulated.printer.uri
        _serve(f'[a4]\nenabled = true\nqueue = "{QUEUE}"\nserver = "{spooler}"\nprinter = "{printer}"')


@app.command()
def socialcard(
    link: Link = None,
    pcsc: Annotated[bool, typer.Option("--pcsc", help="A PC/SC reader with its own pcscd (root) instead of a CRT-310.")] = False,
    card: Annotated[Literal["second", "third", "other", "upside-down", "none"], typer.Option(help="Which card.")] = "second",
    fault: Fault = "",
) -> None:
    """A CRT-310 with somebody who puts a card in whenever the slot opens and takes it back; or a PC/SC reader with a
    card in it. Prints the port, or the reader's name, and runs until interrupted."""
    import contextlib
    import tempfile

    from kiosk.devices.emulated import socialcard as cards
    from kiosk.devices.emulated.crt310 import Crt310Emulator
    from kiosk.devices.emulated.crt310_faults import FAULTS
    from kiosk.devices.emulated.vpcd import READER, Pcscd, VpcdCard

    contents = {
        "second": cards.second_generation(), "third": cards.third_generation(), "other": cards.other_chip(),
        "upside-down": cards.upside_down(cards.second_generation()),
    }
    held = cards.ScriptedCard(contents[card]) if card in contents else None
    break_it = _chosen(fault, FAULTS)
    if fault and pcsc:
        fail("the faults are those of a CRT-310: leave --pcsc out")
    with contextlib.ExitStack() as stack:
        if not pcsc:
            slot = stack.enter_context(Crt310Emulator(link or Path("/tmp/kiosk-emulated-socialcard")))
            break_it(slot)
            _serve(str(slot.port.path), lambda: held is not None and (slot.take() or slot.insert(held)))
            return
        try:
            daemon = stack.enter_context(Pcscd(Path(stack.enter_context(tempfile.TemporaryDirectory()))))
        except (OSError, RuntimeError) as error:
            fail(str(error))
        if held is not None:
            stack.enter_context(VpcdCard(held, daemon))
        _serve(READER)


@app.command()
def scanner(
    link: Link = None,
    suffix: Annotated[Literal["cr", "lf", "crlf", "none"], typer.Option(help="What follows a code.")] = "cr",
    aim_id: Annotated[bool, typer.Option(help="Send the AIM id ]Q1 before a code.")] = True,
    newland: Annotated[bool, typer.Option(help="Answer Newland's query.")] = True,
    fault: Fault = "",
) -> None:
    """A code scanner: every line on stdin is a code held before it. Prints the port and runs until interrupted."""
    from kiosk.devices.emulated.scanner import FAULTS, ScannerEmulator

    break_it = _chosen(fault, FAULTS)
    with ScannerEmulator(link or Path("/tmp/kiosk-emulated-scanner")) as emulated:
        emulated.suffix = {"cr": "\r", "lf": "\n", "crlf": "\r\n", "none": ""}[suffix]
        emulated.aim_id = "]Q1" if aim_id else ""
        emulated.answers = newland
        break_it(emulated)

        def scan_lines() -> None:
            for line in sys.stdin:
                emulated.scan(line.rstrip("\r\n"))

        threading.Thread(target=scan_lines, name="scans", daemon=True).start()  # a read of stdin cannot be ended
        _serve(str(emulated.port.path))


def _chosen(fault: str, faults: Mapping[str, Callable[[_Emulator], object]]) -> Callable[[_Emulator], object]:
    """What brings the fault about; nothing where none is named. `list` and a name that is none end the command."""
    if fault == "list":
        typer.echo("\n".join(faults))
        raise typer.Exit
    if fault and fault not in faults:
        fail(f"no fault is called {fault}; there are {', '.join(faults)}")
    return faults[fault] if fault else lambda emulator: None


def _serve(where: str, meanwhile: Callable[[], object] = lambda: None) -> None:
    """Says where it can be reached and runs until interrupted: who has read that may interrupt at once."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    typer.echo(where)
    while not stop.wait(0.3):
        meanwhile()
