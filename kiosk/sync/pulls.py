"""Pulling the roster: who is due, and what was decided. Page and version are taken in one transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from kiosk.domain.roster import FaceTemplate, OfficeDecision, RosterEntry, TemplateSource
from kiosk.store.roster import Roster
from kiosk.sync.asking import PullResult, Unchanged, ask
from kiosk.sync.identity import Identity
from kiosk.sync.link import Answer, OfficeLink
from kiosk.sync.wire import http
from kiosk.sync.wire.envelope import EnvelopeError
from kiosk.sync.wire.face import TemplateBody
from kiosk.sync.wire.models import DecisionBody, RosterEntryBody
from kiosk.sync.wire.pull import open_pull


def pull_roster(link: OfficeLink, identity: Identity, roster: Roster, now: dt.datetime) -> PullResult:
    """Takes pages until the office has no more. What was taken before a trouble stays."""
    contact = False
    while True:
        after = roster.version()
        result = ask(link, identity, http.roster_target(after), http.PULL_BYTES_MAX, now)
        match result:
            case Unchanged():
                return PullResult(True, None)
            case PullResult():
                return PullResult(contact or result.contact, result.trouble)
            case Answer():
                signature = result.header(http.PULL_SIGNATURE)
        try:
            page = open_pull(result.body, signature, identity.terminal_id, identity.sealing_key, identity.office_signing)
        except EnvelopeError:
            return PullResult(contact, "not_the_office")
        contact = True
        if page.after != after or (page.more and page.version == after):
            return PullResult(contact, "wrong_page")
        if not roster.apply(entries_of(page.entries), page.removed, page.after, page.version, page.replace):
            return PullResult(contact, "version_changed")
        if not page.more:
            return PullResult(contact, None)


def entries_of(bodies: Iterable[RosterEntryBody]) -> list[RosterEntry]:
    return [_entry(body) for body in bodies]


def _entry(body: RosterEntryBody) -> RosterEntry:
    templates = tuple(_template(template) for template in body.templates)
    decision = None if body.decision is None else _decision(body.decision)
    return RosterEntry(body.number, body.name, body.category, body.next_due, templates, decision)


def _template(body: TemplateBody) -> FaceTemplate:
    try:
        source = TemplateSource(body.source)
    except ValueError:
        source = TemplateSource.CHIP  # of a newer office: the kind that never decides alone
    return FaceTemplate(body.engine, body.vector, source, body.taken_on)


def _decision(body: DecisionBody) -> OfficeDecision:
    return OfficeDecision(body.case_number, body.accepted, body.reason, body.decided_on)
