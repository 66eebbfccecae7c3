"""`kiosk sync export | import`: a memory stick instead of a line."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from kiosk.cli.common import AsJson, ConfigFile, configuration, fail, put


def export(
    folder: Annotated[Path, typer.Argument(help="Folder on the stick.")],
    everything: Annotated[bool, typer.Option("--all", help="Also what the office has, but not yet in a backup.")] = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Write all undelivered cases to one sealed file; nothing is erased here."""
    from kiosk.store.opening import open_store
    from kiosk.store.unusable import StoreUnusable
    from kiosk.sync.usb import ExportFailed
    from kiosk.sync.usb import export as write

    try:
        result = write(open_store(configuration(config)), folder, dt.datetime.now(dt.UTC), everything)
    except StoreUnusable as error:
        fail(str(error))
    if isinstance(result, ExportFailed):
        fail(f"not exported: {_EXPORT.get(result.reason, result.reason)}")
    put(dataclasses.asdict(result), as_json)


def import_(
    file: Annotated[Path, typer.Argument(help="What the office wrote for this terminal.")],
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Take receipts, roster, outcomes and content from a file the office has signed; may be repeated."""
    from kiosk.store.opening import open_store
    from kiosk.store.unusable import StoreUnusable
    from kiosk.sync.usb_import import ImportFailed, import_bundle

    settings = configuration(config)
    try:
        result = import_bundle(open_store(settings), settings, file, dt.datetime.now(dt.UTC))
    except StoreUnusable as error:
        fail(str(error))
    if isinstance(result, ImportFailed):
        fail(f"not imported: {_IMPORT.get(result.reason, result.reason)}")
    put(dataclasses.asdict(result), as_json)


_EXPORT = {
    "not_enrolled": "this terminal is not enrolled",
    "no_folder": "there is no such folder; is the stick mounted?",
    "stick_full": "no room on the stick; take a larger one, what was begun is removed",
    "not_read_back": "the stick gives back other bytes than were written; take another one",
}
_IMPORT = {
    "not_enrolled": "this terminal is not enrolled",
    "not_a_bundle": "this is no file of the office",
    "torn": "the file is cut or damaged; copy it again",
    "not_for_this_terminal": "the file is for another terminal",
    "earlier_enrolment": "the file is for an earlier enrolment of this terminal; let the office write a new one",
    "not_the_office": "the office has not signed this file",
    "older": "a newer file of the office was imported already",
    "changed_on_the_way": "the stick gave other bytes when it was read again; take another one",
}
