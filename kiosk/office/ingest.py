"""Taking envelopes in: idempotent by the terminal's own id, and never lost once the receipt is out."""

from __future__ import annotations

import uuid

from django.db import IntegrityError, OperationalError, connection, transaction
from django.http import HttpResponse
from django.utils import timezone

from kiosk.office import algorithms, audit, clones, disk, heads, held, intake, parts, signed
from kiosk.office.models import AuditEntry, Envelope, Terminal, TerminalKey
from kiosk.sync.wire import http
from kiosk.sync.wire.envelope import EnvelopeError, digest, parse_header
from kiosk.sync.wire.keys import signing_public
from kiosk.sync.wire.models import AckLevel, EnvelopeHeader, RefusalCode
from kiosk.sync.wire.signing import Context, verify

_COLUMNS = (
    "id", "terminal_id", "epoch", "seq", "digest", "raw", "signature", "received", "day", "pieces", "level", "receipt", "fork",
)
_NAMED_MAX = 16
"""Missing pieces named at once: proxies pass on headers of 4 KB."""
# The conflict target is named: without it a clash of (terminal, epoch, seq) would vanish as a supposed duplicate.
_INSERT = (
    f"INSERT INTO office_envelope ({', '.join(_COLUMNS)}) VALUES ({', '.join(['%s'] * len(_COLUMNS))}) "
    "ON CONFLICT (id) DO NOTHING RETURNING id"
)


def put(case_id: uuid.UUID, data: bytes, signature: str, vouch: str = "", ours: bool = False) -> HttpResponse:
    """The answer to one PUT: 201/200/202 with receipt, 403/409/422 with refusal, else unsigned.

    vouch: of a newer enrolment, for a case sealed under an earlier one (`clones.stands_up`).
    ours: this office's own signed receipt for these very bytes is at hand (`backup.archive`).
    """
    if not signature:
        return signed.unsigned(400, "the signature header is missing")  # a gateway's doing, not the terminal's word
    hexdigest = digest(data).hex()

    def refuse(code: RefusalCode, status: int) -> HttpResponse:
        return signed.refusal(code, status, str(case_id), hexdigest)

    try:
        header = parse_header(data)
    except EnvelopeError:
        return refuse(RefusalCode.INVALID, 422)
    key = TerminalKey.objects.filter(terminal_id=header.kiosk, epoch=header.epoch).first()
    vouched = ours or (bool(vouch) and clones.stands_up(header, hexdigest, vouch))
    if (key is None or key.revoked is not None) and not vouched:
        return refuse(RefusalCode.DEVICE, 403)
    if (
        header.id != str(case_id)
        or header.alg not in algorithms.allowed(header.kiosk)
        or (key and not ours and not verify(Context.TXN, bytes.fromhex(hexdigest), signature, signing_public(key.signing_key)))
    ):
        return refuse(RefusalCode.INVALID, 422)
    if disk.is_low():
        return signed.unsigned(503, "the office's disk is nearly full")
    try:
        created = _store(header, data, hexdigest, signature)
    except IntegrityError:
        if not _seq_taken(header):
            raise
        if Envelope.objects.filter(pk=header.id).exists():
            created = False
        elif not vouched:
            _clone(header)
            return refuse(RefusalCode.SEQ, 409)
        else:
            _alarm(AuditEntry.Action.CLONE, header)  # the machines are told apart by now: an entry, no new alarm on the desk
            created = _store(header, data, hexdigest, signature, clones.next_fork(header))
    except OperationalError:
        return signed.unsigned(503, "the office's database is busy")
    if Envelope.objects.only("digest").get(pk=header.id).digest != hexdigest:
        _alarm(AuditEntry.Action.CONFLICT, header)
        return refuse(RefusalCode.CONFLICT, 409)
    intake.wake.set()
    receipt, is_held = held.word_on(header.id)
    answer = signed.receipt(receipt, 200 if not created else 202 if is_held else 201)
    missing = parts.missing(header)
    if missing:
        answer.headers[http.MISSING] = ",".join(missing[:_NAMED_MAX])
    return answer


def _store(header: EnvelopeHeader, data: bytes, hexdigest: str, signature: str, fork: int = 0) -> bool:
    """Whether the envelope is new. Durable when this returns; raises IntegrityError for a taken seq."""
    now = timezone.now()
    level = AckLevel.COMMITTED if held.known(header) else AckLevel.HELD
    receipt = held.receipt_for(header.id, hexdigest, now, level)
    row = (
        header.id, header.kiosk, header.epoch, header.seq, hexdigest, data, signature,
        connection.ops.adapt_datetimefield_value(now), connection.ops.adapt_datefield_value(header.day), len(header.parts),
        level.value, receipt.to_json(), fork,
    )
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute(_INSERT, row)
        created = cursor.fetchone() is not None  # rowcount is 0 here on SQLite, with or without a new row
        Terminal.objects.filter(pk=header.kiosk).update(last_seen=now)
        if created:
            heads.told_by_case(header, now)
    return created


def _seq_taken(header: EnvelopeHeader) -> bool:
    same = Envelope.objects.filter(terminal_id=header.kiosk, epoch=header.epoch, seq=header.seq)
    return same.exclude(pk=header.id).exists()


def _alarm(action: AuditEntry.Action, header: EnvelopeHeader) -> None:
    with transaction.atomic(durable=True):
        audit.append(header.kiosk, action, header.id, epoch=header.epoch, seq=header.seq)


def _clone(header: EnvelopeHeader) -> None:
    with transaction.atomic(durable=True):
        clones.notice(header.kiosk, "number_twice", case=header.id, epoch=header.epoch, seq=header.seq)
