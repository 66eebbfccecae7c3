"""What a terminal is told about the cases it handed in, whether or not the person is in its roster."""

from __future__ import annotations

from kiosk.domain.period import local_day
from kiosk.office.models import Case, Counter, FaceEnrolment
from kiosk.office.models.handed_in import HandedIn
from kiosk.sync.wire.outcomes import OutcomeBody, OutcomesPull

PAGE = 500
_VERSION = "outcomes"


def note(decided: Case | FaceEnrolment) -> None:
    """The decision gets its place among all others. Inside the transaction that makes it."""
    decided.outcome_version = Counter.take(_VERSION)
    decided.save(update_fields=["outcome_version"])


def outcomes_pull(after: int, terminal_id: str) -> OutcomesPull | None:
    """The page after version `after`; None when there is nothing newer."""
    newest = Counter.current(_VERSION)
    if after == newest:
        return None
    replace = after == 0 or after > newest  # a terminal ahead of us knows an office that was since restored
    window = {
        "terminal_id": terminal_id, "outcome_version__gt": 0 if replace else after, "outcome_version__lte": newest,
    }
    cases = Case.objects.filter(**window).order_by("outcome_version")[: PAGE + 1]
    enrolments = FaceEnrolment.objects.filter(**window).order_by("outcome_version")[: PAGE + 1]
    found = [(one.outcome_version or 0, _outcome(one, one.state, one.reason)) for one in cases]
    found += [(one.outcome_version or 0, _outcome(one, one.state, "")) for one in enrolments]
    found.sort(key=lambda placed: placed[0])
    more, page = len(found) > PAGE, found[:PAGE]
    return OutcomesPull(
        after=after, version=page[-1][0] if more else newest, replace=replace, more=more,
        outcomes=tuple(outcome for _, outcome in page),
    )


def _outcome(one: HandedIn, state: str, reason: str) -> OutcomeBody:
    return OutcomeBody(
        case_id=one.pk, case_number=one.case_number, state=state, reason=reason,
        decided_on=local_day(one.decided) if one.decided else None,
    )
