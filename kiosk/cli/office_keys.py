"""`kiosk office rotate-…`, `kiosk office escrow …`: the office's keys, and that they survive the loss of its machine."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from kiosk.cli.common import AsJson, fail, put
from kiosk.cli.office_data import HERE, Data, at

app = typer.Typer(no_args_is_help=True)
escrow = typer.Typer(no_args_is_help=True, help="The office's keys in a file for the safe.")
app.add_typer(escrow, name="escrow")

EscrowFile = Annotated[Path, typer.Argument(help="The escrow file.")]
_ESCROW_AGAIN = "Export the escrow again now: the file in the safe does not hold the new key."
_EXPLAINED = {
    "not_an_escrow": "this is no escrow file",
    "newer": "this escrow file is of a newer version of the software",
    "wrong_passphrase": "wrong passphrase, or the file is damaged",
    "weak_passphrase": "a passphrase has at least 12 characters; better five words",
    "other_signing_key": "another signing key is in use here, which is not in the file: terminals that know the one in the file "
    "will not believe this office. The sealing keys are restored. To restore the signing key too, move signing.key away",
}


@app.command("rotate-sealing-key")
def rotate_sealing(data: Data = HERE) -> None:
    """A new key for terminals to seal to. Earlier keys stay and open what was sealed before, however late it comes."""
    from kiosk.office import key_service
    from kiosk.office.service import NotInitialised

    at(data)
    try:
        rotated = key_service.rotate_sealing()
    except NotInitialised as error:
        fail(str(error))
    typer.echo(f"sealing key {rotated.after} instead of {rotated.before}, which still opens what was sealed to it")
    typer.echo(_ESCROW_AGAIN)


@app.command("announce-signing-key")
def announce_signing(data: Data = HERE) -> None:
    """Make the next signing key; terminals are told of it with every heartbeat, signed by the present one."""
    from kiosk.office import key_service
    from kiosk.office.service import NotInitialised

    at(data)
    try:
        kid = key_service.announce_signing()
    except NotInitialised as error:
        fail(str(error))
    typer.echo(f"signing key {kid} is announced; change to it with rotate-signing-key once all terminals know it")
    typer.echo(_ESCROW_AGAIN)


@app.command("rotate-signing-key")
def rotate_signing(
    leave: Annotated[list[str] | None, typer.Option(metavar="TERMINAL_ID", help="Has to be enrolled anew afterwards.")] = None,
    data: Data = HERE,
) -> None:
    """Sign with the announced key from now on; refuses while a terminal does not know it."""
    from kiosk.office import key_service
    from kiosk.office.service import NotInitialised

    at(data)
    try:
        rotated = key_service.rotate_signing(frozenset(leave or ()))
    except NotInitialised as error:
        fail(str(error))
    except FileNotFoundError:
        fail("no signing key is announced; announce-signing-key comes first")
    except key_service.NotAllKnow as error:
        fail(f"these terminals do not know the new key yet and would believe nothing: {', '.join(error.terminals)}. Wait for "
             "their heartbeats, revoke them, or name each with --leave and enrol it anew afterwards")
    typer.echo(f"signing key {rotated.after} instead of {rotated.before}")


@app.command("allow-algorithms")
def allow_algorithms(
    terminal_id: Annotated[str, typer.Argument(help="Id of the terminal.")],
    names: Annotated[list[str] | None, typer.Argument(metavar="ALG", help="Names as in the header; none: as for all.")] = None,
    data: Data = HERE,
) -> None:
    """What a terminal may seal with. What it sends otherwise is refused."""
    from kiosk.office import key_service
    from kiosk.office.service import NotInitialised

    at(data)
    try:
        key_service.allow_algorithms(terminal_id, tuple(names or ()))
    except (NotInitialised, ValueError) as error:
        fail(str(error))


@escrow.command("export")
def escrow_export(file: EscrowFile, data: Data = HERE) -> None:
    """Write all keys, sealed with a passphrase that is asked for (or read from standard input). Never overwrites."""
    from kiosk.office import key_service
    from kiosk.office.escrow import EscrowError
    from kiosk.office.service import NotInitialised

    at(data)
    try:
        fingerprint = key_service.escrow_export(file, _passphrase(twice=True))
    except NotInitialised as error:
        fail(str(error))
    except EscrowError as error:
        fail(_EXPLAINED[error.code])
    except OSError as error:
        _no_file(file, error)
    typer.echo(f"fingerprint {fingerprint}")
    typer.echo("Write it on the envelope, keep file and passphrase in two places, and drill it: kiosk office escrow drill")


@escrow.command("drill")
def escrow_drill(file: EscrowFile, data: Data = HERE, as_json: AsJson = False) -> None:
    """Prove that this file and its passphrase open everything. Written to the audit; status 1 when anything fails."""
    from kiosk.office import key_service
    from kiosk.office.escrow import EscrowError
    from kiosk.office.service import NotInitialised

    at(data)
    try:
        found = key_service.escrow_drill(file, _passphrase(twice=False))
    except NotInitialised as error:
        fail(str(error))
    except EscrowError as error:
        fail(_EXPLAINED[error.code])
    except OSError as error:
        _no_file(file, error)
    put(dataclasses.asdict(found) | {"good": found.good}, as_json)
    raise typer.Exit(0 if found.good else 1)


@escrow.command("restore")
def escrow_restore(file: EscrowFile, data: Data = HERE) -> None:
    """Put missing keys back, also into an empty folder; replaces none. What could not be opened is tried again at once."""
    from kiosk.office import key_service
    from kiosk.office.escrow import EscrowError

    try:
        made = key_service.escrow_restore(data, file, _passphrase(twice=False))
    except EscrowError as error:
        fail(_EXPLAINED[error.code])
    except OSError as error:
        _no_file(file, error)
    typer.echo(f"restored: {', '.join(made)}" if made else "nothing was missing")


def _passphrase(twice: bool) -> str:
    """Never an argument: other users of the machine can read those."""
    if sys.stdin.isatty():
        return str(typer.prompt("passphrase", hide_input=True, confirmation_prompt=twice, err=True))
    return sys.stdin.readline().rstrip("\r\n")


def _no_file(file: Path, error: OSError) -> NoReturn:
    fail(f"{error.filename or file}: {error.strerror}")
