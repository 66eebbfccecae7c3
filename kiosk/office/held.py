"""Envelopes this office could not read when they came: kept as they are, and taken for committed once it can.

What was received is never changed. That an envelope is understood by now, and the fresh receipt for it, is a row of its own.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from kiosk.office import signed
from kiosk.office.models import Envelope, EnvelopePromotion
from kiosk.sync.wire.envelope import EnvelopeError, parse_header
from kiosk.sync.wire.face_enrolment import ENROLMENT_SCHEMA, ENROLMENT_SCHEMA_VERSION
from kiosk.sync.wire.models import CASE_SCHEMA, CASE_SCHEMA_VERSION, WIRE_VERSION, AckLevel, EnvelopeHeader, Receipt

UNDERSTOOD = ~Q(level=AckLevel.HELD.value) | Q(promotion__isnull=False)
"""Of envelopes: those this office can read."""
_SCHEMAS = {CASE_SCHEMA: CASE_SCHEMA_VERSION, ENROLMENT_SCHEMA: ENROLMENT_SCHEMA_VERSION}


def known(header: EnvelopeHeader) -> bool:
    """Whether this version can open it; what it cannot is held for a newer one, never refused."""
    return (
        header.v <= WIRE_VERSION
        and header.schema_version <= _SCHEMAS.get(header.schema_name, 0)
        and signed.office_keys().opener(header.kid) is not None
    )


def promote() -> int:
    """Looks at everything held, after an upgrade or with a further key; how many envelopes count as committed now."""
    waiting = Envelope.objects.filter(level=AckLevel.HELD.value, promotion=None, erased=None)
    return sum(promote_one(Envelope.objects.get(pk=pk)) for pk in list(waiting.values_list("pk", flat=True)))


def promote_one(envelope: Envelope) -> bool:
    """Whether this one, held until now, is understood."""
    try:
        header = parse_header(bytes(envelope.raw))
    except EnvelopeError:
        return False
    if not known(header):
        return False
    receipt = receipt_for(envelope.pk, envelope.digest, envelope.received, AckLevel.COMMITTED)
    with transaction.atomic(durable=True):
        _, created = EnvelopePromotion.objects.get_or_create(
            envelope=envelope, defaults={"at": timezone.now(), "receipt": receipt.to_json()},
        )
    return created


def word_on(case_id: str) -> tuple[bytes, bool]:
    """The receipt an envelope has by now, and whether it is still held; looks again at one that is."""
    envelope = Envelope.objects.get(pk=case_id)
    if envelope.level != AckLevel.HELD:
        return bytes(envelope.receipt), False
    promoted = EnvelopePromotion.objects.filter(pk=case_id)
    if promoted.exists() or (envelope.erased is None and promote_one(envelope)):
        return bytes(promoted.get().receipt), False
    return bytes(envelope.receipt), True


def receipt_for(case_id: str, sha256: str, received: dt.datetime, level: AckLevel) -> Receipt:
    return Receipt(
        id=case_id, sha256=sha256, received=received.astimezone(dt.UTC), level=level, kid=signed.office_keys().signing_id,
    )
