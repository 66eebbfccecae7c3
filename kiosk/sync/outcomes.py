"""Pulling what the office decided on the cases handed in here. Page and version are taken in one transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from kiosk.store.outcomes import CaseOutcome, Outcomes
from kiosk.sync.asking import PullResult, ask, take_pages
from kiosk.sync.identity import Identity
from kiosk.sync.link import OfficeLink
from kiosk.sync.wire import http
from kiosk.sync.wire.outcomes import OutcomeBody
from kiosk.sync.wire.pull import open_outcomes


def pull_outcomes(link: OfficeLink, identity: Identity, outcomes: Outcomes, now: dt.datetime) -> PullResult:
    """What was taken before a trouble stays."""
    return take_pages(
        outcomes.version,
        lambda after: ask(link, identity, http.pull_target(http.OUTCOMES_PATH, after), http.PULL_BYTES_MAX, now),
        lambda data, signature: open_outcomes(
            data, signature, identity.terminal_id, identity.sealing_key, identity.office_signing,
        ),
        lambda page: outcomes.apply(outcomes_of(page.outcomes), page.after, page.version, page.replace),
    )


def outcomes_of(bodies: Iterable[OutcomeBody]) -> list[CaseOutcome]:
    return [CaseOutcome(one.case_id, one.case_number, one.state, one.reason, one.decided_on) for one in bodies]
