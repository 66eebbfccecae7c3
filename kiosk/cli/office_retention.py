"""`kiosk office retention`: what the office erases and when, and a run by hand."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from kiosk.cli.common import AsJson, fail, put
from kiosk.office import DATA_VARIABLE

app = typer.Typer(no_args_is_help=True, help="What the office erases and when.")

Data = Annotated[Path, typer.Option(envvar=DATA_VARIABLE, help="Folder of database, keys and photographs.")]
_HERE = Path("var/office")


@app.command()
def plan(data: Data = _HERE, as_json: AsJson = False) -> None:
    """Say what would be erased now, what comes due when, and how much waits for an officer; change nothing."""
    from kiosk.office import service

    os.environ[DATA_VARIABLE] = str(data)
    try:
        put(service.retention_plan(), as_json)
    except service.NotInitialised as error:
        fail(str(error))


@app.command()
def run(data: Data = _HERE, as_json: AsJson = False) -> None:
    """Erase what is due now; the serving office does so once a day."""
    from kiosk.office import service

    os.environ[DATA_VARIABLE] = str(data)
    try:
        put(service.run_retention(), as_json)
    except service.NotInitialised as error:
        fail(str(error))
