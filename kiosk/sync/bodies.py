"""From finished conversations to what travels. Pictures go only as far as the consent does."""

from __future__ import annotations

import math
from collections.abc import Sequence

from kiosk.domain.case import CaseDraft
from kiosk.domain.consent import Consent, ConsentScope
from kiosk.domain.decision import ClipFrame, FaceEvidence
from kiosk.domain.document import IdCard
from kiosk.domain.enrolment import EnrolmentDraft
from kiosk.domain.liveness import LivenessReport
from kiosk.domain.roster import FaceTemplate
from kiosk.sync.pictures import Room
from kiosk.sync.wire.face import AttemptBody, CheckBody, ClipFrameBody, ReportBody, TemplateBody
from kiosk.sync.wire.face_enrolment import CaptureBody, EnrolmentBody, LookalikeBody
from kiosk.sync.wire.models import CaseBody, ConsentBody, PersonBody


def case_body(draft: CaseDraft, case_number: str, simulated: bool) -> CaseBody:
    attempts, left_out = _attempts(draft.attempts, draft.consent.allows(ConsentScope.SEND_PHOTO))
    due = draft.due
    return CaseBody(
        item=draft.item, case_number=case_number, outcome=draft.outcome,
        person=_person(draft.card, draft.category, draft.in_roster), consent=_consent(draft.consent),
        attempts=attempts, photos_left_out=left_out, captured_at=draft.captured_at,
        due=due.date if due else None, due_confirmed=due is not None and due.confirmed_by_office,
        repeat=draft.repeat, simulated=simulated,
    )


def enrolment_body(draft: EnrolmentDraft, case_number: str, simulated: bool) -> EnrolmentBody:
    """Raises ValueError without the consent to keep the features and to send the pictures: then nothing may leave."""
    if not (draft.consent.allows(ConsentScope.ENROL) and draft.consent.allows(ConsentScope.SEND_PHOTO)):
        raise ValueError("an enrolment needs the consent to it and to its pictures")
    evidence, room = draft.evidence, Room()
    photos = room.photos([capture.photo for capture in evidence.captures])
    if len(photos) < len(evidence.captures):
        raise ValueError("the captures of an enrolment are larger than one request")
    clip = room.clip(evidence.clip)
    return EnrolmentBody(
        item=draft.item, case_number=case_number,
        person=_person(draft.card, draft.category, draft.in_roster), consent=_consent(draft.consent), staff=draft.staff,
        captures=tuple(
            CaptureBody(view=capture.view.value, template=_template(capture.template), photo=capture.photo)
            for capture in evidence.captures
        ),
        apart=evidence.apart, apart_max=evidence.apart_max,
        lookalikes=tuple(
            LookalikeBody(number=number, distance=one.distance)
            for number, one in zip(draft.lookalike_numbers, evidence.lookalikes, strict=True)
        ),
        liveness=evidence.report.verdict, engine=evidence.engine, report=_report(evidence.report),
        clip=_clip(clip), clip_left_out=len(evidence.clip) - len(clip),
        captured_at=draft.captured_at, repeat=draft.repeat, simulated=simulated,
    )


def _person(card: IdCard, category: str, in_roster: bool) -> PersonBody:
    return PersonBody(
        document=card.kind, number=card.number, name=card.name, sex=card.sex, birth=card.birth,
        valid_from=card.valid_from, valid_to=card.valid_to, category=category, in_roster=in_roster,
    )


def _consent(consent: Consent) -> ConsentBody:
    return ConsentBody(scopes=tuple(sorted(consent.scopes)), text_version=consent.text_version, given_at=consent.given_at)


def _attempts(tries: Sequence[FaceEvidence], may_send: bool) -> tuple[tuple[AttemptBody, ...], int]:
    """All tries, oldest first, and how many photographs found no room."""
    room = Room() if may_send else Room(0)
    newest_first = tries[::-1]
    photos = [room.photos(one.photos) for one in newest_first]
    clips = [room.clip(one.clip) for one in newest_first]
    left_out = sum(len(one.photos) - len(kept) for one, kept in zip(newest_first, photos, strict=True)) if may_send else 0
    bodies = [
        AttemptBody(
            distance=_finite(one.distance), frames=one.frames, templates=one.templates, liveness=one.liveness,
            engine=one.engine, photos=kept, report=_report(one.report), threshold_set=one.threshold_set,
            raw_distance=_finite(one.raw_distance), chip_only=one.chip_only, foreign=one.foreign,
            clip=_clip(clip), clip_left_out=len(one.clip) - len(clip) if may_send else 0,
        )
        for one, kept, clip in zip(newest_first, photos, clips, strict=True)
    ]
    return tuple(reversed(bodies)), left_out


def _report(report: LivenessReport) -> ReportBody:
    return ReportBody(
        profile=report.profile.value, nonce=report.nonce, order=tuple(action.value for action in report.order),
        checks=tuple(
            CheckBody(
                check=one.check.value, outcome=one.outcome.value, value=_finite(one.value), limit=_finite(one.limit),
                reason=one.reason,
            )
            for one in report.checks
        ),
        seconds=report.seconds,
    )


def _clip(clip: Sequence[ClipFrame]) -> tuple[ClipFrameBody, ...]:
    return tuple(ClipFrameBody(t_ms=frame.t_ms, jpeg=frame.jpeg) for frame in clip)


def _template(template: FaceTemplate) -> TemplateBody:
    return TemplateBody(
        engine=template.engine, vector=template.vector, source=template.source.value, taken_on=template.taken_on,
    )


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
