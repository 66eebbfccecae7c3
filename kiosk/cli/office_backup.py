"""`kiosk office backup`, `backups`, `restore-check`, `reimport-archive`: copies that were opened again and checked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kiosk.cli.common import AsJson, fail, put
from kiosk.cli.office_data import HERE, Data, at

app = typer.Typer(no_args_is_help=True)


@app.command()
def backup(data: Data = HERE, as_json: AsJson = False) -> None:
    """Make a backup now, open it again and check it. Status 1 when it is not good."""
    from kiosk.office import service

    at(data)
    try:
        made = service.make_backup()
    except service.NotInitialised as error:
        fail(str(error))
    put(made, as_json)
    raise typer.Exit(1 if made["trouble"] else 0)


@app.command()
def backups(data: Data = HERE, as_json: AsJson = False) -> None:
    """All backups, newest first; `there` says whether the file still lies where it was put."""
    from kiosk.office import service

    at(data)
    try:
        put(service.list_backups(), as_json)
    except service.NotInitialised as error:
        fail(str(error))


@app.command("restore-check")
def restore_check(
    file: Annotated[Path, typer.Argument(help="Any copy of the office's database.")], data: Data = HERE, as_json: AsJson = False,
) -> None:
    """Open a copy, read only, and hash every envelope in it again. Status 1 when it is not whole.

    A PostgreSQL dump is restored into a scratch database for this and needs an office on PostgreSQL.
    """
    from kiosk.office import service
    from kiosk.office.backup.check import check

    if file.suffix == ".dump":
        at(data)
        try:
            found = service.check_dump(file)
        except service.NotInitialised as error:
            fail(str(error))
    else:
        found = check(file)
    put({"trouble": found.trouble, "envelopes": found.envelopes, "whole": len(found.whole)}, as_json)
    raise typer.Exit(1 if found.trouble else 0)


@app.command("reimport-archive")
def reimport_archive(
    folder: Annotated[Path | None, typer.Argument(help="A folder `archive`; without it the one beside the backups.")] = None,
    data: Data = HERE,
    as_json: AsJson = False,
) -> None:
    """After restoring an old backup: take in every envelope of the archive that is missing. May be repeated.

    Status 1 when something was refused or could not be read.
    """
    from kiosk.office import service

    at(data)
    try:
        counts = service.take_archive(folder)
    except service.NotInitialised as error:
        fail(str(error))
    except NotADirectoryError as error:
        fail(f"{error}: no such folder")
    put(counts, as_json)
    raise typer.Exit(1 if counts.get("refused") or counts.get("unreadable") else 0)
