"""Pulling the roster: page by page, from the office only, never a gap."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
from office_stub import NAME, NUMBER, OfficeStub
from sqlalchemy import Engine

from kiosk.domain.roster import FaceTemplate, OfficeDecision, RosterEntry, TemplateSource
from kiosk.store.cases import CaseStore
from kiosk.store.roster import Roster
from kiosk.sync.identity import Identity
from kiosk.sync.link import OfficeLink
from kiosk.sync.pulls import PullResult, pull_roster
from kiosk.sync.wire.face import TemplateBody
from kiosk.sync.wire.models import DecisionBody, RosterEntryBody, RosterPull

OTHER = "999901194012310018"
FULL = RosterEntryBody(
    number=NUMBER, name=NAME, category="居保", next_due=dt.date(2027, 1, 31),
    templates=(TemplateBody(engine="e", vector=(0.5, -1.0)),),
    decision=DecisionBody(case_number="HG07-20261101-000001", accepted=True, reason="", decided_on=dt.date(2026, 11, 2)),
)
PLAIN = RosterEntryBody(number=OTHER, name="李样例", category="unknown", next_due=None)


def page(after: int, version: int, *entries: RosterEntryBody, more: bool = False, replace: bool = False) -> RosterPull:
    return RosterPull(after=after, version=version, replace=replace, more=more, entries=entries)


@pytest.fixture
def roster(engine: Engine) -> Roster:
    return Roster(engine)


@pytest.fixture
def link(identity: Identity) -> Iterator[OfficeLink]:
    with OfficeLink(identity.office_url, 1.0, 2.0) as link:
        yield link


def pull(link: OfficeLink, identity: Identity, roster: Roster) -> PullResult:
    return pull_roster(link, identity, roster, dt.datetime.now(dt.UTC))


def test_all_pages_then_nothing_new(
    office: OfficeStub, link: OfficeLink, identity: Identity, roster: Roster, engine: Engine,
) -> None:
    office.pages.extend([page(0, 1, FULL, more=True, replace=True), page(1, 2, PLAIN)])
    assert pull(link, identity, roster) == PullResult(True, None)
    assert (roster.version(), roster.size()) == (2, 2)
    assert CaseStore(engine, 0).find_person(NUMBER, dt.date(2026, 11, 23)).entry == RosterEntry(
        NUMBER, NAME, "居保", dt.date(2027, 1, 31), (FaceTemplate("e", (0.5, -1.0)),),
        OfficeDecision("HG07-20261101-000001", True, "", dt.date(2026, 11, 2)),
    )
    assert pull(link, identity, roster) == PullResult(True, None)
    assert roster.version() == 2


@pytest.mark.parametrize(("told", "source"), [
    ("enrolled", TemplateSource.ENROLLED), ("chip", TemplateSource.CHIP), ("of_the_future", TemplateSource.CHIP),
])
def test_where_a_template_comes_from(
    told: str, source: TemplateSource, office: OfficeStub, link: OfficeLink, identity: Identity, roster: Roster,
) -> None:
    template = TemplateBody(engine="e", vector=(0.5,), source=told, taken_on=dt.date(2026, 5, 1))
    office.pages.append(page(0, 1, FULL.model_copy(update={"templates": (template,)}), replace=True))
    pull(link, identity, roster)
    assert roster.people()[0].templates == (FaceTemplate("e", (0.5,), source, dt.date(2026, 5, 1)),)


@pytest.mark.parametrize(("fate", "trouble"), [
    ("portal", "not_the_office"), ("stranger", "not_the_office"), ("unsigned_304", "http_304"), ("broken", "http_500"),
])
def test_what_is_not_from_the_office_changes_nothing(
    fate: str, trouble: str, office: OfficeStub, link: OfficeLink, identity: Identity, roster: Roster,
) -> None:
    office.pages.append(page(0, 1, FULL, replace=True))
    office.pull_fate = fate
    assert pull(link, identity, roster) == PullResult(False, trouble)
    assert (roster.version(), roster.size()) == (0, 0)


def test_a_refused_terminal(office: OfficeStub, link: OfficeLink, identity: Identity, roster: Roster) -> None:
    office.pull_fate = "device"
    assert pull(link, identity, roster) == PullResult(True, "refused_device")


def test_no_connection(office: OfficeStub, link: OfficeLink, identity: Identity, roster: Roster) -> None:
    office.close()
    assert pull(link, identity, roster) == PullResult(False, "ConnectError")


def test_a_page_of_another_version_is_not_taken(office: OfficeStub, link: OfficeLink, identity: Identity, roster: Roster) -> None:
    office.pages.append(page(0, 1, FULL, replace=True))
    pull(link, identity, roster)
    office.pull_fate = "old_page"
    office.pages.append(page(0, 9, PLAIN))
    assert pull(link, identity, roster) == PullResult(True, "wrong_page")
    assert (roster.version(), roster.size()) == (1, 1)


def test_an_office_that_never_ends_is_left(office: OfficeStub, link: OfficeLink, identity: Identity, roster: Roster) -> None:
    office.pull_fate = "old_page"
    office.pages.append(page(0, 0, FULL, more=True))
    assert pull(link, identity, roster) == PullResult(True, "wrong_page")


def test_pages_taken_before_a_trouble_stay(office: OfficeStub, link: OfficeLink, identity: Identity, roster: Roster) -> None:
    office.pull_fate = "old_page"
    office.pages.extend([page(0, 1, FULL, more=True, replace=True), page(7, 8, PLAIN)])
    assert pull(link, identity, roster) == PullResult(True, "wrong_page")
    assert (roster.version(), roster.size()) == (1, 1)
    office.pages.append(page(1, 2, PLAIN))
    assert pull(link, identity, roster) == PullResult(True, None)
    assert (roster.version(), roster.size()) == (2, 2)
