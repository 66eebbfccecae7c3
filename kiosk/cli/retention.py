"""`kiosk retention`: what this terminal erases and when, a run by hand, and the end of a machine."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Annotated, Any

import typer

from kiosk.cli.common import AsJson, ConfigFile, configuration, fail, put
from kiosk.config import KioskConfig

app = typer.Typer(no_args_is_help=True, help="What is erased when, and for good.")

_CREDENTIAL_FILE = "/etc/kiosk/kiosk-db-key.cred"
_CLOCK = {
    "unproven": "nothing is erased: the office has never told its time here",
    "behind": "nothing is erased: the clock is behind the office's time; set it",
    "ahead": "nothing is erased: the clock is far ahead of the office's last word; set it, or let it deliver once",
}


@app.command()
def plan(
    config: ConfigFile = None,
    as_json: AsJson = False,
    at: Annotated[dt.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="As it would be on this day.")] = None,
) -> None:
    """Say what would be erased, why, and when the rest comes due; change nothing. Status 1 while there is an alarm."""
    from kiosk.domain.period import LOCAL_ZONE
    from kiosk.store import erasure
    from kiosk.store.opening import open_store
    from kiosk.store.unusable import StoreUnusable
    from kiosk.sync.retention_job import office_time

    settings = configuration(config)
    try:
        engine = open_store(settings)
    except StoreUnusable as error:
        fail(str(error))
    heard = office_time(engine)
    now = _now()
    if at is not None:
        now = heard = dt.datetime.combine(at.date(), dt.time(settings.retention.run_hour), LOCAL_ZONE)
    shown = _shown(erasure.plan(engine, settings.retention, now, heard))
    put(shown if as_json else _lines(shown), as_json)
    raise typer.Exit(1 if shown["alarms"] else 0)


@app.command()
def run(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Erase what is due now; the sync process does so once a day. Status 1 when something has to be tried again."""
    from kiosk.store import erasure
    from kiosk.store.opening import open_store
    from kiosk.store.retention import Clock
    from kiosk.store.unusable import StoreUnusable
    from kiosk.sync.retention_job import office_time

    settings = configuration(config)
    try:
        engine = open_store(settings)
    except StoreUnusable as error:
        fail(str(error))
    done = erasure.run(engine, settings.retention, _now(), office_time(engine))
    put({"clock": done.clock.value, "erased": dict(done.counts), "log_emptied": done.log_emptied}, as_json)
    if done.clock is not Clock.OK:
        fail(_CLOCK[done.clock.value])
    if not done.log_emptied:
        fail("somebody still reads the database; run it once more, so that the old pages leave the log too")


@app.command("crypto-erase")
def crypto_erase(
    yes_erase: Annotated[str, typer.Option(metavar="TERMINAL_ID", help="The id of this terminal, as a word of honour.")],
    lose: Annotated[int, typer.Option(min=0, help="Exactly so many cases the office has not proven safe are given up.")] = 0,
    lose_damaged: Annotated[int, typer.Option(min=0, help="Exactly so many damaged databases kept here are given up.")] = 0,
    config: ConfigFile = None,
) -> None:
    """Destroy key, database, copies and content, for a machine that is given away. Stop `kiosk run` and `kiosk sync` first.

    Refuses while any case is not proven to be in a verified backup of the office.
    """
    from kiosk.store.crypto_erase import crypto_erase as erase
    from kiosk.store.crypto_erase import marker
    from kiosk.sync.service import AlreadyRunning, only_one
    from kiosk.terminal.process import single_instance

    settings = configuration(config)
    if not settings.store.path.parent.is_dir():
        fail(f"{settings.store.path.parent}: there is nothing to erase")
    lock = single_instance(settings.store.path.with_name("terminal.lock"))
    if lock is None:
        fail("the terminal runs; stop it first")
    try:
        with only_one(settings.store.path):
            begun = marker(settings)
            if not begun.exists():
                _check(settings, yes_erase, lose, lose_damaged)
            elif begun.read_text(encoding="ascii") not in ("", yes_erase):
                fail(f"the erasure of another terminal was begun here, not of {yes_erase}")
            done = erase(settings, yes_erase)
    except AlreadyRunning as error:
        fail(str(error))
    except OSError as error:
        fail(f"{error.filename or settings.store.path}: {error.strerror}; run the command again until it ends well")
    finally:
        lock.unlock()
    typer.echo(f"{yes_erase} is erased: {done.files} files overwritten and removed")
    if not done.key_destroyed:
        typer.echo(
            f"The key was a system credential: as root, `shred -u {_CREDENTIAL_FILE}`, and clear the TPM when the machine "
            "leaves the house. Destroy the key's escrow copies too.",
        )


