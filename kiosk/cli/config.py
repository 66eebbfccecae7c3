"""`kiosk config`: is the file right, and what is in force."""

from __future__ import annotations

import typer

from kiosk.cli.common import AsJson, ConfigFile, configuration, put
from kiosk.config.section import Section

app = typer.Typer(no_args_is_help=True, help="The configuration file.")


@app.command()
def check(config: ConfigFile = None) -> None:
    """Ends with status 1 and one line per fault (file, line, what is allowed)."""
    configuration(config)
    typer.echo("ok")


@app.command()
def show(
    config: ConfigFile = None, as_json: AsJson = False,
    explain: bool = typer.Option(False, help="Say what each field is for."),
) -> None:
    """What is in force: file, then environment on top."""
    loaded = configuration(config)
    if as_json:
        put(loaded.model_dump(mode="json"), True)
        return
    typer.echo(f'mode = "{loaded.mode.value}"')
    for name, value in loaded:
        if isinstance(value, Section):
            _show(name, value, explain)


def _show(title: str, section: Section, explain: bool) -> None:
    """Sections inside come after the section's own fields, as TOML wants it."""
    typer.echo(f"\n[{title}]")
    inner = {}
    for name, field in type(section).model_fields.items():
        one = getattr(section, name)
        if isinstance(one, Section):
            inner[f"{title}.{name}"] = one
            continue
        if explain and field.description:
            typer.echo(f"# {field.description}")
        typer.echo(f"# {name} is not set" if one is None else f"{name} = {_toml(one)}")
    for name, one in inner.items():
        _show(name, one, explain)


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml(one) for one in value) + "]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f'"{name}" = {_toml(one)}' for name, one in value.items()) + " }" if value else "{}"
    return f'"{value}"'
