"""From opened bodies to rows: a case with its tries, an enrolment with its captures."""

from __future__ import annotations

from typing import Any

from kiosk.domain.decision import Outcome
from kiosk.domain.liveness import Liveness
from kiosk.office.dating import columns
from kiosk.office.models import (
    AttemptClipFrame,
    Case,
    EnrolmentClipFrame,
    Envelope,
    FaceAttempt,
    FaceCapture,
    FaceEnrolment,
    Person,
    Photo,
)
from kiosk.office.pull import UNKNOWN_CATEGORY
from kiosk.sync.wire.envelope import parse_header
from kiosk.sync.wire.face import AttemptBody, ReportBody
from kiosk.sync.wire.face_enrolment import EnrolmentBody
from kiosk.sync.wire.models import CaseBody


def make_case(envelope: Envelope, body: CaseBody) -> None:
    """Inside the caller's transaction."""
    case = Case.objects.create(
        **_common(envelope, body), item=body.item.value, outcome=body.outcome.value, cause=_cause(body),
        photos_left_out=body.photos_left_out,
    )
    for position, attempt in enumerate(body.attempts, start=1):
        _add_attempt(case, position, attempt)


def make_enrolment(envelope: Envelope, body: EnrolmentBody) -> None:
    """Inside the caller's transaction."""
    enrolment = FaceEnrolment.objects.create(
        **_common(envelope, body), **_report(body.report), liveness=body.liveness.value, clip_left_out=body.clip_left_out,
        staff=body.staff, engine=body.engine, apart=body.apart, apart_max=body.apart_max,
        lookalikes=[{"number": one.number, "distance": one.distance} for one in body.lookalikes],
    )
    FaceCapture.objects.bulk_create(
        FaceCapture(
            enrolment=enrolment, position=n, view=one.view, engine=one.template.engine, vector=list(one.template.vector),
            jpeg=one.photo,
        )
        for n, one in enumerate(body.captures, start=1)
    )
    EnrolmentClipFrame.objects.bulk_create(
        EnrolmentClipFrame(enrolment=enrolment, position=n, t_ms=frame.t_ms, jpeg=frame.jpeg)
        for n, frame in enumerate(body.clip, start=1)
    )


def _common(envelope: Envelope, body: CaseBody | EnrolmentBody) -> dict[str, Any]:
    person, consent = body.person, body.consent
    return {
        "envelope": envelope, "terminal_id": envelope.terminal_id, "case_number": body.case_number,
        "name": person.name, "number": person.number, "sex": person.sex or "", "birth": person.birth,
        "document": person.document.value, "document_valid_to": person.valid_to,
        "category": "" if person.category == UNKNOWN_CATEGORY else person.category, "in_roster": person.in_roster,
        "consent_scopes": [scope.value for scope in consent.scopes], "consent_version": consent.text_version,
        "consent_given": consent.given_at, "captured": body.captured_at, "repeat": body.repeat, "simulated": body.simulated,
    } | columns(parse_header(bytes(envelope.raw)))


def _add_attempt(case: Case, position: int, attempt: AttemptBody) -> None:
    row = FaceAttempt.objects.create(
        case=case, position=position, distance=attempt.distance, raw_distance=attempt.raw_distance, frames=attempt.frames,
        templates=attempt.templates, foreign=attempt.foreign, chip_only=attempt.chip_only, engine=attempt.engine,
        threshold_set=attempt.threshold_set, liveness=attempt.liveness.value, clip_left_out=attempt.clip_left_out,
        **_report(attempt.report),
    )
    Photo.objects.bulk_create(Photo(attempt=row, position=n, jpeg=jpeg) for n, jpeg in enumerate(attempt.photos, start=1))
    AttemptClipFrame.objects.bulk_create(
        AttemptClipFrame(attempt=row, position=n, t_ms=frame.t_ms, jpeg=frame.jpeg)
        for n, frame in enumerate(attempt.clip, start=1)
    )


def _report(report: ReportBody | None) -> dict[str, Any]:
    if report is None:
        return {}
    return {
        "profile": report.profile, "nonce": report.nonce, "order": list(report.order), "seconds": report.seconds,
        "checks": [check.model_dump() for check in report.checks],
    }


def _cause(body: CaseBody) -> Case.Cause:
    if not Person.objects.filter(number=body.person.number, active=True).exists():
        return Case.Cause.UNLISTED
    if body.outcome is Outcome.PASSED:
        return Case.Cause.CONFIRM
    if not any(attempt.templates for attempt in body.attempts):
        foreign = any(attempt.foreign for attempt in body.attempts)
        return Case.Cause.ENROL_AGAIN if foreign else Case.Cause.NO_PORTRAIT
    if not any(attempt.liveness is Liveness.PASSED for attempt in body.attempts):
        return Case.Cause.NO_LIVENESS
    return Case.Cause.UNSURE
