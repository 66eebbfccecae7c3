"""`kiosk sync`: deliver to the office and pull from it."""

from __future__ import annotations

import dataclasses
import signal
import threading
from typing import Annotated

import typer

from kiosk.cli.common import AsJson, ConfigFile, configuration, fail, put

app = typer.Typer(no_args_is_help=True, help="Delivery to the office and back.")


@app.command()
def run(config: ConfigFile = None) -> None:
    """Deliver and pull until SIGTERM."""
    from kiosk.store.unusable import StoreUnusable
    from kiosk.sync import service

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        service.run(configuration(config), stop)
    except (StoreUnusable, service.AlreadyRunning) as error:
        fail(str(error))


@app.command()
def once(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """One pass over the outbox and one pull; status 1 while something is unsent."""
    from kiosk.store.unusable import StoreUnusable
    from kiosk.sync import service

    try:
        status = service.once(configuration(config))
    except (StoreUnusable, service.AlreadyRunning) as error:
        fail(str(error))
    put(dataclasses.asdict(status), as_json)
    raise typer.Exit(0 if status.green else 1)


@app.command()
def status(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """What is unsent and since when, and when the office was last heard; status 1 unless all is well."""
    from kiosk.store.opening import open_store
    from kiosk.store.unusable import StoreUnusable
    from kiosk.sync import service

    try:
        found = service.status(open_store(configuration(config)))
    except StoreUnusable as error:
        fail(str(error))
    put(dataclasses.asdict(found), as_json)
    raise typer.Exit(0 if found.green else 1)


@app.command()
def enrol(
    code: Annotated[str, typer.Argument(help="The code of `kiosk office enrol-terminal`; - reads it from standard input.")],
    config: ConfigFile = None,
) -> None:
    """Make this terminal known to the office. Keys are made here and never leave the machine."""
    from kiosk.store.opening import open_store
    from kiosk.store.unusable import StoreUnusable
    from kiosk.sync.identity import EnrolFailed
    from kiosk.sync.identity import enrol as redeem
    from kiosk.sync.wire.enrolment import EnrolmentCode, EnrolmentCodeError

    settings = configuration(config)
    text = typer.get_text_stream("stdin").read() if code == "-" else code
    try:
        engine = open_store(settings)
        parsed = EnrolmentCode.decode(text)
    except (StoreUnusable, EnrolmentCodeError) as error:
        fail(str(error))
    times = settings.sync
    result = redeem(engine, parsed, settings.site.name, times.connect_timeout_s, times.total_timeout_s)
    if isinstance(result, EnrolFailed):
        fail(f"not enrolled: {_EXPLAINED.get(result.reason, result.reason)}")
    typer.echo(f"enrolled as {result.terminal_id} at {result.office_url}")


_EXPLAINED = {
    "needs_https": "the office's address must begin with https:// unless it is this machine",
    "no_connection": "the office cannot be reached; check cable, network and address, the code stays good",
    "no_answer": "the office did not answer to the end; if a second try is refused, ask for a new code",
    "refused_403": "the office refused the code: used, older than 30 minutes or revoked; ask for a new one",
    "not_the_office": "what answered is not the office of this code; check the network for a proxy or portal",
}
