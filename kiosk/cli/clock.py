"""`kiosk sync set-clock`: the technician sets a clock that lags behind, forward only, to what the office has signed."""

from __future__ import annotations

import datetime as dt
import os
import time

import typer

from kiosk.cli.common import ConfigFile, configuration, fail


def set_clock(config: ConfigFile = None) -> None:
    """Set this machine's clock forward to the office's signed time; needs root. Never backwards."""
    from kiosk.store.opening import open_store
    from kiosk.store.unusable import StoreUnusable
    from kiosk.sync.clock import ask_time, note_office_time
    from kiosk.sync.identity import load_identity
    from kiosk.sync.link import OfficeLink

    settings = configuration(config)
    try:
        engine = open_store(settings)
    except StoreUnusable as error:
        fail(str(error))
    identity = load_identity(engine)
    if identity is None:
        fail("this terminal is not enrolled, so nobody's signature could be believed")
    times = settings.sync
    with OfficeLink(identity.office_url, times.connect_timeout_s, times.total_timeout_s, any_date=True) as link:
        office = ask_time(link, identity)
    if isinstance(office, str):
        fail(f"the office did not say what time it is: {office}")
    ahead = (dt.datetime.now(dt.UTC) - office).total_seconds()
    if ahead >= -1:
        note_office_time(engine, office, dt.datetime.now(dt.UTC))
        typer.echo(f"not set: the clock is {ahead:.0f} s ahead of the office, and it is only ever set forward")
        return
    if os.geteuid() != 0:
        fail(f"the clock is {-ahead:.0f} s behind; only root may set it: run this with sudo")
    time.clock_settime(time.CLOCK_REALTIME, office.timestamp())
    note_office_time(engine, office, dt.datetime.now(dt.UTC))
    typer.echo(f"set forward by {-ahead:.0f} s")
