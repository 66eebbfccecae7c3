"""Pulling the roster: who is due, and what was decided. Page and version are taken in one transaction."""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass

from kiosk.domain.roster import FaceTemplate, OfficeDecision, RosterEntry, TemplateSource
from kiosk.store.roster import Roster
from kiosk.sync.identity import Identity
from kiosk.sync.link import Answer, LinkDown, NoAnswer, OfficeLink
from kiosk.sync.refusal import signed_refusal
from kiosk.sync.wire import http
from kiosk.sync.wire.envelope import EnvelopeError
from kiosk.sync.wire.face import TemplateBody
from kiosk.sync.wire.models import DecisionBody, RosterEntryBody, RosterPull
from kiosk.sync.wire.pull import open_pull, verify_unchanged
from kiosk.sync.wire.signing import Context, request_message, sign


@dataclass(frozen=True, slots=True)
class PullResult:
    """contact: the office itself answered. trouble: stable code, None when the roster is up to date."""

    contact: bool
    trouble: str | None


def pull_roster(link: OfficeLink, identity: Identity, roster: Roster, now: dt.datetime) -> PullResult:
    """Takes pages until the office has no more. What was taken before a trouble stays."""
    contact = False
    while True:
        after = roster.version()
        nonce = secrets.token_hex(16)
        result = _ask(link, identity, after, nonce, now)
        if not isinstance(result, Answer):
            return PullResult(contact, result.reason)
        signature = result.header(http.PULL_SIGNATURE)
        if result.status == 304 and verify_unchanged(nonce, signature, identity.office_signing):
            return PullResult(True, None)
        refusal = signed_refusal(result, identity, nonce, "")
        if refusal is not None:
            return PullResult(True, f"refused_{refusal.code}")
        if result.status != 200:
            return PullResult(contact, f"http_{result.status}")
        try:
            page = open_pull(result.body, signature, identity.terminal_id, identity.sealing_key, identity.office_signing)
        except EnvelopeError:
            return PullResult(contact, "not_the_office")
        contact = True
        if page.after != after or (page.more and page.version == after):
            return PullResult(contact, "wrong_page")
        if not roster.apply(_entries(page), page.removed, page.after, page.version, page.replace):
            return PullResult(contact, "version_changed")
        if not page.more:
            return PullResult(contact, None)


def _ask(link: OfficeLink, identity: Identity, after: int, nonce: str, now: dt.datetime) -> Answer | LinkDown | NoAnswer:
    target, time = http.roster_target(after), str(int(now.timestamp()))
    signature = sign(Context.REQUEST, request_message("GET", target, time, nonce), identity.signing_key)
    headers = {http.KIOSK: identity.terminal_id, http.TIME: time, http.NONCE: nonce, http.SIGNATURE: signature}
    return link.exchange("GET", target, headers, None, http.PULL_BYTES_MAX)


def _entries(page: RosterPull) -> list[RosterEntry]:
    return [_entry(body) for body in page.entries]


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
