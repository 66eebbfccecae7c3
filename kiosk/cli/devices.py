"""`kiosk devices`: how they are, which is at which port, and what goes over the wire."""

from __future__ import annotations

import queue
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kiosk.cli.common import AsJson, ConfigFile, configuration, fail, put
from kiosk.config import KioskConfig, SocialCardAdapter
from kiosk.domain.status import DeviceKind, DeviceStatus

if TYPE_CHECKING:
    from kiosk.devices.identify import Answers, Nobody
    from kiosk.devices.serial_line import Direction, Tap
    from kiosk.devices.service import DeviceService

app = typer.Typer(help="How the devices are; which one is where; what goes over the wire.")

_CLEAR = "\x1b[H\x1b[2J"
_QUIET_S = 0.5
"""After this long without a byte, what has begun on the wire is no frame."""
_PCSC_S = 5.0


class SerialKind(StrEnum):
    """Devices that may be on a serial line."""

    IDCARD = "idcard"
    SOCIALCARD = "socialcard"
    SCANNER = "scanner"
    PRINTER = "printer"


@app.callback(invoke_without_command=True)
def table(
    context: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="Once every device has said something, print the table and end.")] = False,
    seconds: Annotated[float, typer.Option(help="With --once: how long to wait for that.")] = 15.0,
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """A table of all devices, refreshed each second until interrupted. With --once status 1 means: not all are usable."""
    if context.invoked_subcommand is not None:
        return
    from kiosk.cli.device_states import open_source, settled

    with open_source(configuration(config)) as source, _interrupted() as stop:
        if not once:
            while not stop.wait(1.0):
                _show(source.states(), source.origin, as_json, refresh=True)
            return
        deadline = time.monotonic() + seconds
        while not settled(source.states()) and time.monotonic() < deadline and not stop.wait(0.1):
            pass
        states = source.states()
        _show(states, source.origin, as_json)
    raise typer.Exit(0 if states and all(status.usable for status in states) else 1)


@app.command()
def find(
    ports: Annotated[list[str] | None, typer.Argument(metavar="PORT", help="Without any: all serial ports there are.")] = None,
    thorough: Annotated[bool, typer.Option("--thorough", help="Ask at every speed a device may be set to.")] = False,
    patience: Annotated[float, typer.Option(min=0.1, max=10.0, help="Factor on every wait, for slow converters.")] = 1.0,
    as_json: AsJson = False,
) -> None:
    """Ask every port who is there, and print the udev rule for its socket. Status 1: no device answers.

    Stop the terminal first: a port has one owner. No card is moved; only a printer that does not answer prints stray letters.
    """
    from kiosk.devices.identify import identify
    from kiosk.devices.ports import cameras, serial_ports

    known = serial_ports()
    found: list[dict[str, Any]] = []
    for port in ports or known:
        if not as_json:
            typer.echo(f"{port} …", err=True)
        found.append(_port_facts(port, known.get(port, ""), identify(port, thorough=thorough, patience=patience)))
        if not as_json:
            _show_found(found[-1])
    others = [] if ports else [*({"port": path, **_rule(DeviceKind.CAMERA, path)} for path in cameras()), *_pcsc_readers()]
    if as_json:
        put([*found, *others], True)
    else:
        for other in others:
            _show_found(other)
    if sum("reader" not in other for other in others) > 1:
        typer.echo("several cameras: one is kiosk/camera; call an infrared half kiosk/camera-ir (camera.ir_source)", err=True)
    if not others and all("answers" not in facts for facts in found):
        fail("no device answers" if found else "there is no serial port")


@app.command()
def trace(
    device: Annotated[SerialKind, typer.Argument(help="Which device.")],
    port: Annotated[str | None, typer.Option(help="Serial port; without it the configured one.")] = None,
    seconds: Annotated[float, typer.Option(help="How long to watch.")] = 30.0,
    config: ConfigFile = None,
) -> None:
    """Work with one device and print what goes over the wire: commands, status bytes and sizes, never content.

    Stop the terminal first: a port has one owner.
    """
    from kiosk.devices.trace import TraceLine, tracer

    happened: queue.Queue[tuple[float, DeviceStatus | tuple[Direction, bytes]]] = queue.Queue()

    def seen(direction: Direction, data: bytes) -> None:
        happened.put((time.monotonic(), (direction, data)))

    def told(status: DeviceStatus) -> None:
        happened.put((time.monotonic(), status))

    explain = tracer(DeviceKind(device.value))
    service = _seeking(configuration(config), device, port, told, seen)
    begin = at = time.monotonic()

    def put_lines(lines: list[TraceLine]) -> None:
        for line in lines:
            typer.echo(f"{at - begin:8.3f} {line.direction.value} {line.text}")

    service.start()
    try:
        while (left := begin + seconds - time.monotonic()) > 0:
            try:
                at, news = happened.get(timeout=min(left, _QUIET_S))
            except queue.Empty:
                put_lines(explain.rest())
                continue
            if isinstance(news, DeviceStatus):
                typer.echo(f"{at - begin:8.3f} = {news.state.value} {news.reason}".rstrip())
            else:
                put_lines(explain.feed(*news))
    except KeyboardInterrupt:
        pass
    finally:
        service.stop()


