"""`kiosk …`: one file per group of commands; rooms are imported only by the command that needs them."""

from __future__ import annotations

import logging

import typer

from kiosk.cli import config, decode, demo, devices, emulate, face, office, print_, read, run, staff, sync

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


@app.callback()
def _logging(verbose: bool = typer.Option(False, "--verbose", "-v", help="Log every change, not only trouble.")) -> None:
    logging.basicConfig(level=logging.INFO if verbose else logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
