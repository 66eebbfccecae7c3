"""Pulling the roster: who is due, and what was decided. Page and version are taken in one transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from kiosk.domain.roster import FaceTemplate, OfficeDecision, RosterEntry, TemplateSource
from kiosk.store.roster import Roster
from kiosk.sync.asking import PullResult, ask, take_pages
from kiosk.sync.identity import Identity
from kiosk.sync.link import OfficeLink
from kiosk.sync.wire import http
from kiosk.sync.wire.face import TemplateBody
from kiosk.sync.wire.models import DecisionBody, RosterEntryBody
from kiosk.sync.wire.pull import open_pull


def pull_roster(link: OfficeLink, identity: Identity, roster: Roster, now: dt.datetime) -> PullResult:
    """What was taken before a trouble stays."""
    return take_pages(
        roster.version,
        lambda after: ask(link, identity, http.roster_target(after), http.PULL_BYTES_MAX, now),
        lambda data, signature: open_pull(data, signature, identity.terminal_id, identity.sealing_key, identity.office_signing),
        lambda page: roster.apply(entries_of(page.entries), page.removed, page.after, page.version, page.replace),
    )


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
