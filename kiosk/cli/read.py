"""`kiosk read`: one device, without the terminal around it."""

from __future__ import annotations

import queue
import time
from typing import Annotated

import typer

from kiosk.cli.cardphoto import PhotoFile, check_photo_option, write_photo
from kiosk.cli.common import ConfigFile, configuration, fail, put
from kiosk.config import ScannerProof, SocialCardAdapter

app = typer.Typer(no_args_is_help=True, help="Read from one device.")


@app.callback()
def _group() -> None:
    """Keeps `read idcard` a sub-command while it is the only one."""


@app.command()
def idcard(
    port: Annotated[str | None, typer.Option(help="Serial port; without it the configured one.")] = None,
    seconds: Annotated[float, typer.Option(help="How long to wait for a card.")] = 30.0,
    show: Annotated[bool, typer.Option("--show", help="Show personal data; only with the person's consent.")] = False,
    photo: PhotoFile = None,
    config: ConfigFile = None,
) -> None:
    """Wait for a card and print it as JSON, masked unless --show. Status 1 says why nothing was read."""
    from kiosk.devices.idcard.capture import as_json
    from kiosk.devices.idcard.service import IdCardService
    from kiosk.domain.document import IdCard
    from kiosk.domain.status import DeviceState, DeviceStatus
    from kiosk.domain.trouble import CardTrouble

    check_photo_option(photo, show)
    settings = configuration(config).idcard
    happened: queue.Queue[object] = queue.Queue()
    reader = IdCardService(
        port or settings.port, settings.baud, happened.put, happened.put, read_new_address=settings.read_new_address,
    )
    reader.start()
    reader.seek()
    deadline, card, state = time.monotonic() + seconds, None, "unknown"
    try:
        while card is None and (left := deadline - time.monotonic()) > 0:
            try:
                news = happened.get(timeout=left)
            except queue.Empty:
                break
            if isinstance(news, IdCard):
                card = news
            elif isinstance(news, DeviceStatus):
                state = f"{news.state.value} {news.reason}".strip()
                if news.state is not DeviceState.READY:
                    typer.echo(f"reader is {state}", err=True)
                else:
                    typer.echo("reader is ready: lay the card", err=True)
            elif isinstance(news, CardTrouble):
                typer.echo(f"card: {news.value.replace('_', ' ')}", err=True)
    finally:
        reader.stop()
    if card is None:
        fail(f"no card was read in {seconds:g} s; the reader is {state}")
    put(as_json(card, show), True)
    if photo:
        write_photo(card, photo, settings)


@app.command()
def socialcard(
    adapter: Annotated[SocialCardAdapter | None, typer.Option(help="Which reader; without it the configured one.")] = None,
    port: Annotated[str | None, typer.Option(help="Serial port of a CRT-310; without it the configured one.")] = None,
    reader: Annotated[str | None, typer.Option(help="Part of a PC/SC reader's name; without it the configured one.")] = None,
    seconds: Annotated[float, typer.Option(help="How long to wait for a card.")] = 30.0,
    show: Annotated[bool, typer.Option("--show", help="Show personal data; only with the person's consent.")] = False,
    config: ConfigFile = None,
) -> None:
    """Wait for a social security card and print what it gives as JSON, masked unless --show. Status 1 says why not."""
    from kiosk.devices.socialcard.service import SocialCardService
    from kiosk.devices.socialcard.shown import as_json
    from kiosk.domain.social_card import SocialCard, SocialCardTrouble
    from kiosk.domain.status import DeviceState, DeviceStatus

    named = {"adapter": adapter, "port": port, "reader": reader}
    settings = configuration(config).socialcard.model_copy(update={key: one for key, one in named.items() if one is not None})
    if settings.adapter is SocialCardAdapter.NONE:
        fail("no social-security-card reader is configured: add --adapter crt310 or --adapter pcsc")
    happened: queue.Queue[object] = queue.Queue()
    service = SocialCardService(settings, happened.put, happened.put)
    service.seek()
    service.start()
    deadline, card, state = time.monotonic() + seconds, None, "unknown"
    try:
        while card is None and (left := deadline - time.monotonic()) > 0:
            try:
                news = happened.get(timeout=left)
            except queue.Empty:
                break
            if isinstance(news, SocialCard):
                card = news
            elif isinstance(news, DeviceStatus):
                state = f"{news.state.value} {news.reason}".strip()
                hint = ": put the card in" if news.state is DeviceState.READY and not news.reason else ""
                typer.echo(f"reader is {state}{hint}", err=True)
            elif isinstance(news, SocialCardTrouble):
                typer.echo(f"card: {news.value.replace('_', ' ')}", err=True)
    finally:
        service.stop()
    if card is None:
        fail(f"no card was read in {seconds:g} s; the reader is {state}")
    put(as_json(card, show), True)


@app.command()
def scanner(
    port: Annotated[str | None, typer.Option(help="Serial port; without it the configured one.")] = None,
    proof: Annotated[ScannerProof | None, typer.Option(help="How it proves itself; without it as configured.")] = None,
    seconds: Annotated[float, typer.Option(help="How long to wait for a code.")] = 30.0,
    show: Annotated[bool, typer.Option("--show", help="Show the code itself; only with the person's consent.")] = False,
    config: ConfigFile = None,
) -> None:
    """Wait for a code and print what it is as JSON, its content only with --show. Status 1 says why nothing was read."""
    from kiosk.devices.scanner.events import ScannedLookup, ScannedToken, ScanRefused
    from kiosk.devices.scanner.service import ScannerService
    from kiosk.devices.scanner.shown import as_json
    from kiosk.domain.status import DeviceStatus

    named = {"port": port, "proof": proof}
    settings = configuration(config).scanner.model_copy(update={key: one for key, one in named.items() if one is not None})
    happened: queue.Queue[object] = queue.Queue()
    service = ScannerService(settings, happened.put, happened.put)
    service.seek()
    service.start()
    deadline, scanned, state = time.monotonic() + seconds, None, "unknown"
    try:
        while scanned is None and (left := deadline - time.monotonic()) > 0:
            try:
                news = happened.get(timeout=left)
            except queue.Empty:
                break
            if isinstance(news, ScannedToken | ScannedLookup):
                scanned = news
            elif isinstance(news, DeviceStatus):
                state = f"{news.state.value} {news.reason}".strip()
                hint = ": show a code" if news.usable or news.reason == "unproven" else ""
                typer.echo(f"scanner is {state}{hint}", err=True)
            elif isinstance(news, ScanRefused):
                typer.echo(f"code refused: {news.refusal.value.replace('_', ' ')}", err=True)
    finally:
        service.stop()
    if scanned is None:
        fail(f"no code was read in {seconds:g} s; the scanner is {state}")
    put(as_json(scanned, show), True)
