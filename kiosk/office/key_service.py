"""The office's keys for the command line: plain functions for a process that has not set Django up."""

from __future__ import annotations

import contextlib
import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kiosk.office import bootstrap, escrow, keys

if TYPE_CHECKING:
    from kiosk.office.escrow_drill import Drill
    from kiosk.office.models import AuditEntry

_CLI = "命令行"


@dataclass(frozen=True)
class Rotated:
    before: str
    after: str


class NotAllKnow(RuntimeError):
    """Terminals that do not know the new signing key yet; ids in `terminals`."""

    def __init__(self, terminals: list[str]) -> None:
        super().__init__(", ".join(terminals))
        self.terminals = terminals


def rotate_sealing() -> Rotated:
    """Terminals learn the new key with their next heartbeat; whatever is sealed to the one before still opens."""
    data = _office()
    rotated = Rotated(*keys.rotate_sealing(data))
    _write("sealing", before=rotated.before, after=rotated.after)
    return rotated


def announce_signing() -> str:
    """Id of the key terminals are told of with every heartbeat from now on; it signs nothing yet."""
    data = _office()
    kid = keys.announce_signing(data)
    _write("signing_announced", after=kid)
    return kid


def rotate_signing(leave: frozenset[str] = frozenset()) -> Rotated:
    """The announced key signs from now on. Raises FileNotFoundError when none was announced, NotAllKnow while a terminal
    would not believe it; those in `leave` have to be enrolled anew."""
    data = _office()
    announced = keys.load(data).next_signing
    if announced is None:
        raise FileNotFoundError(keys.NEXT)
    from kiosk.sync.wire.keys import key_id

    kid = key_id(announced.public_key())
    ignorant = [one for one in _terminals_without(kid) if one not in leave]
    if ignorant:
        raise NotAllKnow(ignorant)
    rotated = Rotated(*keys.switch_signing(data))
    _write("signing", before=rotated.before, after=rotated.after)
    return rotated


def escrow_export(file: Path, passphrase: str) -> str:
    """Fingerprint of the file. Raises EscrowError, OSError."""
    data = _office()
    told = escrow.export(data, file, passphrase, dt.datetime.now(dt.UTC))
    _escrow("exported", fingerprint=told)
    return told


def escrow_drill(file: Path, passphrase: str) -> Drill:
    """Raises EscrowError, OSError. Whatever comes out is written to the audit."""
    data = _office()
    from kiosk.office.escrow_drill import run

    told = escrow.fingerprint(file)
    try:
        found = run(data, escrow.read(file, passphrase))
    except escrow.EscrowError as error:
        _escrow("drill_failed", fingerprint=told, code=error.code)
        raise
    _escrow(
        "drilled" if found.good else "drill_failed", fingerprint=told, opened=found.opened, failed=found.failed,
        waiting=found.waiting, test_message=found.test_message is True, signature=found.signature is True,
    )
    return found


def escrow_restore(data: Path, file: Path, passphrase: str) -> list[str]:
    """Names of the key files made, also in a folder without an office. Raises EscrowError, OSError.

    Where there is an office, everything that could not be opened is tried again at once.
    """
    escrowed = escrow.read(file, passphrase)
    try:
        return escrow.restore(data, escrowed)
    finally:
        if keys.django_secret(data):
            _try_again(data, escrow.fingerprint(file))


def _try_again(data: Path, fingerprint: str) -> None:
    """The keys are what had to be saved; the database may have to come back from a backup first."""
    bootstrap.configure(data)
    from django.db import DatabaseError
    from django.utils import timezone

    from kiosk.office.models import OpeningFailure

    with contextlib.suppress(DatabaseError):
        OpeningFailure.objects.update(next_try=timezone.now())
        _escrow("restored", fingerprint=fingerprint)


def allow_algorithms(terminal_id: str, names: tuple[str, ...]) -> None:
    """What this terminal may seal with; none: what all may. Raises ValueError for an unknown terminal or algorithm."""
    _office()
    from django.db import transaction

    from kiosk.office import audit
    from kiosk.office.models import AuditEntry, Terminal
    from kiosk.sync.wire.suites import SUITES

    unknown = [name for name in names if name not in SUITES]
    if unknown:
        raise ValueError(f"no such algorithm: {unknown[0]}; known are {', '.join(SUITES)}")
    with transaction.atomic(durable=True):
        if not Terminal.objects.filter(pk=terminal_id).update(algorithms=list(names)):
            raise ValueError(f"no terminal {terminal_id}")
        audit.append(_CLI, AuditEntry.Action.KEYS_CHANGED, terminal_id, algorithms=" ".join(names))


def _office() -> Path:
    from kiosk.office.service import data_folder

    return data_folder()


def _terminals_without(kid: str) -> list[str]:
    """Terminals in use whose last heartbeat did not name this key."""
    from kiosk.office.models import Heartbeat, TerminalKey

    newest: dict[str, bool] = {}
    for terminal_id, revoked in TerminalKey.objects.order_by("terminal_id", "epoch").values_list("terminal_id", "revoked"):
        newest[terminal_id] = revoked is None
    known = {one.terminal_id for one in Heartbeat.objects.all() if kid in one.office_kids}
    return [terminal_id for terminal_id, in_use in newest.items() if in_use and terminal_id not in known]


def _write(what: str, **detail: str) -> None:
    from kiosk.office.models import AuditEntry

    _append(AuditEntry.Action.KEYS_CHANGED, what, **detail)


def _escrow(what: str, **detail: str | int | bool) -> None:
    from kiosk.office.models import AuditEntry

    _append(AuditEntry.Action.ESCROW, what, **detail)


def _append(action: AuditEntry.Action, what: str, **detail: str | int | bool) -> None:
    from django.db import transaction

    from kiosk.office import audit

    with transaction.atomic(durable=True):
        audit.append(_CLI, action, what, **detail)
