"""Where the office's data lie, for every command of `kiosk office`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from kiosk.office import DATA_VARIABLE

Data = Annotated[Path, typer.Option(envvar=DATA_VARIABLE, help="Folder of database, keys and photographs.")]
HERE = Path("var/office")


def at(data: Path) -> None:
    os.environ[DATA_VARIABLE] = str(data)
