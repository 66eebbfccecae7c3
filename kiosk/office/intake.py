"""Opening what was taken in: from sealed envelopes to the officers' lists. Failures stay visible and are retried."""

from __future__ import annotations

import datetime as dt
import logging
import threading
import traceback

from django.db import DatabaseError, close_old_connections, transaction
from django.db.models import Q
from django.utils import timezone
from pydantic import ValidationError

from kiosk.office import held, parts, signed
from kiosk.office.models import Envelope, OpeningFailure
from kiosk.office.opened import make_case, make_enrolment
from kiosk.sync.wire.envelope import EnvelopeError, open_envelope, parse_header
from kiosk.sync.wire.face_enrolment import ENROLMENT_SCHEMA, EnrolmentBody
from kiosk.sync.wire.models import CaseBody

_POLL_S = 30.0
_RETRY_BASE = dt.timedelta(minutes=1)
_RETRY_CAP = dt.timedelta(hours=6)

log = logging.getLogger(__name__)
wake = threading.Event()
"""Set after each commit of an envelope, so that the officers need not wait for the next look."""


def run(stop: threading.Event) -> None:
    """Opens envelopes until `stop`; whoever sets it sets `wake` too."""
    keys = None
    while not stop.is_set():
        wake.clear()
        close_old_connections()
        try:
            present = signed.office_keys()
            if keys is not present:  # a further key, or a start, which may be that of a newer version
                held.promote()
                keys = present
            open_due()
        except DatabaseError as error:
            log.error("envelopes cannot be opened now: %s", type(error).__name__)
        wake.wait(_POLL_S)


def open_due() -> int:
    """Opens everything that waits, oldest first; returns how many became cases or enrolments."""
    now = timezone.now()
    waiting = (
        Envelope.objects.filter(held.UNDERSTOOD)
        .filter(case=None, faceenrolment=None, erased=None)
        .filter(Q(openingfailure=None) | Q(openingfailure__next_try__lte=now))
        .order_by("received")
    )
    return sum(_open(Envelope.objects.get(pk=pk)) for pk in list(waiting.values_list("pk", flat=True)))


def _open(envelope: Envelope) -> bool:
    try:
        return _make_of(envelope)
    except EnvelopeError:
        return _failed(envelope, OpeningFailure.Reason.SEALED)
    except ValidationError:
        return _failed(envelope, OpeningFailure.Reason.FORM)
    except Exception as error:  # whatever it is, the next envelope has its turn; its text may hold personal data
        log.error("envelope %s: %s\n%s", envelope.pk, type(error).__name__, "".join(traceback.format_tb(error.__traceback__)))
        return _failed(envelope, OpeningFailure.Reason.INTERNAL)


def _make_of(envelope: Envelope) -> bool:
    """False while a piece is missing: that is no failure, it is opened as soon as the last one is there."""
    raw = bytes(envelope.raw)
    header = parse_header(raw)
    key, pieces = signed.office_keys().opener(header.kid), parts.pieces_of(header)
    if key is None:
        raise EnvelopeError("sealed for a key that is not here")
    if pieces is None:
        return False
    schema, body = header.schema_name, open_envelope(raw, key, pieces)[1]
    with transaction.atomic(durable=True):
        if schema == ENROLMENT_SCHEMA:
            make_enrolment(envelope, EnrolmentBody.model_validate_json(body))
        else:
            make_case(envelope, CaseBody.model_validate_json(body))
        OpeningFailure.objects.filter(pk=envelope.pk).delete()
    return True


def _failed(envelope: Envelope, reason: OpeningFailure.Reason) -> bool:
    now = timezone.now()
    before = OpeningFailure.objects.filter(pk=envelope.pk).first()
    failures = before.failures + 1 if before else 1
    pause = min(_RETRY_BASE * 2 ** min(failures - 1, 20), _RETRY_CAP)
    OpeningFailure.objects.update_or_create(
        envelope=envelope, defaults={"reason": reason, "failures": failures, "last_try": now, "next_try": now + pause},
    )
    return False
