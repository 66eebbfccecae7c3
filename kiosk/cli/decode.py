"""`kiosk decode`: captured bytes of a device, explained."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kiosk.cli.common import fail, put

app = typer.Typer(no_args_is_help=True, help="Explain captured bytes.")


@app.callback()
def _group() -> None:
    """Keeps `decode idcard` a sub-command while it is the only one."""


@app.command()
def idcard(
    file: Annotated[Path, typer.Argument(help="A captured answer to *read*: raw bytes or hexadecimal text.")],
    show: Annotated[bool, typer.Option("--show", help="Show personal data; only with the person's consent.")] = False,
) -> None:
    """The card in a captured frame as JSON, or what is wrong with the frame."""
    from kiosk.devices.idcard.capture import CaptureError, as_json, decode_capture
    from kiosk.devices.idcard.layouts import CardDataError

    try:
        card = decode_capture(file.read_bytes())
    except OSError as error:
        fail(f"{file}: cannot be read: {error.strerror}")
    except (CaptureError, CardDataError) as error:
        fail(f"{file}: {error}")
    put(as_json(card, show), True)
