"""`kiosk office`: the town office. Django is imported by the commands, so that it lives only in their processes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kiosk.cli import office_backup, office_keys, office_retention, office_usb
from kiosk.cli.common import AsJson, ConfigFile, configuration, fail, put
from kiosk.cli.office_data import HERE, Data, at

app = typer.Typer(no_args_is_help=True, help="The town office: queue, roster, terminals.")
app.add_typer(office_keys.app)
app.add_typer(office_usb.app)
app.add_typer(office_retention.app, name="retention")
app.add_typer(office_backup.app)

Password = Annotated[str | None, typer.Option(envvar="KIOSK_OFFICE_ADMIN_PASSWORD", help="Without it one is made.")]


@app.command()
def init(data: Data = HERE, admin_password: Password = None) -> None:
    """Make the office, or bring it up to date; never replaces a key or a password."""
    from kiosk.office import service

    try:
        info = service.init(data, admin_password)
    except OSError as error:
        fail(f"{data}: cannot be used as the office's folder: {error.strerror}")
    typer.echo(f"office in {info.data}; signing key {info.signing_id}, sealing key {info.sealing_id}")
    if info.keys_made:
        typer.echo("Copy sealing.key to a safe place off this machine now: without it nothing handed in can ever be read.")
    if info.admin_password:
        typer.echo(f"staff desk: user {info.admin}, password {info.admin_password} (shown only now)")


@app.command()
def serve(
    data: Data = HERE,
    host: Annotated[str, typer.Option(help="Address to listen on; behind nginx keep loopback.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any free one.")] = 8000,
) -> None:
    """Serve API and staff desk until SIGTERM."""
    from kiosk.office import service

    at(data)
    try:
        service.serve(host, port)
    except service.NotInitialised as error:
        fail(str(error))


@app.command("enrol-terminal")
def enrol_terminal(
    terminal_id: Annotated[str, typer.Argument(help="2 to 8 capital letters and digits, e.g. HG01.")],
    site: Annotated[str, typer.Argument(help="Name of the place.")],
    data: Data = HERE,
    short: Annotated[bool, typer.Option("--short", help="Twenty digits to type on the terminal.")] = False,
) -> None:
    """Print a one-time enrolment code, good for 30 minutes."""
    from kiosk.office import service

    at(data)
    try:
        typer.echo(service.enrol_terminal(terminal_id, site, short))
    except (service.NotInitialised, ValueError) as error:
        fail(str(error))


@app.command("import-roster")
def import_roster(
    file: Annotated[Path, typer.Argument(help="CSV or XLSX, with the headings the desk names; portraits beside it.")],
    data: Data = HERE,
    dry_run: Annotated[bool, typer.Option(help="Say what would change, change nothing.")] = False,
    templates: Annotated[bool, typer.Option(help="Compute face templates from the portraits.")] = True,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Take a roster in; may be repeated. Status 1 when a row could not be taken as it stands.

    Templates are made by the engine of --config, which has to be the terminals' own.
    """
    from kiosk.cli.templates import template_maker
    from kiosk.office import service

    at(data)
    try:
        report = service.import_roster(file, template_maker(configuration(config).face) if templates else None, dry_run)
    except service.NotInitialised as error:
        fail(str(error))
    except OSError as error:
        fail(f"{file}: cannot be read: {error.strerror}")
    put({
        "dry_run": report.dry_run, "added": report.added, "changed": report.changed, "unchanged": report.unchanged,
        "portraits": report.portraits,
        "problems": [f"row {one.row}, {one.column}: {one.problem.value} {one.detail}".rstrip() for one in report.problems],
    }, as_json)
    raise typer.Exit(1 if report.problems else 0)


@app.command()
def cases(data: Data = HERE, as_json: AsJson = False) -> None:
    """The queue without personal data: numbers, states and reasons, oldest first."""
    from kiosk.office import service

    at(data)
    try:
        put(service.list_cases(), as_json)
    except service.NotInitialised as error:
        fail(str(error))
