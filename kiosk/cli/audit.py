"""`kiosk audit`: whether the terminal's audit chain is whole, and what stands in it."""

from __future__ import annotations

import json
import re
from typing import Annotated

import typer

from kiosk.cli.common import AsJson, ConfigFile, configuration, fail, put

app = typer.Typer(no_args_is_help=True, help="The chain of everything that happened on this terminal.")

_HEAD = re.compile(r"([0-9]{1,18}):([0-9a-f]{64})")
_MEANS = {
    "edited": "this entry was changed afterwards",
    "missing": "entries are gone from here on, later ones are still there",
    "cut": "entries from here on are known to have existed and are gone: cut off, or this machine was rolled back",
    "rewritten": "this is not the chain whose head left this machine: rolled back and worked on, or written anew",
    "case_differs": "the case this entry names is not the one in the database",
    "case_missing": "the case this entry names is gone, and no entry says that it was erased",
    "countersignature": "the office's counter-signature of this head is not genuine",
}


@app.command()
def verify(
    head: Annotated[list[str] | None, typer.Option(metavar="N:LINK", help="A head the desk knows; may be repeated.")] = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Check every entry, every case it names, and every head that left this machine. Status 1 when something is wrong."""
    from kiosk.store.audit import AuditHead
    from kiosk.store.opening import open_store
    from kiosk.store.unusable import StoreUnusable
    from kiosk.sync.audit_heads import examine

    brought = []
    for text in head or ():
        parts = _HEAD.fullmatch(text.strip().lower())
        if parts is None:
            fail("a head is a number, a colon and 64 hex digits")
        brought.append(AuditHead(int(parts[1]), bytes.fromhex(parts[2])))
    try:
        found = examine(open_store(configuration(config)), tuple(brought))
    except StoreUnusable as error:
        fail(str(error))
    report = found.report
    put({
        "entries": report.head.n, "link": report.head.link.hex(), "proven": report.proven, "countersigned": found.countersigned,
        "heads_compared": found.shipped, "whole": not report.breaks,
        "breaks": [{"n": one.n, "reason": one.reason, "means": _MEANS[one.reason]} for one in report.breaks],
    }, as_json)
    raise typer.Exit(1 if report.breaks else 0)


@app.command()
def show(
    last: Annotated[int, typer.Option(min=1, help="So many of the newest entries.")] = 20,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """The newest entries, oldest first. They hold ids, digests and counts, nothing about people."""
    from kiosk.store.audit import entries
    from kiosk.store.opening import open_store
    from kiosk.store.unusable import StoreUnusable

    try:
        found = entries(open_store(configuration(config)), last)
    except StoreUnusable as error:
        fail(str(error))
    if as_json:
        put([{"n": one.n, "alg": one.alg, "link": one.link.hex(), "event": _event(one.event)} for one in found], True)
        return
    put([f"{one.n} {one.event.decode('utf-8', 'replace')}" for one in found], False)


def _event(event: bytes) -> object:
    try:
        return json.loads(event)
    except ValueError:
        return event.hex()
