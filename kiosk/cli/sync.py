"""`kiosk sync`: deliver to the office and pull from it."""

from __future__ import annotations

import dataclasses
import datetime as dt
import signal
import threading
from typing import Annotated

import typer

from kiosk.cli import usb
from kiosk.cli.clock import set_clock
from kiosk.cli.common import AsJson, ConfigFile, configuration, fail, put

app = typer.Typer(no_args_is_help=True, help="Delivery to the office and back.")
app.command("set-clock")(set_clock)
app.command("export")(usb.export)
app.command("import")(usb.import_)


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
        settings = configuration(config)
        found = service.status(open_store(settings), settings.retention.unsafe_alarm_h)
    except StoreUnusable as error:
        fail(str(error))
    put(dataclasses.asdict(found), as_json)
    raise typer.Exit(0 if found.green else 1)


@app.command()
def outbox(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Cases the office has not proven to have, oldest first: state, tries, age in hours, pieces sent, last error."""
    from kiosk.store.opening import open_store
    from kiosk.store.unusable import StoreUnusable
    from kiosk.store.waiting import waiting_cases

    try:
        waiting = waiting_cases(open_store(configuration(config)), dt.datetime.now(dt.UTC))
    except StoreUnusable as error:
        fail(str(error))
    if as_json:
        put([dataclasses.asdict(one) for one in waiting], as_json)
        return
    for one in waiting:
        pieces = f"{one.pieces_done}/{one.pieces}" if one.pieces else "-"
        typer.echo(
            f"{one.case_number}  {one.state:7}  {one.attempts:4}  {one.age_s / 3600:8.1f} h  {pieces:>5}  {one.last_error or '-'}"
        )


@app.command()
def requeue(config: ConfigFile = None) -> None:
    """Send refused cases again, after their cause has been cleared at the office."""
    from kiosk.store.opening import open_store
    from kiosk.store.outbox import Outbox
    from kiosk.store.unusable import StoreUnusable

    settings = configuration(config)
    try:
        queue = Outbox(open_store(settings), settings.sync.backoff_base_s, settings.sync.backoff_cap_s)
    except StoreUnusable as error:
        fail(str(error))
    typer.echo(f"{queue.requeue_dead(dt.datetime.now(dt.UTC))} refused cases go again")


@app.command()
def reconcile(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Compare day by day with the office what is delivered and safe; what it has lost goes again. Status 1 unless all is well."""
    from kiosk.store.opening import open_store
    from kiosk.store.unusable import StoreUnusable
    from kiosk.sync import service
    from kiosk.sync.reconcile import reconcile_once

    settings = configuration(config)
    try:
        done = reconcile_once(open_store(settings), settings.sync, service.now)
    except StoreUnusable as error:
        fail(str(error))
    if done is None:
        fail("this terminal is not enrolled")
    told = dataclasses.asdict(done)
    if as_json:
        put(told, as_json)
    else:
        for one in told.pop("table"):
            words = ", ".join(("in the office" if one["live"] else "office differs", "safe" if one["safe"] else "not safe"))
            typer.echo(f"{one['day']}  {one['cases']:5} cases  {words}  {one['missing']:4} missing")
        put(told, as_json)
    raise typer.Exit(1 if done.trouble or done.lost else 0)


@app.command()
def enrol(
    code: Annotated[str, typer.Argument(help="A code of `kiosk office enrol-terminal`, long or short; - reads it.")],
    config: ConfigFile = None,
) -> None:
    """Make this terminal known to the office. Keys are made here and never leave the machine."""
    from kiosk.domain.short_code import is_short_code
    from kiosk.store.opening import open_store
    from kiosk.store.unusable import StoreUnusable
    from kiosk.sync.enrol import EnrolFailed, enrol_short
    from kiosk.sync.enrol import enrol as redeem
    from kiosk.sync.wire.enrolment import EnrolmentCode, EnrolmentCodeError

    settings = configuration(config)
    text = typer.get_text_stream("stdin").read() if code == "-" else code
    try:
        engine = open_store(settings)
        parsed = digits if is_short_code(digits := "".join(text.split())) else EnrolmentCode.decode(text)
    except (StoreUnusable, EnrolmentCodeError) as error:
        fail(str(error))
    times = settings.sync
    name, limits = settings.site.name, (times.connect_timeout_s, times.total_timeout_s)
    if isinstance(parsed, str):
        result = enrol_short(engine, parsed, times.office_url, name, *limits)
    else:
        result = redeem(engine, parsed, name, *limits)
    if isinstance(result, EnrolFailed):
        fail(f"not enrolled: {_EXPLAINED.get(result.reason, result.reason)}")
    typer.echo(f"enrolled as {result.terminal_id} at {result.office_url}")


_EXPLAINED = {
    "needs_https": "the office's address must begin with https:// unless it is this machine",
    "no_connection": "the office cannot be reached; check cable, network and address, the code stays good",
    "no_answer": "the office did not answer to the end; try again with the same code",
    "no_office_url": "a short code needs the office's address: set sync.office_url, or use the long code",
    "locked": "too many wrong codes were tried at the office; wait ten minutes and try again with the same code",
    "certificate_dates": "the office's certificate is not valid by this machine's clock; check date and time here",
    "refused_403": "the office refused the code: used, older than 30 minutes or revoked; ask for a new one",
    "not_the_office": "what answered is not the office of this code; check the network for a proxy or portal",
}
