"""What several commands share: the configuration option, JSON output, ending with a clear error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from kiosk.config import ConfigError, KioskConfig, load_config

ConfigFile = Annotated[Path | None, typer.Option("--config", "-c", help="TOML file; without it defaults and KIOSK_… variables.")]
AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]


def configuration(path: Path | None) -> KioskConfig:
    try:
        return load_config(path)
    except ConfigError as error:
        fail(str(error))


def fail(message: str, code: int = 1) -> NoReturn:
    """Ends the command with a message on stderr."""
    typer.echo(message, err=True)
    raise typer.Exit(code)


def put(value: dict[str, Any] | list[Any], as_json: bool) -> None:
    """A value as JSON, or as one `key: value` line per entry."""
    if as_json:
        typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))
    elif isinstance(value, dict):
        for key, one in value.items():
            typer.echo(f"{key}: {one}")
    else:
        for one in value:
            typer.echo(str(one))
