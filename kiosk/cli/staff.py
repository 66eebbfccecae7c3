"""`kiosk staff`: who may sign in at the terminal."""

from __future__ import annotations

from typing import Annotated

import typer

from kiosk.cli.common import ConfigFile, configuration, fail

app = typer.Typer(no_args_is_help=True, help="Staff who may sign in at the terminal.")


@app.command()
def pin(
    staff: Annotated[str, typer.Argument(help="Id of the person, never a name: letters, digits, - and _.")],
    config: ConfigFile = None,
) -> None:
    """Asks twice for a new PIN and prints the line for [staff.members]. With --config, a PIN somebody has is refused."""
    from kiosk.config.staff import is_staff_id
    from kiosk.domain.pin import PIN_MAX, PIN_MIN, PinHash, is_guessed_first, is_pin

    if not is_staff_id(staff):
        fail("a staff id is 1 to 20 letters, digits, - and _")
    others = {other: stored for other, stored in configuration(config).staff.hashes().items() if other != staff}
    chosen = typer.prompt("PIN", hide_input=True, confirmation_prompt=True, err=True)
    if not is_pin(chosen):
        fail(f"a PIN has {PIN_MIN} to {PIN_MAX} digits; better 6 than {PIN_MIN}")
    if is_guessed_first(chosen):
        fail("this PIN is the first one anybody would try")
    if any(stored.fits(chosen) for stored in others.values()):
        fail("this PIN is taken; a PIN tells who it is")
    typer.echo(f'{staff} = "{PinHash.of(chosen)}"')
