"""`kiosk office retention`: what the office erases and when, and a run by hand."""

from __future__ import annotations

import typer

from kiosk.cli.common import AsJson, fail, put
from kiosk.cli.office_data import HERE, Data, at

app = typer.Typer(no_args_is_help=True, help="What the office erases and when.")


@app.command()
def plan(data: Data = HERE, as_json: AsJson = False) -> None:
    """Say what would be erased now, what comes due when, and how much waits for an officer; change nothing."""
    from kiosk.office import service

    at(data)
    try:
        put(service.retention_plan(), as_json)
    except service.NotInitialised as error:
        fail(str(error))


@app.command()
def run(data: Data = HERE, as_json: AsJson = False) -> None:
    """Erase what is due now; the serving office does so once a day."""
    from kiosk.office import service

    at(data)
    try:
        put(service.run_retention(), as_json)
    except service.NotInitialised as error:
        fail(str(error))
