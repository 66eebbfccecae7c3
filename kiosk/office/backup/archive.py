"""The archive: every envelope and piece once, as a file named by its SHA-256, sealed as it came.

A restore older than what terminals still have cannot be refilled by them; it is refilled from here. Beside each file stands
a record (`<sha256>.json`) of what is needed to take it in again; of an envelope also the office's own signed receipt.
"""

from __future__ import annotations

import os
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from django.db import transaction
from pydantic import Field, ValidationError

from kiosk.durable import sync_path
from kiosk.office import audit, ingest, parts, signed
from kiosk.office.models import AuditEntry, Envelope, EnvelopePart, Terminal
from kiosk.sync.wire.base import Wire
from kiosk.sync.wire.envelope import digest
from kiosk.sync.wire.keys import signing_public
from kiosk.sync.wire.models import CaseId, DigestHex, Receipt, TerminalId
from kiosk.sync.wire.signing import Context, sign, verify

ACTOR = "存档"


class Record(Wire):
    """Of an envelope, or of a piece: then `signature` and what follows is empty."""

    sha256: DigestHex
    case: CaseId
    terminal: TerminalId
    signature: str = Field("", max_length=128)
    """The terminal's, as it came."""
    receipt: str = ""
    receipt_signature: str = Field("", max_length=128)
    """By the office key of the day it was archived: proves that the office itself took these bytes."""


def write_new(folder: Path) -> int:
    """Puts what is not there yet onto the disk, takes out what was erased by plan; how many files are new. Raises OSError."""
    made = 0
    key = signed.office_keys().signing
    for pk, sha256, erased in list(Envelope.objects.values_list("pk", "digest", "erased")):
        if erased is not None:
            _drop(folder, pk, sha256)
        elif not _place(folder, sha256).exists():
            one = Envelope.objects.get(pk=pk)
            receipt = bytes(one.receipt)
            made += _keep(folder, bytes(one.raw), Record(
                sha256=sha256, case=pk, terminal=one.terminal_id, signature=one.signature, receipt=receipt.decode(),
                receipt_signature=sign(Context.RECEIPT, receipt, key),
            ))
    for sha256, case_id, terminal_id in list(EnvelopePart.objects.exclude(raw=b"").values_list("pk", "case_id", "terminal_id")):
        if not _place(folder, sha256).exists():
            raw = bytes(EnvelopePart.objects.get(pk=sha256).raw)
            made += _keep(folder, raw, Record(sha256=sha256, case=case_id, terminal=terminal_id))
    return made


def take_in(folder: Path) -> Counter[str]:
    """Takes in again what is missing here, on the way envelopes always come in; may be repeated.

    What became of each envelope and piece: `new`, `known`, `refused`, `unreadable`; `erased` where only the record is left.
    """
    done: Counter[str] = Counter()
    found = list(_records(folder))
    done["unreadable"] = sum(record is None for record in found)
    for record in sorted((one for one in found if one is not None), key=lambda one: bool(one.signature)):
        done[_take_one(folder, record)] += 1
    done = +done
    with transaction.atomic(durable=True):
        audit.append(ACTOR, AuditEntry.Action.ARCHIVE_IMPORTED, "archive", **done)
    return done


def _take_one(folder: Path, record: Record) -> str:
    try:
        data = _place(folder, record.sha256).read_bytes()
    except FileNotFoundError:
        return "erased"
    except OSError:
        return "unreadable"
    if digest(data).hex() != record.sha256:
        return "unreadable"
    ours = bool(record.signature) and _is_ours(record)
    if ours or not record.signature:  # a terminal that came after the backup is unknown after the restore
        Terminal.objects.get_or_create(pk=record.terminal)
    if not record.signature:
        kept = parts.keep(record.sha256, record.case, data, record.terminal)
        return "refused" if kept is None else "new" if kept else "known"
    status = ingest.put(uuid.UUID(record.case), data, record.signature, ours=ours).status_code
    return {200: "known", 201: "new", 202: "new"}.get(status, "refused")


def _is_ours(record: Record) -> bool:
    """Whether this office has signed that it took exactly these bytes."""
    key = signing_public(signed.office_keys().signing_public)
    if not verify(Context.RECEIPT, record.receipt.encode(), record.receipt_signature, key):
        return False
    receipt = Receipt.model_validate_json(record.receipt)
    return (receipt.id, receipt.sha256) == (record.case, record.sha256)


def _records(folder: Path) -> Iterator[Record | None]:
    """None for a record that cannot be read."""
    for path in sorted(folder.glob("??/*.json")):
        try:
            record = Record.model_validate_json(path.read_bytes())
        except (OSError, ValidationError):
            yield None
        else:
            yield record if path.stem == record.sha256 else None


def _keep(folder: Path, data: bytes, record: Record) -> int:
    place = _place(folder, record.sha256)
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write(place.with_suffix(".json"), record.to_json())
    _write(place, data)  # last: whoever sees it finds its record
    sync_path(place.parent)
    return 1


def _drop(folder: Path, case_id: str, sha256: str) -> None:
    """The bytes; the record stays and says that they were there."""
    place = _place(folder, sha256)
    if place.exists():
        for piece in EnvelopePart.objects.filter(case_id=case_id).values_list("pk", flat=True):
            _place(folder, piece).unlink(missing_ok=True)
        place.unlink()


def _place(folder: Path, sha256: str) -> Path:
    return folder / sha256[:2] / sha256


def _write(path: Path, data: bytes) -> None:
    """Under its name only when it is whole and on the disk; readable by the office only."""
    part = path.with_name(f".{path.name}.part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)
