"""Pieces of cases too large for one request: kept by their digest, never changed, put together when the case is opened.

A piece comes before its case and needs only the signature of an enrolled terminal; what it is worth is said by the
envelope, whose signed header names it.
"""

from __future__ import annotations

import datetime as dt

from django.db import OperationalError, connection, models, transaction
from django.http import HttpResponse
from django.utils import timezone
from pydantic import ValidationError

from kiosk.office import audit, disk, signed
from kiosk.office.models import AuditEntry, Envelope, EnvelopePart, Terminal, TerminalKey
from kiosk.sync.wire import http
from kiosk.sync.wire.keys import signing_public
from kiosk.sync.wire.models import EnvelopeHeader, RefusalCode
from kiosk.sync.wire.parts import PartReceipt, part_digest
from kiosk.sync.wire.signing import Context, verify

UNNAMED_KEPT = dt.timedelta(days=30)
"""A piece whose case has not come by then is no longer waited for; the terminal is told and sends it again."""
ACTOR = "清除计划"
_INSERT = (
    "INSERT INTO office_envelopepart (sha256, case_id, terminal_id, raw, received) VALUES (%s, %s, %s, %s, %s) "
    "ON CONFLICT (sha256) DO NOTHING RETURNING sha256"
)


def put(sha256: str, case_id: str, data: bytes, terminal_id: str, signature: str) -> HttpResponse:
    """The answer to one PUT: 201/200 with a signed PartReceipt, 403/409/422 with refusal, else unsigned."""
    if not (case_id and terminal_id and signature):
        return signed.unsigned(400, "the request is not signed")
    if len(data) > http.PART_BYTES_MAX:
        return signed.unsigned(413, "longer than a piece")
    try:
        receipt = PartReceipt(case=case_id, sha256=sha256, kid=signed.office_keys().signing_id)
    except ValidationError:
        return signed.unsigned(400, "this is no address of a piece")
    found = part_digest(data)

    def refuse(code: RefusalCode, status: int) -> HttpResponse:
        return signed.refusal(code, status, case_id, found)

    if not _of_terminal(terminal_id, found, signature):
        return refuse(RefusalCode.DEVICE, 403)
    if found != sha256 or not data:
        return refuse(RefusalCode.INVALID, 422)
    if disk.is_low():
        return signed.unsigned(503, "the office's disk is nearly full")
    try:
        created = keep(sha256, case_id, data, terminal_id)
    except OperationalError:
        return signed.unsigned(503, "the office's database is busy")
    if created is None:
        return refuse(RefusalCode.CONFLICT, 409)
    return signed.part_receipt(receipt.to_json(), 201 if created else 200)


def keep(sha256: str, case_id: str, data: bytes, terminal_id: str) -> bool | None:
    """Whether the piece is new; None when these bytes belong to another case. Durable when this returns.

    data: what `sha256` is the digest of. A piece that was here and was erased stays erased.
    """
    now = timezone.now()
    row = (sha256, case_id, terminal_id, data, connection.ops.adapt_datetimefield_value(now))
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute(_INSERT, row)
        created = cursor.fetchone() is not None
        Terminal.objects.filter(pk=terminal_id).update(last_seen=now)
    if created:
        return True
    return False if EnvelopePart.objects.filter(pk=sha256, case_id=case_id).exists() else None


def missing(header: EnvelopeHeader) -> tuple[str, ...]:
    """Digests of the pieces that are not here, in order."""
    if not header.parts:
        return ()
    here = set(EnvelopePart.objects.filter(case_id=header.id).values_list("sha256", flat=True))
    return tuple(sha256 for sha256 in header.parts if sha256 not in here)


def pieces_of(header: EnvelopeHeader) -> tuple[bytes, ...] | None:
    """In the order of the header; None while one is missing."""
    if not header.parts:
        return ()
    rows = EnvelopePart.objects.filter(case_id=header.id, sha256__in=header.parts).values_list("sha256", "raw")
    here = {sha256: bytes(raw) for sha256, raw in rows}
    return tuple(here[sha256] for sha256 in header.parts) if here.keys() >= set(header.parts) else None


def sweep(now: dt.datetime) -> int:
    """Deletes pieces whose case never came; how many. To be called daily."""
    unnamed: models.QuerySet[EnvelopePart] = models.QuerySet(EnvelopePart).filter(received__lt=now - UNNAMED_KEPT)
    unnamed = unnamed.exclude(case_id__in=Envelope.objects.values("pk"))
    with transaction.atomic(durable=True):
        count, _ = unnamed.delete()
        if count:
            audit.append(ACTOR, AuditEntry.Action.ERASED, "unnamed_pieces", count=count)
    return count


def _of_terminal(terminal_id: str, sha256: str, signature: str) -> bool:
    """Whether an enrolment of this terminal that still holds has signed the piece."""
    keys = TerminalKey.objects.filter(terminal_id=terminal_id, revoked=None).values_list("signing_key", flat=True)
    return any(verify(Context.PART, bytes.fromhex(sha256), signature, signing_public(key)) for key in keys)
