"""`kiosk demo`: the terminal with emulated devices and an embedded office."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from kiosk.cli.common import fail


def demo(
    folder: Annotated[Path, typer.Option(help="Where the demo keeps its data; begun anew each time.")] = Path("var/demo"),
    camera: Annotated[str | None, typer.Option(help="A real camera instead of the emulated person, e.g. /dev/video0.")] = None,
    idcard: Annotated[str | None, typer.Option(help="A real identity-card reader's serial port.")] = None,
    printer: Annotated[str | None, typer.Option(help="A real receipt printer's serial port.")] = None,
    headless: Annotated[bool, typer.Option(help="The scripted day without a display, even where there is one.")] = False,
) -> None:
    """With a display: terminal window and dev bench. Without: a scripted day, pictures and a summary."""
    from kiosk.demo.estate import RealDevices

    devices = RealDevices(camera=camera, idcard=idcard, printer=printer)
    if headless or not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        from kiosk.demo.day import play_day

        play = play_day
    else:
        from kiosk.demo.bench import open_bench

        play = open_bench
    try:
        raise SystemExit(play(folder, devices))
    except (OSError, RuntimeError) as error:  # a folder in use, a part that did not start
        fail(str(error))
