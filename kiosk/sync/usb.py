"""Memory sticks at the terminal: what is not delivered goes out as it is stored; only what the office has signed comes in."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from kiosk.durable import sync_path
from kiosk.store import audit
from kiosk.store.models import CaseRow, OutboxRow, OutboxState, PartRow
from kiosk.store.outbox import HELD, DueCase
from kiosk.sync.delivery import vouch
from kiosk.sync.identity import Identity, load_identity
from kiosk.sync.wire.bundle import BundleHead, BundleReader, BundleWriter, Kind, Origin
from kiosk.sync.wire.signing import Context, sign

SUFFIX = ".kiosk"


@dataclass(frozen=True, slots=True)
class Exported:
    path: Path
    cases: int
    pieces: int
    size: int
    noted: bool
    """Whether the audit chain says so; not when this machine's own disk takes nothing more."""


@dataclass(frozen=True, slots=True)
class ExportFailed:
    """reason: `not_enrolled`, `no_folder`, `stick_full`, `not_read_back`, `store` or `os_<errno>`. Nothing is left behind."""

    reason: str


def export(engine: Engine, folder: Path, now: dt.datetime, everything: bool = False) -> Exported | ExportFailed:
    """Writes one bundle of what the office has not proven to have; `everything`: of what is not in its backup, too.

    Needs no room on this machine. The file is read back from the stick and compared before it counts. Its name says
    which terminal and nothing else. No case changes its state: only the office's word does that.
    """
    identity = load_identity(engine)
    if identity is None:
        return ExportFailed("not_enrolled")
    if not folder.is_dir():
        return ExportFailed("no_folder")
    run = secrets.token_hex(16)
    path = folder / f"{identity.terminal_id}-{run[:8]}{SUFFIX}"
    part = path.with_suffix(".part")
    try:
        with part.open("xb") as file:
            bundle = BundleWriter(file, BundleHead(
                origin=Origin.TERMINAL, kiosk=identity.terminal_id, epoch=identity.epoch, id=run, made=now.astimezone(dt.UTC),
            ))
            cases, pieces = _write_cases(engine, identity, bundle, everything)
            digest = bundle.end(identity.signing_key)
            file.flush()
            os.fsync(file.fileno())
            size = file.tell()
        if not _reads_back(part, digest):
            part.unlink()
            return ExportFailed("not_read_back")
        part.rename(path)
        _sync_folder(folder)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink()
        return ExportFailed("stick_full" if error.errno in (28, 122) else f"os_{error.errno}")
    except DBAPIError:
        with contextlib.suppress(OSError):
            part.unlink()
        return ExportFailed("store")
    return Exported(path, cases, pieces, size, _note(engine, "bundle_exported", cases=cases, pieces=pieces, bundle=run))


def _write_cases(engine: Engine, identity: Identity, bundle: BundleWriter, everything: bool) -> tuple[int, int]:
    """One case at a time, its pieces before it. How many cases and pieces."""
    cases = pieces = 0
    for case_id in _wanted(engine, everything):
        case, parts = _case(engine, case_id)
        for sha256 in parts:
            body = _piece(engine, sha256)
            bundle.write(Kind.PART, body, case_id, sign(Context.PART, bytes.fromhex(sha256), identity.signing_key))
            pieces += 1
        stands_up = vouch(case, identity) if case.epoch != identity.epoch else ""
        bundle.write(Kind.CASE, case.sealed, case_id, case.signature, stands_up)
        cases += 1
    return cases, pieces


def _wanted(engine: Engine, everything: bool) -> list[str]:
    """Oldest first; erased bytes cannot be wanted."""
    unproven = (OutboxRow.state == OutboxState.PENDING) | (OutboxRow.ack_level == HELD)
    which = (OutboxRow.ack_level.is_(None) | (OutboxRow.ack_level != "safe")) if everything else unproven
    with Session(engine.execution_options(read_only=True)) as session, session.begin():
        rows = select(OutboxRow.case_id).join(CaseRow, CaseRow.id == OutboxRow.case_id)
        return list(session.scalars(rows.where(which, CaseRow.purged.is_(None)).order_by(OutboxRow.epoch, OutboxRow.seq)))


def _case(engine: Engine, case_id: str) -> tuple[DueCase, list[str]]:
    """The envelope exactly as stored, and the digests of its pieces in order."""
    with Session(engine.execution_options(read_only=True)) as session, session.begin():
        row = session.get_one(CaseRow, case_id)
        epoch = session.scalars(select(OutboxRow.epoch).where(OutboxRow.case_id == case_id)).one()
        parts = session.scalars(select(PartRow.sha256).where(PartRow.case_id == case_id).order_by(PartRow.position))
        return DueCase(row.id, epoch, row.sealed, row.digest, row.signature), list(parts)


def _piece(engine: Engine, sha256: str) -> bytes:
    with Session(engine.execution_options(read_only=True)) as session, session.begin():
        return session.get_one(PartRow, sha256).body


def _reads_back(path: Path, digest: bytes) -> bool:
    """From the stick itself, not from memory."""
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        reader = BundleReader(file)
        for _ in reader:
            pass
    return reader.whole and reader.digest == digest


def _note(engine: Engine, act: str, **facts: str | int) -> bool:
    try:
        with Session(engine) as session, session.begin():
            audit.append(session, act, **facts)
    except DBAPIError:
        return False
    return True


def _sync_folder(folder: Path) -> None:
    """File systems of sticks may know no such thing; the file itself is on it already."""
    with contextlib.suppress(OSError):
        sync_path(folder)
