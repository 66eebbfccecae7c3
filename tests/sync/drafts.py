"""What a conversation hands in about an invented person: tries with their reports and clips, an enrolment."""

from __future__ import annotations

import datetime as dt

from kiosk.domain.consent import Consent, ConsentScope
from kiosk.domain.decision import ClipFrame, FaceEvidence
from kiosk.domain.document import CardKind, IdCard
from kiosk.domain.enrolment import Capture, EnrolmentDraft, EnrolmentEvidence, Lookalike, View
from kiosk.domain.liveness import Action, Check, CheckOutcome, CheckResult, LivenessReport, Profile
from kiosk.domain.roster import FaceTemplate, TemplateSource

NUMBER, NAME = "999901195001010026", "张测试甲"
ALIKE = "999901194012310018"
NOW = dt.datetime(2026, 11, 23, 1, 0, tzinfo=dt.UTC)
ENGINE = "engine"
JPEG = b"\xff\xd8 no picture, but enough for the way it goes \xff\xd9"
BOTH = frozenset({ConsentScope.ENROL, ConsentScope.SEND_PHOTO})
ORDER = (Action.TURN_RIGHT, Action.BLINK, Action.TURN_LEFT)


def report(outcome: CheckOutcome = CheckOutcome.PASSED, order: tuple[Action, ...] = ORDER) -> LivenessReport:
    """outcome: of the depth check, which alone may fail here."""
    return LivenessReport(
        profile=Profile.PAPER, nonce="ab" * 16, order=order, seconds=8.25,
        checks=(
            *(CheckResult(Check(action.value), CheckOutcome.PASSED, 0.35, 0.3) for action in order),
            CheckResult(Check.SAME_FACE, CheckOutcome.PASSED, 0.12, 0.35), CheckResult(Check.FRESH, CheckOutcome.PASSED),
            CheckResult(Check.BORDER, CheckOutcome.UNCLEAR, reason="too_few"),
            CheckResult(Check.DEPTH, outcome, 0.0152, 0.155), CheckResult(Check.FLASH, CheckOutcome.NOT_DONE),
        ),
    )


def clip(count: int = 4, size: int = 0) -> tuple[ClipFrame, ...]:
    """size: bytes of each picture, 0: small ones, each its own."""
    return tuple(ClipFrame(i * 333, bytes([i % 256]) * size if size else JPEG + bytes([i])) for i in range(count))


def evidence(photos: tuple[bytes, ...] = (JPEG,), frames: tuple[ClipFrame, ...] = (), **more: object) -> FaceEvidence:
    fields: dict[str, object] = {"distance": 0.3, "frames": 5, "templates": 3, "report": report(), "engine": ENGINE}
    return FaceEvidence(**(fields | {"photos": photos, "clip": frames} | more))  # type: ignore[arg-type]


def make_enrolment(
    repeat: int = 0, number: str = NUMBER, scopes: frozenset[ConsentScope] = BOTH,
    frames: tuple[ClipFrame, ...] = (), photo: bytes = JPEG, captured_at: dt.datetime = NOW,
) -> EnrolmentDraft:
    captures = tuple(
        Capture(view, FaceTemplate(ENGINE, (0.1 * n, -0.25, 1e-17), TemplateSource.ENROLLED, NOW.date()), photo + bytes([n]))
        for n, view in enumerate(View)
    )
    return EnrolmentDraft(
        card=IdCard(CardKind.RESIDENT, number, NAME, birth=dt.date(1950, 1, 1)), consent=Consent(scopes, "2026-11", NOW),
        evidence=EnrolmentEvidence(captures, 0.21, 0.35, report(), ENGINE, (Lookalike(4, 0.401),), frames),
        staff="wang", captured_at=captured_at, in_roster=True, category="居保", lookalike_numbers=(ALIKE,), repeat=repeat,
    )
