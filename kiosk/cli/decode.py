"""`kiosk decode`: captured bytes of a device, explained."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kiosk.cli.cardphoto import PhotoFile, check_photo_option, write_photo
from kiosk.cli.common import ConfigFile, configuration, fail, put

app = typer.Typer(no_args_is_help=True, help="Explain captured bytes.")


@app.command()
def idcard(
    file: Annotated[Path, typer.Argument(help="A captured answer to *read*: raw bytes or hexadecimal text.")],
    show: Annotated[bool, typer.Option("--show", help="Show personal data; only with the person's consent.")] = False,
    photo: PhotoFile = None,
    config: ConfigFile = None,
) -> None:
    """The card in a captured frame as JSON, or what is wrong with the frame."""
    from kiosk.devices.idcard.capture import CaptureError, as_json, decode_capture
    from kiosk.devices.idcard.layouts import CardDataError

    check_photo_option(photo, show)
    try:
        card = decode_capture(file.read_bytes())
    except OSError as error:
        fail(f"{file}: cannot be read: {error.strerror}")
    except (CaptureError, CardDataError) as error:
        fail(f"{file}: {error}")
    put(as_json(card, show), True)
    if photo:
        write_photo(card, photo, configuration(config).idcard)


@app.command()
def escpos(
    file: Annotated[Path, typer.Argument(help="What was sent to a receipt printer: raw bytes or hexadecimal text.")],
    picture: Annotated[Path | None, typer.Option("--picture", help="Write the raster bands, joined, to this PNG.")] = None,
) -> None:
    """Every command with its offset and size, text as text; status 1 when something is unknown or cut short."""
    from kiosk.devices.printer.decode import capture_bytes, commands, joined_bands
    from kiosk.ui.raster import save_png

    try:
        listing = list(commands(capture_bytes(file.read_bytes())))
    except OSError as error:
        fail(f"{file}: cannot be read: {error.strerror}")
    for command in listing:
        typer.echo(f"{command.offset:7} {len(command.data):6}  {command.name:8}{command.detail}".rstrip())
    if picture is not None:
        raster = joined_bands(listing)
        if raster is None:
            fail(f"{file}: holds no picture")
        try:
            save_png(raster, picture)
        except OSError as error:
            fail(str(error))
    if not all(command.understood for command in listing):
        raise typer.Exit(1)
