"""`kiosk read`: one device, without the terminal around it."""

from __future__ import annotations

import queue
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kiosk.cli.cardphoto import PhotoFile, check_photo_option, write_photo
from kiosk.cli.common import ConfigFile, configuration, fail, put
from kiosk.config import ScannerProof, SocialCardAdapter

if TYPE_CHECKING:
    from kiosk.devices.idcard.service import IdCardService
    from kiosk.devices.scanner.service import ScannerService
    from kiosk.devices.socialcard.service import SocialCardService

app = typer.Typer(no_args_is_help=True, help="Read from one device.")


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

    check_photo_option(photo, show)
    settings = configuration(config).idcard
    happened: queue.Queue[object] = queue.Queue()
    reader = IdCardService(
        port or settings.port, settings.baud, happened.put, happened.put, read_new_address=settings.read_new_address,
    )
    card = _first(reader, happened, IdCard, seconds, "reader", "card", "lay the card")
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
    from kiosk.domain.social_card import SocialCard

    named = {"adapter": adapter, "port": port, "reader": reader}
    settings = configuration(config).socialcard.model_copy(update={key: one for key, one in named.items() if one is not None})
    if settings.adapter is SocialCardAdapter.NONE:
        fail("no social-security-card reader is configured: add --adapter crt310 or --adapter pcsc")
    happened: queue.Queue[object] = queue.Queue()
    service = SocialCardService(settings, happened.put, happened.put)
    card = _first(service, happened, SocialCard, seconds, "reader", "card", "put the card in")
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
    from kiosk.devices.scanner.events import ScannedLookup, ScannedToken
    from kiosk.devices.scanner.service import ScannerService
    from kiosk.devices.scanner.shown import as_json

    named = {"port": port, "proof": proof}
    settings = configuration(config).scanner.model_copy(update={key: one for key, one in named.items() if one is not None})
    happened: queue.Queue[object] = queue.Queue()
    service = ScannerService(settings, happened.put, happened.put)
    scanned = _first(service, happened, (ScannedToken, ScannedLookup), seconds, "scanner", "code", "show a code")
    put(as_json(scanned, show), True)


def _first(
    service: IdCardService | SocialCardService | ScannerService, happened: queue.Queue[object], wanted: type | tuple[type, ...],
    seconds: float, device: str, thing: str, invitation: str,
) -> Any:
    """Works with the device until it has read the first `wanted`, and tells what it says meanwhile. Ends the command without."""
    from kiosk.devices.scanner.events import ScanRefused
    from kiosk.domain.social_card import SocialCardTrouble
    from kiosk.domain.status import DeviceStatus
    from kiosk.domain.trouble import CardTrouble

    service.seek()
    service.start()
    deadline, state = time.monotonic() + seconds, "unknown"
    try:
        while (left := deadline - time.monotonic()) > 0:
            try:
                news = happened.get(timeout=left)
            except queue.Empty:
                break
            if isinstance(news, wanted):
                return news
            match news:
                case DeviceStatus():
                    state = f"{news.state.value} {news.reason}".strip()
                    ready = news.usable or news.reason == "unproven"
                    typer.echo(f"{device} is {state}{f': {invitation}' if ready else ''}", err=True)
                case CardTrouble() | SocialCardTrouble():
                    typer.echo(f"{thing}: {news.value.replace('_', ' ')}", err=True)
                case ScanRefused():
                    typer.echo(f"{thing} refused: {news.refusal.value.replace('_', ' ')}", err=True)
    finally:
        service.stop()
    fail(f"no {thing} was read in {seconds:g} s; the {device} is {state}")
