"""A bundle of the office on a memory stick: nothing of it is used before its signature and its terminal are proven."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeVar

import httpx
from pydantic import ValidationError
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from kiosk.config import KioskConfig
from kiosk.content.manifest import ContentFile
from kiosk.store import audit
from kiosk.store.account import make_safe
from kiosk.store.outbox import Outbox
from kiosk.store.outcomes import Outcomes
from kiosk.store.roster import Roster
from kiosk.store.settings import get_setting, put_setting
from kiosk.sync.content import Content
from kiosk.sync.delivery import Acked, judge
from kiosk.sync.identity import Identity, load_identity
from kiosk.sync.link import Answer
from kiosk.sync.office_keys import learn
from kiosk.sync.outcomes import outcomes_of
from kiosk.sync.pulls import entries_of
from kiosk.sync.wire import http
from kiosk.sync.wire.base import Wire
from kiosk.sync.wire.bundle import (
    BundleHead,
    BundleReader,
    Kind,
    ManifestBody,
    Origin,
    ReceiptsBody,
    SafeBody,
    bundle_info,
    record_at,
)
from kiosk.sync.wire.envelope import EnvelopeError, open_bytes
from kiosk.sync.wire.models import OfficeKeys, Receipt, RosterPull
from kiosk.sync.wire.outcomes import OutcomesPull
from kiosk.sync.wire.signing import Context

_NEWEST = "bundle_made"
"""Epoch and time of the newest bundle: by the office's clock, so that one lost and found again takes nothing back."""
Body = TypeVar("Body", bound=Wire)


@dataclass(frozen=True, slots=True)
class Imported:
    """JSON-able."""

    receipts: int
    """Cases that are proven delivered now and were not before."""
    safe: int
    roster: bool
    """Whether it was newer than what was here; the same for the next two."""
    outcomes: bool
    content: bool
    content_trouble: str | None
    keys: bool


@dataclass(frozen=True, slots=True)
class ImportFailed:
    """reason: `not_enrolled`, `not_a_bundle`, `torn`, `not_for_this_terminal`, `earlier_enrolment`, `not_the_office`, `older`,
    `unknown_form`, or `os_<errno>`. Nothing was used, except with `changed_on_the_way`: what came before stays, and is good."""

    reason: str


@dataclass(frozen=True, slots=True)
class _Place:
    """A proven record: where it stands, and what it must be when it is read again."""

    position: int
    offset: int
    kind: str
    name: str
    covered: bytes


class _Changed(Exception):
    """The file is not the one whose signature was checked."""


def import_bundle(engine: Engine, config: KioskConfig, path: Path, now: dt.datetime) -> Imported | ImportFailed:
    """Takes receipts, roster, outcomes, keys and content, in this order. May be repeated; an older bundle is refused."""
    identity = load_identity(engine)
    if identity is None:
        return ImportFailed("not_enrolled")
    try:
        with path.open("rb") as file:
            return _import(engine, config, identity, file, now)
    except OSError as error:
        return ImportFailed(f"os_{error.errno}")
    except _Changed:
        return ImportFailed("changed_on_the_way")
    except (EnvelopeError, ValidationError):
        return ImportFailed("unknown_form")


def _import(engine: Engine, config: KioskConfig, identity: Identity, file: BinaryIO, now: dt.datetime) -> Imported | ImportFailed:
    reader = BundleReader(file)
    head = reader.head
    if head is None or head.origin is not Origin.OFFICE:
        return ImportFailed("not_a_bundle")
    if head.kiosk != identity.terminal_id:
        return ImportFailed("not_for_this_terminal")
    if head.epoch != identity.epoch:
        return ImportFailed("earlier_enrolment")
    places = [
        _Place(at, record.offset, record.head.kind, record.head.name, record.covered) for at, record in enumerate(reader, start=1)
    ]
    if not reader.whole:
        return ImportFailed("torn")
    if not identity.office_signed(Context.BUNDLE, reader.digest, reader.signature):
        return ImportFailed("not_the_office")
    with Session(engine) as session, session.begin():
        epoch, _, newest = (get_setting(session, _NEWEST) or "").partition(" ")
        if epoch == str(head.epoch) and head.made < dt.datetime.fromisoformat(newest):
            return ImportFailed("older")
        put_setting(session, _NEWEST, f"{head.epoch} {head.made.isoformat()}")
    return _Opened(file, head, identity, places).apply(engine, config, reader, now)


