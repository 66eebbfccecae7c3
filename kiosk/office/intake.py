"""Opening what was taken in: from sealed envelopes to cases on the officers' list. Failures stay visible and are retried."""

from __future__ import annotations

import datetime as dt
import logging
import threading
import traceback

from django.db import DatabaseError, close_old_connections, transaction
from django.db.models import Q
from django.utils import timezone
from pydantic import ValidationError

from kiosk.domain.decision import Liveness, Outcome
from kiosk.office import signed
from kiosk.office.models import Case, Envelope, FaceAttempt, OpeningFailure, Person, Photo
from kiosk.office.pull import UNKNOWN_CATEGORY
from kiosk.sync.wire.envelope import EnvelopeError, open_body
from kiosk.sync.wire.models import AckLevel, AttemptBody, CaseBody, PersonBody

_POLL_S = 30.0
_RETRY_BASE = dt.timedelta(minutes=1)
_RETRY_CAP = dt.timedelta(hours=6)

log = logging.getLogger(__name__)
wake = threading.Event()
"""Set after each commit of an envelope, so that the officers need not wait for the next look."""


def run(stop: threading.Event) -> None:
    """Opens envelopes until `stop`; whoever sets it sets `wake` too."""
    while not stop.is_set():
        wake.clear()
        close_old_connections()
        try:
            open_due()
        except DatabaseError as error:
            log.error("envelopes cannot be opened now: %s", type(error).__name__)
        wake.wait(_POLL_S)


def open_due() -> int:
    """Opens everything that waits, oldest first; returns how many became cases."""
    now = timezone.now()
    waiting = (
        Envelope.objects.exclude(level=AckLevel.HELD.value)
        .filter(case=None)
        .filter(Q(openingfailure=None) | Q(openingfailure__next_try__lte=now))
        .order_by("received")
    )
    return sum(_open(Envelope.objects.get(pk=pk)) for pk in list(waiting.values_list("pk", flat=True)))


def _open(envelope: Envelope) -> bool:
    try:
        body = CaseBody.model_validate_json(open_body(bytes(envelope.raw), signed.office_keys().sealing))
        _make_case(envelope, body)
    except EnvelopeError:
        return _failed(envelope, OpeningFailure.Reason.SEALED)
    except ValidationError:
        return _failed(envelope, OpeningFailure.Reason.FORM)
    except Exception as error:  # whatever it is, the next envelope has its turn; its text may hold personal data
        log.error("envelope %s: %s\n%s", envelope.pk, type(error).__name__, "".join(traceback.format_tb(error.__traceback__)))
        return _failed(envelope, OpeningFailure.Reason.INTERNAL)
    return True


def _make_case(envelope: Envelope, body: CaseBody) -> None:
    person = body.person
    with transaction.atomic(durable=True):
        case = Case.objects.create(
            envelope=envelope, terminal_id=envelope.terminal_id, item=body.item.value, case_number=body.case_number,
            name=person.name, number=person.number, sex=person.sex or "", birth=person.birth,
            document=person.document.value, document_valid_to=person.valid_to,
            category=_category(person), in_roster=person.in_roster,
            outcome=body.outcome.value, cause=_cause(body), consent_scopes=[scope.value for scope in body.consent.scopes],
            consent_version=body.consent.text_version, consent_given=body.consent.given_at,
            photos_left_out=body.photos_left_out, captured=body.captured_at, repeat=body.repeat, simulated=body.simulated,
        )
        for position, attempt in enumerate(body.attempts, start=1):
            _add_attempt(case, position, attempt)
        OpeningFailure.objects.filter(pk=envelope.pk).delete()


def _add_attempt(case: Case, position: int, attempt: AttemptBody) -> None:
    row = FaceAttempt.objects.create(
        case=case, position=position, distance=attempt.distance, frames=attempt.frames, templates=attempt.templates,
        liveness=attempt.liveness.value, engine=attempt.engine,
    )
    Photo.objects.bulk_create(Photo(attempt=row, position=n, jpeg=jpeg) for n, jpeg in enumerate(attempt.photos, start=1))


def _category(person: PersonBody) -> str:
    return "" if person.category == UNKNOWN_CATEGORY else person.category


def _cause(body: CaseBody) -> Case.Cause:
    if not Person.objects.filter(number=body.person.number, active=True).exists():
        return Case.Cause.UNLISTED
    if body.outcome is Outcome.PASSED:
        return Case.Cause.CONFIRM
    if not any(attempt.templates for attempt in body.attempts):
        return Case.Cause.NO_PORTRAIT
    if not any(attempt.liveness is Liveness.PASSED for attempt in body.attempts):
        return Case.Cause.NO_LIVENESS
    return Case.Cause.UNSURE


def _failed(envelope: Envelope, reason: OpeningFailure.Reason) -> bool:
    now = timezone.now()
    before = OpeningFailure.objects.filter(pk=envelope.pk).first()
    failures = before.failures + 1 if before else 1
    pause = min(_RETRY_BASE * 2 ** min(failures - 1, 20), _RETRY_CAP)
    OpeningFailure.objects.update_or_create(
        envelope=envelope, defaults={"reason": reason, "failures": failures, "last_try": now, "next_try": now + pause},
    )
    return False
