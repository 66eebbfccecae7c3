"""`kiosk …`: one file per group of commands; rooms are imported only by the command that needs them."""

from __future__ import annotations

import logging

import typer

from kiosk.cli import (
    audit,
    config,
    decode,
    demo,
    devices,
    emulate,
    face,
    office,
    print_,
    read,
    retention,
    run,
    staff,
    store,
    sync,
)
from kiosk.no_dumps import no_core_dumps

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
                  help="Self-service pension certification terminal and town office.")

app.command("run")(run.run)
app.command("demo")(demo.demo)
app.add_typer(sync.app, name="sync")
app.add_typer(office.app, name="office")
app.add_typer(read.app, name="read")
app.add_typer(decode.app, name="decode")
app.add_typer(face.app, name="face")
app.add_typer(print_.app, name="print")
app.add_typer(emulate.app, name="emulate")
app.add_typer(devices.app, name="devices")
app.add_typer(config.app, name="config")
app.add_typer(staff.app, name="staff")
app.add_typer(audit.app, name="audit")
app.add_typer(retention.app, name="retention")
app.add_typer(store.app, name="store")


@app.callback()
def _logging(verbose: bool = typer.Option(False, "--verbose", "-v", help="Log every change, not only trouble.")) -> None:
    no_core_dumps()
    logging.basicConfig(level=logging.INFO if verbose else logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
