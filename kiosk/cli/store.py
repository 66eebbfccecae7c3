"""`kiosk store`: whether the database is whole, verified copies of it, and what to do with a damaged one."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path
from typing import Annotated, Any

import typer

from kiosk.cli.common import AsJson, ConfigFile, configuration, fail, put

app = typer.Typer(no_args_is_help=True, help="The terminal's database: check, copy, rescue.")


@app.command()
def check(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Versions, settings, integrity, digests, audit chain, free room, ballast, file system. Status 1 unless all is well."""
    from sqlcipher3 import dbapi2

    from kiosk.store.damage import kept_files
    from kiosk.store.key import load_key
    from kiosk.store.opening import ballast_of, open_store
    from kiosk.store.preflight import examine
    from kiosk.store.unusable import StoreUnusable
    from kiosk.store.wholeness import find_damage
    from kiosk.sync.audit_heads import examine as examine_chain

    settings = configuration(config)
    store = settings.store
    try:
        engine = open_store(settings)
        chain = examine_chain(engine).report
        with engine.connect() as connection:
            read_back = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in _SETTINGS}
            cipher = connection.exec_driver_sql("PRAGMA cipher_version").scalar()
            connection.rollback()
        engine.dispose()
        found = find_damage(store.path, load_key(settings))
    except StoreUnusable as error:
        fail(str(error))
    place = examine(store.path.parent)
    free, ballast = shutil.disk_usage(store.path.parent).free, ballast_of(settings)
    trouble = [*found, *place.unsafe, *(f"audit chain {one.reason} at {one.n}" for one in chain.breaks)]
    if free < store.free_floor_mb * 1024 * 1024:
        trouble.append("less free room than store.free_floor_mb: no case is taken")
    if ballast.spent:
        trouble.append("the ballast was given up: no case is taken until there is room for it")
    put({
        "sqlite": dbapi2.sqlite_version, "sqlcipher": cipher, "settings": read_back, "whole": not found,
        "audit_entries": chain.head.n, "free_mb": free // 1024 // 1024, "ballast": ballast.stands,
        "file_system": place.kind, "doubts": list(place.doubts), "kept_damaged": [path.name for path in kept_files(store.path)],
        "trouble": trouble,
    }, as_json)
    raise typer.Exit(1 if trouble else 0)


_SETTINGS = ("journal_mode", "synchronous", "foreign_keys", "trusted_schema", "cell_size_check", "secure_delete")


@app.command()
def backup(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Make a copy in store.backup_dir and prove it; sync does so once a day. Status 1 without a verified copy."""
    from kiosk.store.backup import BackupFailed, make_backup
    from kiosk.store.key import load_key
    from kiosk.store.opening import open_store
    from kiosk.store.unusable import StoreUnusable

    settings = configuration(config)
    store = settings.store
    if store.backup_dir is None:
        fail("store.backup_dir is not set: name a folder on another disk than the database's")
    try:
        made = make_backup(open_store(settings), load_key(settings), store.backup_dir, store.backup_keep, _now())
    except StoreUnusable as error:
        fail(str(error))
    if isinstance(made, BackupFailed):
        fail(f"no verified copy: {made.reason} {'; '.join(made.found)}".strip())
    put({"path": str(made.path), "cases": made.cases, "unsent": made.unsent, "audit_entries": made.entries}, as_json)


@app.command("begin-anew")
def begin_anew(config: ConfigFile = None) -> None:
    """After damage: allow a new, empty database. The damaged one is kept. Stop kiosk-terminal and kiosk-sync first."""
    from kiosk.store import damage
    from kiosk.store.unusable import StoreUnusable

    settings = configuration(config)
    try:
        kept = damage.begin_anew(settings.store.path, _now())
    except StoreUnusable as error:
        fail(str(error))
    typer.echo(f"a new database may begin; the damaged one is kept as {kept}")
    typer.echo(f"now: kiosk sync enrol CODE (a new code of the office), then: kiosk store salvage {kept}")


@app.command()
def salvage(
    old: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The damaged database that was kept.")],
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Copy every readable case, unsent ones first, out of a damaged database into this one. Status 1 when some are not."""
    from kiosk.store import salvage as rescue
    from kiosk.store.key import load_key
    from kiosk.store.opening import open_store
    from kiosk.store.unusable import StoreUnusable

    settings = configuration(config)
    if old.resolve() == settings.store.path.resolve():
        fail("this is the database in use; name the kept one")
    try:
        done = rescue.salvage(open_store(settings), old, load_key(settings), _numbers, _now())
    except StoreUnusable as error:
        fail(str(error))
    shown: dict[str, Any] = {
        "unsent": done.unsent, "others": done.others, "there_already": done.there_already, "spoiled": done.spoiled,
        "unreadable": done.unreadable,
    }
    put(shown, as_json)
    if not done.complete:
        fail(f"{done.spoiled + done.unreadable} cases lie only in {old}: keep it")


def _numbers(sealed: bytes) -> tuple[int, int] | None:
    from kiosk.sync.wire.envelope import EnvelopeError, parse_header

    try:
        header = parse_header(sealed)
    except EnvelopeError:
        return None
    return header.epoch, header.seq


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