class _Opened:
    """A bundle whose signature holds. Each record is read again when it is used, and compared with what was signed."""

    def __init__(self, file: BinaryIO, head: BundleHead, identity: Identity, places: list[_Place]) -> None:
        self._file, self._head, self._identity, self._places = file, head, identity, places

    def apply(self, engine: Engine, config: KioskConfig, reader: BundleReader, now: dt.datetime) -> Imported:
        outbox = Outbox(engine, config.sync.backoff_base_s, config.sync.backoff_cap_s)
        receipts = self._receipts(outbox, now)
        safe = sum(make_safe(engine, body.ids, now) for body in self._bodies(Kind.SAFE, SafeBody))
        roster = self._roster(Roster(engine))
        outcomes = self._outcomes(Outcomes(engine))
        keys = any([
            learn(engine, self._identity, told, reader.digest, reader.signature, Context.BUNDLE)
            for told in self._bodies(Kind.KEYS, OfficeKeys)
        ])
        at = max(now, self._head.made)  # this clock may be far behind
        content, trouble = self._content(Content(engine, config, self._identity), at)
        with Session(engine) as session, session.begin():
            audit.append(session, "bundle_imported", receipts=receipts, safe=safe, bundle=self._head.id)
        return Imported(receipts, safe, roster, outcomes, content, trouble, keys)

    def _receipts(self, outbox: Outbox, now: dt.datetime) -> int:
        """As delivery takes them: only for the very bytes that are here."""
        taken = 0
        for body in self._bodies(Kind.RECEIPTS, ReceiptsBody):
            for one in body.receipts:
                case = outbox.unsettled(_case_named(one.receipt), one.receipt)
                if case is None:
                    continue
                answer = Answer(200, httpx.Headers({http.RECEIPT_SIGNATURE: one.signature}), one.receipt)
                verdict = judge(case, answer, self._identity)
                if isinstance(verdict, Acked):
                    outbox.acked(case.case_id, verdict.level, verdict.receipt, verdict.signature, now)
                    taken += 1
        return taken

    def _roster(self, roster: Roster) -> bool:
        people, version = {}, 0
        for page in self._bodies(Kind.ROSTER, RosterPull):
            people.update({entry.number: entry for entry in entries_of(page.entries)})
            for number in page.removed:
                people.pop(number, None)
            version = page.version
        return roster.catch_up(people.values(), version)

    def _outcomes(self, outcomes: Outcomes) -> bool:
        pages = list(self._bodies(Kind.OUTCOMES, OutcomesPull))
        told = [one for page in pages for one in outcomes_of(page.outcomes)]
        return outcomes.catch_up(told, pages[-1].version if pages else 0)

    def _content(self, content: Content, now: dt.datetime) -> tuple[bool, str | None]:
        files = {place.name: place for place in self._places if place.kind == Kind.FILE}

        def fetch(file: ContentFile) -> bytes | str:
            place = files.get(file.sha256)
            return "not_in_the_bundle" if place is None else self._open(place)

        for manifest in self._bodies(Kind.MANIFEST, ManifestBody):
            trouble = content.take(manifest.data, manifest.signature, fetch)
            return trouble is None and content.switch(now), trouble
        return False, None

    def _bodies(self, kind: Kind, form: type[Body]) -> Iterator[Body]:
        for place in self._places:
            if place.kind == kind:
                yield form.model_validate_json(self._open(place))

    def _open(self, place: _Place) -> bytes:
        record = record_at(self._file, place.offset)
        if record is None or record.covered != place.covered:
            raise _Changed
        return open_bytes(record.body, self._identity.sealing_key, bundle_info(self._head, place.position, place.kind))


def _case_named(receipt: bytes) -> str:
    """Empty where it names none; what the receipt is worth is judged later."""
    try:
        return Receipt.model_validate_json(receipt).id
    except ValidationError:
        return ""
