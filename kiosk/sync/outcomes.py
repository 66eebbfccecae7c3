"""Pulling what the office decided on the cases handed in here. Page and version are taken in one transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from kiosk.store.outcomes import CaseOutcome, Outcomes
from kiosk.sync.asking import PullResult, Unchanged, ask
from kiosk.sync.identity import Identity
from kiosk.sync.link import Answer, OfficeLink
from kiosk.sync.wire import http
from kiosk.sync.wire.envelope import EnvelopeError
from kiosk.sync.wire.outcomes import OutcomeBody
from kiosk.sync.wire.pull import open_outcomes


def pull_outcomes(link: OfficeLink, identity: Identity, outcomes: Outcomes, now: dt.datetime) -> PullResult:
    """Takes pages until the office has no more. What was taken before a trouble stays."""
    contact = False
    while True:
        after = outcomes.version()
        result = ask(link, identity, http.pull_target(http.OUTCOMES_PATH, after), http.PULL_BYTES_MAX, now)
        match result:
            case Unchanged():
                return PullResult(True, None)
            case PullResult():
                return PullResult(contact or result.contact, result.trouble)
            case Answer():
                signature = result.header(http.PULL_SIGNATURE)
        try:
            page = open_outcomes(result.body, signature, identity.terminal_id, identity.sealing_key, identity.office_signing)
        except EnvelopeError:
            return PullResult(contact, "not_the_office")
        contact = True
        if page.after != after or (page.more and page.version == after):
            return PullResult(contact, "wrong_page")
        if not outcomes.apply(outcomes_of(page.outcomes), page.after, page.version, page.replace):
            return PullResult(contact, "version_changed")
        if not page.more:
            return PullResult(contact, None)


def outcomes_of(bodies: Iterable[OutcomeBody]) -> list[CaseOutcome]:
    return [CaseOutcome(one.case_id, one.case_number, one.state, one.reason, one.decided_on) for one in bodies]
