"""Taking envelopes in: idempotent by the terminal's own id, and never lost once the receipt is out."""

from __future__ import annotations

import datetime as dt
import shutil
import uuid

from django.conf import settings
from django.db import IntegrityError, OperationalError, connection, transaction
from django.http import HttpResponse
from django.utils import timezone

from kiosk.office import audit, intake, signed
from kiosk.office.models import AuditEntry, Envelope, Terminal, TerminalKey
from kiosk.sync.wire.envelope import EnvelopeError, digest, parse_header
from kiosk.sync.wire.face_enrolment import ENROLMENT_SCHEMA, ENROLMENT_SCHEMA_VERSION
from kiosk.sync.wire.keys import signing_public
from kiosk.sync.wire.models import (
    ALGORITHM,
    CASE_SCHEMA,
    CASE_SCHEMA_VERSION,
    WIRE_VERSION,
    AckLevel,
    EnvelopeHeader,
    Receipt,
    RefusalCode,
)
from kiosk.sync.wire.signing import Context, verify

_SCHEMAS = {CASE_SCHEMA: CASE_SCHEMA_VERSION, ENROLMENT_SCHEMA: ENROLMENT_SCHEMA_VERSION}
_COLUMNS = ("id", "terminal_id", "epoch", "seq", "digest", "raw", "signature", "received", "level", "receipt")
# The conflict target is named: without it a clash of (terminal, epoch, seq) would vanish as a supposed duplicate.
_INSERT = (
    f"INSERT INTO office_envelope ({', '.join(_COLUMNS)}) VALUES ({', '.join(['%s'] * len(_COLUMNS))}) "
    "ON CONFLICT (id) DO NOTHING RETURNING id"
)


def put(case_id: uuid.UUID, data: bytes, signature: str) -> HttpResponse:
    """The answer to one PUT: 201/200/202 with receipt, 403/409/422 with refusal, else unsigned."""
    if not signature:
        return signed.unsigned(400, "the signature header is missing")  # a gateway's doing, not the terminal's word
    hexdigest = digest(data).hex()

    def refuse(code: RefusalCode, status: int) -> HttpResponse:
        return signed.refusal(code, status, str(case_id), hexdigest)

    try:
        header = parse_header(data)
    except EnvelopeError:
        return refuse(RefusalCode.INVALID, 422)
    key = TerminalKey.objects.filter(terminal_id=header.kiosk, epoch=header.epoch, revoked=None).first()
    if key is None:
        return refuse(RefusalCode.DEVICE, 403)
    if (
        header.id != str(case_id)
        or header.alg != ALGORITHM
        or not verify(Context.TXN, bytes.fromhex(hexdigest), signature, signing_public(key.signing_key))
    ):
        return refuse(RefusalCode.INVALID, 422)
    if shutil.disk_usage(settings.OFFICE.data).free < settings.OFFICE.free_floor_mb * 1_000_000:
        return signed.unsigned(503, "the office's disk is nearly full")
    try:
        created = _store(header, data, hexdigest, signature)
    except IntegrityError:
        if not _seq_taken(header):
            raise
        _alarm(AuditEntry.Action.CLONE, header)
        return refuse(RefusalCode.SEQ, 409)
    except OperationalError:
        return signed.unsigned(503, "the office's database is busy")
    stored = Envelope.objects.only("digest", "receipt", "level").get(pk=header.id)
    if stored.digest != hexdigest:
        _alarm(AuditEntry.Action.CONFLICT, header)
        return refuse(RefusalCode.CONFLICT, 409)
    intake.wake.set()
    if not created:
        return signed.receipt(bytes(stored.receipt), 200)
    return signed.receipt(bytes(stored.receipt), 202 if stored.level == AckLevel.HELD else 201)


def _store(header: EnvelopeHeader, data: bytes, hexdigest: str, signature: str) -> bool:
    """Whether the envelope is new. Durable when this returns; raises IntegrityError for a taken seq."""
    now = timezone.now()
    level = AckLevel.COMMITTED if _known(header) else AckLevel.HELD
    receipt = Receipt(
        id=header.id, sha256=hexdigest, received=now.astimezone(dt.UTC), level=level, kid=signed.office_keys().signing_id,
    )
    row = (
        header.id, header.kiosk, header.epoch, header.seq, hexdigest, data, signature,
        connection.ops.adapt_datetimefield_value(now), level.value, receipt.to_json(),
    )
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute(_INSERT, row)
        created = cursor.fetchone() is not None  # rowcount is 0 here on SQLite, with or without a new row
        Terminal.objects.filter(pk=header.kiosk).update(last_seen=now)
    return created


def _known(header: EnvelopeHeader) -> bool:
    """Whether this version can open it; what it cannot is held for a newer one, never refused."""
    return (
        header.v <= WIRE_VERSION
        and header.schema_version <= _SCHEMAS.get(header.schema_name, 0)
        and header.kid == signed.office_keys().sealing_id
    )


def _seq_taken(header: EnvelopeHeader) -> bool:
    same = Envelope.objects.filter(terminal_id=header.kiosk, epoch=header.epoch, seq=header.seq)
    return same.exclude(pk=header.id).exists()


def _alarm(action: AuditEntry.Action, header: EnvelopeHeader) -> None:
    with transaction.atomic(durable=True):
        audit.append(header.kiosk, action, header.id, epoch=header.epoch, seq=header.seq)
