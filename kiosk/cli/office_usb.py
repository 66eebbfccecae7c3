"""`kiosk office import-bundle | export-bundle | publish-content`: memory sticks, and what terminals show and are set to."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from kiosk.cli.common import AsJson, fail, put
from kiosk.cli.office_data import HERE, Data, at

app = typer.Typer(no_args_is_help=True)


@app.command("import-bundle")
def import_bundle(
    file: Annotated[Path, typer.Argument(help="What `kiosk sync export` wrote.")], data: Data = HERE, as_json: AsJson = False,
) -> None:
    """Take in what a terminal exported to a memory stick; may be repeated. Status 1 unless everything is in."""
    from kiosk.office import service

    at(data)
    try:
        report = service.import_bundle(file)
    except service.NotInitialised as error:
        fail(str(error))
    except OSError as error:
        fail(f"{file}: cannot be read: {error.strerror}")
    put(dataclasses.asdict(report), as_json)
    raise typer.Exit(0 if report.whole and not report.refused else 1)


@app.command("export-bundle")
def export_bundle(
    file: Annotated[Path, typer.Argument(help="The file to write; it replaces one of this name.")],
    terminal: Annotated[str, typer.Option(help="For which terminal, e.g. HG01.")],
    data: Data = HERE,
    as_json: AsJson = False,
) -> None:
    """Write receipts, roster, outcomes, keys and content for one terminal, sealed to it and signed."""
    from kiosk.office import service

    at(data)
    try:
        put(service.export_bundle(terminal, file), as_json)
    except (service.NotInitialised, LookupError) as error:
        fail(str(error))
    except OSError as error:
        fail(f"{file}: cannot be written: {error.strerror}")


@app.command("publish-content")
def publish_content(
    folder: Annotated[Path, typer.Argument(help="Folder of files; `settings.toml` in it may change a few settings.")],
    data: Data = HERE,
    min_app: Annotated[str, typer.Option(help="Older software keeps the package it has.")] = "0",
    not_before: Annotated[dt.datetime | None, typer.Option(help="In use from this local time on; default: at once.")] = None,
) -> None:
    """Publish a content package under the next version; terminals fetch it with their next pull."""
    from kiosk.config import ConfigError, KioskConfig, Mode
    from kiosk.config.content import with_content
    from kiosk.content.manifest import ContentError
    from kiosk.content.settings import Settings, SettingsRefused
    from kiosk.domain.period import LOCAL_ZONE
    from kiosk.office import service

    def check(settings: Settings) -> tuple[str, ...]:
        try:
            with_content(KioskConfig(mode=Mode.DEMO), settings)
        except ConfigError as error:
            return tuple(str(error).splitlines())
        return ()

    at(data)
    start = None if not_before is None else not_before.replace(tzinfo=LOCAL_ZONE)
    try:
        manifest = service.publish_content(folder, check, min_app, start)
    except SettingsRefused as error:
        fail("\n".join(f"settings.toml: {fault}" for fault in error.faults))
    except (service.NotInitialised, ContentError) as error:
        fail(str(error))
    except OSError as error:
        fail(f"{folder}: cannot be published: {error.strerror}")
    typer.echo(f"content package {manifest.version} of {manifest.dated}, {len(manifest.files)} files")