def _seeking(config: KioskConfig, device: SerialKind, port: str | None, told: Any, seen: Tap) -> DeviceService:
    """The service of one device, not yet started, that looks for cards or codes once it is."""
    from kiosk.cli.journal import NoJournal
    from kiosk.devices.idcard.service import IdCardService
    from kiosk.devices.printer.service import PrinterService
    from kiosk.devices.scanner.service import ScannerService
    from kiosk.devices.socialcard.service import SocialCardService

    def nothing(*happened: object) -> None:
        """What was read or printed does not matter here."""

    at = {"port": port} if port else {}
    service: IdCardService | PrinterService | ScannerService | SocialCardService
    match device:
        case SerialKind.IDCARD:
            service = IdCardService(port or config.idcard.port, config.idcard.baud, told, nothing)
        case SerialKind.SOCIALCARD:
            serial = {"adapter": SocialCardAdapter.CRT310, **at}
            service = SocialCardService(config.socialcard.model_copy(update=serial), told, nothing)
        case SerialKind.SCANNER:
            service = ScannerService(config.scanner.model_copy(update=at), told, nothing)
        case SerialKind.PRINTER:
            service = PrinterService(config.printer.model_copy(update=at), NoJournal(), nothing, told)
    if not isinstance(service, PrinterService):
        service.seek()
    service.tap = seen
    return service


def _show(states: Sequence[DeviceStatus], origin: str, as_json: bool, refresh: bool = False) -> None:
    rows = [
        {
            "kind": status.kind.value, "state": status.state.value, "reason": status.reason,
            "since": status.since.astimezone().isoformat(timespec="seconds") if status.since else None,
        }
        for status in sorted(states, key=lambda status: status.kind)
    ]
    if as_json:
        put(rows, True)
        return
    if refresh and sys.stdout.isatty():
        typer.echo(_CLEAR, nl=False)
    typer.echo(f"{'device':<12}{'state':<10}{'reason':<20}since  ({origin})")
    for row in rows:
        typer.echo(f"{row['kind']:<12}{row['state']:<10}{row['reason'] or '-':<20}{row['since'] or '-'}")


def _port_facts(port: str, name: str, result: Answers | Nobody) -> dict[str, Any]:
    from kiosk.devices.identify import Answers

    facts: dict[str, Any] = {"port": port, "name": name}
    if not isinstance(result, Answers):
        return {**facts, "nobody": result.reason}
    return {**facts, "answers": result.kind.value, "baud": result.baud, "detail": result.detail, **_rule(result.kind, port)}


def _rule(kind: DeviceKind, path: str) -> dict[str, Any]:
    from kiosk.devices.ports import socket_of, udev_rule

    socket = socket_of(path)
    return {"rule": None if socket is None else udev_rule(kind, socket)}


def _show_found(facts: dict[str, Any]) -> None:
    name = f" ({facts['name']})" if facts.get("name") else ""
    if "reader" in facts:
        typer.echo(f"PC/SC reader: {facts['reader']}")
        return
    if "nobody" in facts:
        typer.echo(f"{facts['port']}{name}: {facts['nobody']}")
        return
    what = f"{facts['answers']} at {facts['baud']} ({facts['detail']})" if "answers" in facts else "camera"
    typer.echo(f"{facts['port']}{name}: {what}")
    typer.echo(f"    {facts['rule'] or 'no udev rule: the system knows no socket of this port'}")


def _pcsc_readers() -> list[dict[str, Any]]:
    """The first PC/SC reader, if a pcscd runs; asked in a process of its own, for a driver may hang."""
    from kiosk.devices.service import DeviceLost
    from kiosk.devices.socialcard.pcsc.child import PcscChild
    from kiosk.devices.socialcard.pcsc.messages import Op

    if not Path("/run/pcscd/pcscd.comm").exists():
        return []
    child = PcscChild(threading.Event())
    try:
        return [{"reader": child.order(Op.OPEN, "", _PCSC_S)}]
    except DeviceLost:
        return []
    finally:
        child.kill()


@contextmanager
def _interrupted() -> Iterator[threading.Event]:
    """Set by SIGTERM and SIGINT, so that the devices are always let go."""
    stop = threading.Event()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
