"""`kiosk read`: one device, without the terminal around it."""

from __future__ import annotations

import queue
import time
from typing import Annotated

import typer

from kiosk.cli.common import ConfigFile, configuration, fail, put

app = typer.Typer(no_args_is_help=True, help="Read from one device.")


@app.callback()
def _group() -> None:
    """Keeps `read idcard` a sub-command while it is the only one."""


@app.command()
def idcard(
    port: Annotated[str | None, typer.Option(help="Serial port; without it the configured one.")] = None,
    seconds: Annotated[float, typer.Option(help="How long to wait for a card.")] = 30.0,
    show: Annotated[bool, typer.Option("--show", help="Show personal data; only with the person's consent.")] = False,
    config: ConfigFile = None,
) -> None:
    """Wait for a card and print it as JSON, masked unless --show. Status 1 says why nothing was read."""
    from kiosk.devices.idcard.capture import as_json
    from kiosk.devices.idcard.service import IdCardService
    from kiosk.domain.document import IdCard
    from kiosk.domain.status import DeviceState, DeviceStatus
    from kiosk.domain.trouble import CardTrouble

    settings = configuration(config).idcard
    happened: queue.Queue[object] = queue.Queue()
    reader = IdCardService(port or settings.port, settings.baud, happened.put, happened.put)
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