def _check(settings: KioskConfig, terminal_id: str, lose: int, lose_damaged: int) -> None:
    """Ends the command unless this is that terminal and exactly so many cases and damaged databases may be lost."""
    from sqlalchemy.orm import Session

    from kiosk.store import damage, erasure
    from kiosk.store.opening import open_store
    from kiosk.store.unusable import StoreUnusable
    from kiosk.sync.identity import load_identity

    if not settings.store.path.exists():
        fail(f"{settings.store.path}: there is nothing to erase")
    kept = len(damage.kept_files(settings.store.path))
    if kept != lose_damaged:
        fail(
            f"{kept} damaged databases are kept here and may hold unsent cases; nothing was erased. Run `kiosk store salvage`, "
            f"then name them with --lose-damaged {kept}",
        )
    try:
        engine = open_store(settings)
    except StoreUnusable as error:
        fail(f"{error}. What is unsent cannot be counted, so nothing was erased")
    identity = load_identity(engine)
    with Session(engine.execution_options(read_only=True)) as session, session.begin():
        unsafe = erasure.unsafe_count(session)
    engine.dispose()
    known = identity.terminal_id if identity is not None else "unenrolled"
    if terminal_id != known:
        fail(f"this is the terminal {known}; nothing was erased")
    if unsafe != lose:
        fail(
            f"{unsafe} cases are not proven safe at the office; nothing was erased. Deliver or export them, or give up "
            f"exactly these with --lose {unsafe}",
        )


def _shown(found: Any) -> dict[str, Any]:
    """A plan without ids: counts by day, what and why. Days are local."""
    from kiosk.domain.period import local_day

    due = Counter((item.what.value, item.why.value) for item in found.due)
    later = Counter((local_day(item.due).isoformat(), item.what.value, item.why.value) for item in found.later)
    return {
        "at": found.now.isoformat(timespec="seconds"),
        "clock": found.clock.value,
        "due": [{"what": what, "why": why, "count": count} for (what, why), count in sorted(due.items())],
        "later": [
            {"day": day, "what": what, "why": why, "count": count} for (day, what, why), count in sorted(later.items())
        ],
        "waits_anew": len(found.waits_anew),
        "kept": {why.value: count for why, count in sorted(found.kept.items())},
        "alarms": [
            {"code": one.code, "count": one.count, "oldest": one.oldest.isoformat(timespec="seconds")} for one in found.alarms
        ],
    }


def _lines(shown: dict[str, Any]) -> list[str]:
    lines = [f"at {shown['at']}, clock {shown['clock']}"]
    lines += [f"now: {one['count']} {one['what']} ({one['why']})" for one in shown["due"]] or ["now: nothing"]
    lines += [f"{one['day']}: {one['count']} {one['what']} ({one['why']})" for one in shown["later"]]
    if shown["waits_anew"]:
        lines.append(f"wait begins again: {shown['waits_anew']} (clock)")
    lines += [f"stays: {count} ({why})" for why, count in shown["kept"].items()]
    lines += [f"ALARM: {one['count']} {one['code']}, since {one['oldest']}" for one in shown["alarms"]]
    return lines if shown["clock"] == "ok" else [*lines, _CLOCK[shown["clock"]]]


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
