"""The office's daily retention run, in a thread of the serving process."""

from __future__ import annotations

import datetime as dt
import logging
import threading

from django.db import DatabaseError, close_old_connections
from django.utils import timezone

from kiosk.domain.period import LOCAL_ZONE
from kiosk.office.retention import run as run_once

RUN_HOUR = 3
"""Local; nobody sits at the desk."""
_LOOK_S = 600.0
log = logging.getLogger(__name__)


def run(stop: threading.Event) -> None:
    """Once a local day from RUN_HOUR on; a failing run is logged and tried again. After a start the day's run is made
    anew: what is gone stays gone."""
    done: dt.date | None = None
    while not stop.is_set():
        local = timezone.now().astimezone(LOCAL_ZONE)
        if local.hour >= RUN_HOUR and local.date() != done:
            close_old_connections()
            try:
                run_once(timezone.now())
                done = local.date()
            except DatabaseError as error:
                log.error("the retention run failed: %s", type(error).__name__)
        stop.wait(_LOOK_S)
