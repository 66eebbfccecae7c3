"""A signed GET to the office, what its answer amounts to, and taking page after page. Only what the office has signed counts."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from kiosk.sync.identity import Identity
from kiosk.sync.link import Answer, OfficeLink
from kiosk.sync.refusal import signed_refusal
from kiosk.sync.wire import http
from kiosk.sync.wire.envelope import EnvelopeError
from kiosk.sync.wire.pull import verify_unchanged
from kiosk.sync.wire.signing import Context, request_message, sign


@dataclass(frozen=True, slots=True)
class PullResult:
    """contact: the office itself answered. trouble: stable code, None when everything is up to date."""

    contact: bool
    trouble: str | None


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The office has signed that there is nothing newer."""


def ask(link: OfficeLink, identity: Identity, target: str, limit: int, now: dt.datetime) -> Answer | Unchanged | PullResult:
    """target: path and query. An Answer has status 200 and is not proven yet; a PullResult ends the pull."""
    nonce, time = secrets.token_hex(16), str(int(now.timestamp()))
    signature = sign(Context.REQUEST, request_message("GET", target, time, nonce), identity.signing_key)
    headers = {http.KIOSK: identity.terminal_id, http.TIME: time, http.NONCE: nonce, http.SIGNATURE: signature}
    result = link.exchange("GET", target, headers, None, limit)
    if not isinstance(result, Answer):
        return PullResult(False, result.reason)
    told = result.header(http.PULL_SIGNATURE)
    if result.status == 304 and verify_unchanged(nonce, told, identity.office_signing):
        return Unchanged()
    refusal = signed_refusal(result, identity, nonce, "")
    if refusal is not None:
        return PullResult(True, f"refused_{refusal.code}")
    return result if result.status == 200 else PullResult(False, f"http_{result.status}")


class Page(Protocol):
    """Of a pull: applies on top of `after`, and leads to `version`."""

    @property
    def after(self) -> int: ...
    @property
    def version(self) -> int: ...
    @property
    def more(self) -> bool: ...


P = TypeVar("P", bound=Page)


def take_pages(
    version: Callable[[], int], ask_after: Callable[[int], Answer | Unchanged | PullResult],
    open_page: Callable[[bytes, str], P], apply: Callable[[P], bool],
) -> PullResult:
    """Until the office has no more. What was taken before a trouble stays.

    open_page: raises EnvelopeError unless the office signed it for this terminal. apply: in one transaction with the
    version; False when the terminal is at another one by now.
    """
    contact = False
    while True:
        after = version()
        match ask_after(after):
            case Unchanged():
                return PullResult(True, None)
            case PullResult() as ended:
                return PullResult(contact or ended.contact, ended.trouble)
            case Answer() as answer:
                pass
        try:
            page = open_page(answer.body, answer.header(http.PULL_SIGNATURE))
        except EnvelopeError:
            return PullResult(contact, "not_the_office")
        contact = True
        if page.after != after or (page.more and page.version == after):
            return PullResult(contact, "wrong_page")
        if not apply(page):
            return PullResult(contact, "version_changed")
        if not page.more:
            return PullResult(contact, None)
