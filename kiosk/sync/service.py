"""The sync process: uploads, pulls and heartbeats, each in a loop of its own, sharing nothing but the database."""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

from sqlalchemy import Engine

from kiosk.config import KioskConfig, SyncConfig
from kiosk.store.opening import open_store
from kiosk.store.outbox import Outbox
from kiosk.store.roster import Roster
from kiosk.sync.delivery import Delivery
from kiosk.sync.gate import Gate
from kiosk.sync.heartbeat import HeartbeatJob, heartbeat_once
from kiosk.sync.identity import Identity, load_identity
from kiosk.sync.link import OfficeLink
from kiosk.sync.pulls import pull_roster
from kiosk.sync.status import SyncStatus, note_pull, note_upload, read_status

_log = logging.getLogger(__name__)
_GATE_CAP_S = 300.0
"""Knocking costs nothing: after an outage of weeks the office is found again within minutes."""
_STOP_PATIENCE_S = 5.0
_PULL_PATIENCE = 10
"""A page of the roster may take so many times the limit of an upload: over a slow line it is megabytes."""


class AlreadyRunning(Exception):
    """Another process delivers from this database; two would send everything twice."""


def run(config: KioskConfig, stop: threading.Event) -> None:
    """Delivers, pulls and tells how the machine is until `stop`. Raises StoreUnusable or AlreadyRunning at start.

    A failing pull or heartbeat is logged and tried again later. An exception while uploading ends the process: its restart
    finds everything in the database.
    """
    engine = open_store(config)
    with _only_one(config.store.path):
        beside = (
            threading.Thread(target=_pull_loop, args=(engine, config.sync, stop), name="sync-pull", daemon=True),
            threading.Thread(target=_heartbeat_loop, args=(engine, config, stop), name="sync-heartbeat", daemon=True),
        )
        for thread in beside:
            thread.start()
        uploads = UploadJob(engine, config.sync)
        try:
            while not stop.is_set():
                uploads.run(stop)
                stop.wait(config.sync.poll_s)
        finally:
            stop.set()
            uploads.close()
            patience = monotonic() + _STOP_PATIENCE_S
            for thread in beside:
                thread.join(max(0.0, patience - monotonic()))


def once(config: KioskConfig) -> SyncStatus:
    """One pass over the outbox, one pull, one heartbeat, and how things stand then. Raises as `run` does."""
    engine = open_store(config)
    with _only_one(config.store.path):
        uploads = UploadJob(engine, config.sync)
        uploads.run(threading.Event())
        uploads.close()
        pull_once(engine, config.sync)
        heartbeat_once(engine, config, _now)
    return status(engine)


def status(engine: Engine) -> SyncStatus:
    return read_status(engine, _now())


class UploadJob:
    """Follows the enrolment: a new identity takes effect with the next pass."""

    def __init__(self, engine: Engine, config: SyncConfig) -> None:
        self._engine = engine
        self._config = config
        self._gate = Gate(config.backoff_base_s, min(config.backoff_cap_s, _GATE_CAP_S))
        self._outbox = Outbox(engine, config.backoff_base_s, config.backoff_cap_s)
        self._enrolment: tuple[str, int, str] | None = None
        self._link: OfficeLink | None = None
        self._delivery: Delivery | None = None

    def run(self, stop: threading.Event) -> None:
        identity = load_identity(self._engine)
        if identity is None:
            return
        delivery = self._follow(identity)
        delivery.run_pass(stop)
        note_upload(self._engine, delivery.last_contact, delivery.alarm)

    def close(self) -> None:
        if self._link is not None:
            self._link.close()

    def _follow(self, identity: Identity) -> Delivery:
        enrolment = (identity.terminal_id, identity.epoch, identity.office_url)
        if self._delivery is None or enrolment != self._enrolment:
            self.close()
            self._link = OfficeLink(identity.office_url, self._config.connect_timeout_s, self._config.total_timeout_s)
            self._delivery = Delivery(self._outbox, self._link, identity, self._gate, _now)
            self._enrolment = enrolment
        return self._delivery


def pull_once(engine: Engine, config: SyncConfig) -> bool:
    """False before enrolment."""
    identity = load_identity(engine)
    if identity is None:
        return False
    now = _now()
    with OfficeLink(identity.office_url, config.connect_timeout_s, config.total_timeout_s * _PULL_PATIENCE) as link:
        result = pull_roster(link, identity, Roster(engine), now)
    note_pull(engine, now if result.contact else None, result.trouble)
    return True


def _pull_loop(engine: Engine, config: SyncConfig, stop: threading.Event) -> None:
    while not stop.is_set():
        enrolled = True
        try:
            enrolled = pull_once(engine, config)
        except Exception:
            _log.exception("the pull failed")
        stop.wait(config.pull_s if enrolled else config.poll_s)


def _heartbeat_loop(engine: Engine, config: KioskConfig, stop: threading.Event) -> None:
    job = HeartbeatJob(engine, config, _now)
    while not stop.is_set():
        try:
            job.run()
        except Exception:
            _log.exception("the heartbeat failed")
        stop.wait(config.sync.poll_s)


@contextlib.contextmanager
def _only_one(database: Path) -> Iterator[None]:
    with database.with_name(database.name + ".sync.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning("another sync process works on this database; stop it first") from None
        yield


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
