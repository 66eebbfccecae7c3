"""The sync process: uploads, pulls and heartbeats, each in a loop of its own, sharing nothing but the database."""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from sqlalchemy import Engine

from kiosk.config import KioskConfig, SyncConfig
from kiosk.store.audit_log import note_start
from kiosk.store.opening import open_store
from kiosk.store.outbox import Outbox
from kiosk.sync.content import with_office_settings
from kiosk.sync.delivery import Delivery
from kiosk.sync.gate import Gate
from kiosk.sync.heartbeat import HeartbeatJob, heartbeat_once
from kiosk.sync.housekeeping import Housekeeping
from kiosk.sync.identity import Identity, load_identity
from kiosk.sync.link import OfficeLink
from kiosk.sync.pull_job import pull_once
from kiosk.sync.reconcile import ReconcileJob
from kiosk.sync.renew import RenewJob
from kiosk.sync.status import UNSAFE_ALARM_H, SyncStatus, note_upload, read_status
from kiosk.sync.wire.keys import key_id

_log = logging.getLogger(__name__)
_GATE_CAP_S = 300.0
"""Knocking costs nothing: after an outage of weeks the office is found again within minutes."""
_STOP_PATIENCE_S = 5.0
_HOUSEKEEPING_S = 60.0


class AlreadyRunning(Exception):
    """Another process delivers from this database; two would send everything twice."""


def run(config: KioskConfig, stop: threading.Event) -> None:
    """Delivers, pulls and tells how the machine is until `stop`. Raises StoreUnusable or AlreadyRunning at start.

    A failing pull or heartbeat is logged and tried again later. An exception while uploading ends the process: its restart
    finds everything in the database.
    """
    engine = open_store(config)
    config = with_office_settings(engine, config)
    with only_one(config.store.path):
        note_start(engine, "sync", config)
        beside = [
            threading.Thread(target=_again_and_again, args=(name, job, stop), name=f"sync-{name}", daemon=True)
            for name, job in _jobs(engine, config).items()
        ]
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
    with only_one(config.store.path):
        uploads = UploadJob(engine, config.sync)
        uploads.run(threading.Event())
        uploads.close()
        pull_once(engine, config, now)
        heartbeat_once(engine, config, now)
    return status(engine, config.retention.unsafe_alarm_h)


def status(engine: Engine, unsafe_alarm_h: float = UNSAFE_ALARM_H) -> SyncStatus:
    return read_status(engine, now(), unsafe_alarm_h)


class UploadJob:
    """Follows the enrolment: a new identity, and new keys of the office, take effect with the next pass."""

    def __init__(self, engine: Engine, config: SyncConfig) -> None:
        self._engine = engine
        self._config = config
        self._gate = Gate(config.backoff_base_s, min(config.backoff_cap_s, _GATE_CAP_S))
        self._outbox = Outbox(engine, config.backoff_base_s, config.backoff_cap_s)
        self._enrolment: tuple[object, ...] | None = None
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
        office = tuple(key_id(key) for key in identity.office_signing)
        enrolment = (identity.terminal_id, identity.epoch, identity.office_url, *office)
        if self._delivery is None or enrolment != self._enrolment:
            self.close()
            self._link = OfficeLink(identity.office_url, self._config.connect_timeout_s, self._config.total_timeout_s)
            self._delivery = Delivery(self._outbox, self._link, identity, self._gate, now)
            self._enrolment = enrolment
        return self._delivery


def _jobs(engine: Engine, config: KioskConfig) -> dict[str, _Job]:
    """What runs beside the uploads, each in a thread of its own: how often it is looked whether it is time."""
    poll_s = config.sync.poll_s
    reconciliation = ReconcileJob(engine, config.sync, now)

    def pull() -> float:
        return config.sync.pull_s if pull_once(engine, config, now) else poll_s

    def reconcile() -> None:
        done = reconciliation.run()
        if done is not None and done.trouble is not None:
            _log.info("reconciliation was not finished: %s", done.trouble)
        if done is not None and done.lost:
            _log.error("%d cases are erased here and missing at the office: it has to take in its archive", done.lost)

    return {
        "pull": _Job(pull, poll_s),
        "heartbeat": _Job(HeartbeatJob(engine, config, now).run, poll_s),
        "renewal": _Job(RenewJob(engine, config.sync, now).run, poll_s),
        "reconciliation": _Job(reconcile, poll_s),
        "housekeeping": _Job(Housekeeping(engine, config, now).run, _HOUSEKEEPING_S),
    }


@dataclass(frozen=True, slots=True)
class _Job:
    run: Callable[[], object]
    """May return the seconds until the next time."""
    pause_s: float


def _again_and_again(name: str, job: _Job, stop: threading.Event) -> None:
    """A failing one is logged, without its text, which may hold anything, and tried again."""
    while not stop.is_set():
        pause = None
        try:
            pause = job.run()
        except Exception as error:
            _log.error("the %s failed: %s", name, type(error).__name__)
        stop.wait(pause if isinstance(pause, float) else job.pause_s)


@contextlib.contextmanager
def only_one(database: Path) -> Iterator[None]:
    with database.with_name(database.name + ".sync.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning("another sync process works on this database; stop it first") from None
        yield


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
