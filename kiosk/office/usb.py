"""Memory sticks at the office: what a terminal exported is taken in, and a bundle goes back to it.

Every envelope goes the way of a PUT, so that importing twice changes nothing and a receipt means the same.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import secrets
import uuid
from collections import Counter as Tally
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from django.db import transaction
from django.http import HttpResponse
from django.utils import timezone

from kiosk.office import audit, content, ingest, parts, signed
from kiosk.office.held import word_on
from kiosk.office.models import AuditEntry, Envelope, SafeEnvelope, TerminalKey
from kiosk.office.outcomes import outcomes_pull
from kiosk.office.pull import roster_pull
from kiosk.sync.wire import http
from kiosk.sync.wire.base import Wire
from kiosk.sync.wire.bundle import (
    BundleHead,
    BundleReader,
    BundleWriter,
    Kind,
    ManifestBody,
    Origin,
    ReceiptsBody,
    Record,
    SafeBody,
    SignedReceipt,
    bundle_info,
)
from kiosk.sync.wire.envelope import EnvelopeError, parse_header, seal_bytes
from kiosk.sync.wire.keys import sealing_public, signing_public
from kiosk.sync.wire.signing import Context, sign, verify

RECEIPTS_OF = dt.timedelta(days=400)
"""So far back receipts go out: as long as a terminal keeps its rows."""
_TOGETHER = 500


@dataclass
class BundleReport:
    """JSON-able. Numbers of cases unless it says otherwise; no names, no numbers of people."""

    terminal: str = ""
    new: int = 0
    held: int = 0
    """Kept, to be read by newer software or with another key."""
    known: int = 0
    """Here before."""
    refused: dict[str, int] = field(default_factory=dict)
    """By the code of the refusal."""
    pieces: int = 0
    """Pieces of large cases that are here now."""
    damaged: int = 0
    """Records that are not as they were written."""
    whole: bool = False
    """Read to its end, and signed by the terminal it names."""
    trouble: str = ""
    """`not_a_bundle`, `of_the_office`, `busy`: disk nearly full or database busy; the rest was not looked at."""


def import_bundle(file: BinaryIO, actor: str) -> BundleReport:
    """Takes in what is whole, record by record; may be repeated. Raises OSError when the stick cannot be read."""
    report, reader = BundleReport(), BundleReader(file)
    if reader.head is None:
        report.trouble = "not_a_bundle"
        return report
    report.terminal = reader.head.kiosk
    if reader.head.origin is not Origin.TERMINAL:
        report.trouble = "of_the_office"
        return report
    refused: Tally[str] = Tally()
    for record in reader:
        if record.head.kind == Kind.PART:
            answer = parts.put(record.head.sha256, record.head.name, record.body, report.terminal, record.head.signature)
            report.pieces += answer.status_code in (200, 201)
        elif record.head.kind == Kind.CASE:
            answer = _put_case(record)
            report.new += answer.status_code == 201
            report.held += answer.status_code == 202
            report.known += answer.status_code == 200
        else:
            continue
        if answer.status_code == 503:
            report.trouble = "busy"
            break
        if answer.status_code >= 300:
            refused[_code(answer)] += 1
    report.refused, report.damaged = dict(sorted(refused.items())), reader.damaged
    report.whole = reader.whole and not report.trouble and _signed_by(reader)
    with transaction.atomic(durable=True):
        audit.append(
            actor, AuditEntry.Action.BUNDLE_IMPORTED, report.terminal, new=report.new, held=report.held, known=report.known,
            refused=sum(refused.values()), damaged=report.damaged, whole=report.whole,
        )
    return report


def export_bundle(terminal_id: str, file: BinaryIO, actor: str) -> dict[str, int]:
    """Receipts, roster, outcomes, keys and content for one terminal; how many records of each kind.

    Raises LookupError for a terminal that is not enrolled, OSError when the file cannot be written.
    """
    key = TerminalKey.objects.filter(terminal_id=terminal_id).order_by("-epoch").first()
    if key is None or key.revoked is not None:
        raise LookupError(f"{terminal_id} is not enrolled")
    head = BundleHead(
        origin=Origin.OFFICE, kiosk=terminal_id, epoch=key.epoch, id=secrets.token_hex(16),
        made=timezone.now().astimezone(dt.UTC),
    )
    bundle, to = BundleWriter(file, head), sealing_public(key.sealing_key)
    counts: Tally[str] = Tally()
    for kind, name, body in _contents(terminal_id):
        sealed = seal_bytes(body, to, bundle_info(head, bundle.count, kind))
        bundle.write(kind, sealed, name)
        counts[kind.value] += 1
    bundle.end(signed.office_keys().signing)
    with transaction.atomic(durable=True):
        audit.append(actor, AuditEntry.Action.BUNDLE_EXPORTED, terminal_id, **counts)
    return dict(counts)


def write_bundle(terminal_id: str, path: Path, actor: str) -> dict[str, int]:
    """As `export_bundle`, into a file that is whole or not there."""
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            counts = export_bundle(terminal_id, file, actor)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return counts


def _put_case(record: Record) -> HttpResponse:
    try:
        case_id = uuid.UUID(record.head.name)
    except ValueError:
        return signed.unsigned(422, "the record names no case")
    return ingest.put(case_id, record.body, record.head.signature, record.head.vouch)


def _code(answer: HttpResponse) -> str:
    """Of a refusal; what is not signed is no word on the case."""
    if http.REFUSAL_SIGNATURE not in answer.headers:
        return "unreadable"
    return str(json.loads(answer.content)["code"])


def _signed_by(reader: BundleReader) -> bool:
    head = reader.head
    key = TerminalKey.objects.filter(terminal_id=head.kiosk, epoch=head.epoch).first() if head else None
    return key is not None and verify(Context.BUNDLE, reader.digest, reader.signature, signing_public(key.signing_key))


def _contents(terminal_id: str) -> Iterator[tuple[Kind, str, bytes]]:
    """In the order in which the terminal takes them."""
    def told(kind: Kind, body: Wire) -> tuple[Kind, str, bytes]:
        return kind, "", body.to_json()

    receipts = _receipts(terminal_id)
    while some := tuple(islice(receipts, _TOGETHER)):
        yield told(Kind.RECEIPTS, ReceiptsBody(receipts=some))
    safe = iter(SafeEnvelope.objects.filter(envelope__terminal_id=terminal_id).values_list("pk", flat=True))
    while ids := tuple(islice(safe, _TOGETHER)):
        yield told(Kind.SAFE, SafeBody(ids=ids))
    after, more = 0, True
    while more and (page := roster_pull(after, terminal_id)) is not None:
        after, more = page.version, page.more
        yield told(Kind.ROSTER, page)
    after, more = 0, True
    while more and (decided := outcomes_pull(after, terminal_id)) is not None:
        after, more = decided.version, decided.more
        yield told(Kind.OUTCOMES, decided)
    yield told(Kind.KEYS, signed.office_keys().announced)
    found = content.published()
    if found is not None:
        package, data = found
        yield told(Kind.MANIFEST, ManifestBody(data=data, signature=content.manifest_signature(data)))
        for file in package.manifest.files:
            body = package.read(file.path)
            if body is not None:
                yield Kind.FILE, file.sha256, body


def _receipts(terminal_id: str) -> Iterator[SignedReceipt]:
    """Of every case that is here with all its pieces, oldest first."""
    envelopes = Envelope.objects.filter(terminal_id=terminal_id, received__gte=timezone.now() - RECEIPTS_OF)
    for pk in list(envelopes.order_by("received").values_list("pk", flat=True)):
        envelope = Envelope.objects.get(pk=pk)
        if envelope.pieces and envelope.erased is None and _incomplete(envelope):
            continue
        receipt, _ = word_on(pk)
        yield SignedReceipt(receipt=receipt, signature=sign(Context.RECEIPT, receipt, signed.office_keys().signing))


def _incomplete(envelope: Envelope) -> bool:
    try:
        return bool(parts.missing(parse_header(bytes(envelope.raw))))
    except EnvelopeError:
        return False
