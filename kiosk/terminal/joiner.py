"""How this machine stands with the office, told to the conversation; and letting it in with a code, typed or scanned."""

from __future__ import annotations

import datetime as dt
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import Engine

from kiosk.config import KioskConfig
from kiosk.devices.scanner.events import ScanEvent, ScannedToken
from kiosk.devices.scanner.service import ScannerService
from kiosk.domain.join import JoinTrouble
from kiosk.domain.short_code import is_short_code
from kiosk.flow import events as ev
from kiosk.sync.enrol import EnrolFailed, enrol, enrol_short
from kiosk.sync.identity import Identity, load_identity
from kiosk.sync.status import standing
from kiosk.sync.wire.enrolment import EnrolmentCode, EnrolmentCodeError

log = logging.getLogger(__name__)


class Joiner:
    """The conversation's `Joining`. The office is asked on a thread of its own, the database looked at on another."""

    _LOOK_S = 2.0

    def __init__(
        self, config: KioskConfig, engine: Engine, scanner: ScannerService | None, post: Callable[[ev.Event], None],
    ) -> None:
        self._config = config
        self._engine = engine
        self._scanner = scanner
        self._post = post
        self._stopping = threading.Event()
        self._work = ThreadPoolExecutor(1, thread_name_prefix="join")
        self._watcher = threading.Thread(target=self._watch, name="standing", daemon=True)

    def start(self) -> None:
        self._watcher.start()

    def stop(self) -> None:
        self._stopping.set()
        self._work.shutdown(wait=True, cancel_futures=True)
        if self._watcher.ident is not None:
            self._watcher.join()

    def seek_code(self) -> None:
        if self._scanner is not None:
            self._scanner.seek()

    def release_code(self) -> None:
        if self._scanner is not None:
            self._scanner.release()

    def on_scan(self, happened: ScanEvent) -> None:
        """For the scanner's thread."""
        if isinstance(happened, ScannedToken):
            self._post(ev.CodeScanned(happened.secret))

    def join(self, code: str, asked_at: dt.datetime) -> None:
        self._work.submit(self._answer, code, asked_at)

    def _answer(self, code: str, asked_at: dt.datetime) -> None:
        try:
            result = self._redeem(code)
        except Exception as error:  # a store that fails: whether the code is spent nobody knows, the same one finds out
            log.error("join: %s", type(error).__name__)
            result = EnrolFailed(JoinTrouble.STORE_FAILED.value)
        if self._stopping.is_set():
            return
        if isinstance(result, Identity):
            self._post(ev.Joined(asked_at, result.terminal_id, result.site))
        else:
            log.warning("join: %s", result.reason)
            self._post(ev.JoinFailed(asked_at, _trouble(result.reason)))

    def _redeem(self, code: str) -> Identity | EnrolFailed:
        times, name = self._config.sync, self._config.site.name
        if is_short_code(code):
            return enrol_short(self._engine, code, times.office_url, name, times.connect_timeout_s, times.total_timeout_s)
        try:
            long = EnrolmentCode.decode(code)
        except EnrolmentCodeError:
            return EnrolFailed(JoinTrouble.NOT_A_CODE.value)
        return enrol(self._engine, long, name, times.connect_timeout_s, times.total_timeout_s)

    def _watch(self) -> None:
        """Tells every change, whoever made it: this screen, the command line or the office."""
        told: object = None
        while not self._stopping.is_set():
            try:
                identity = load_identity(self._engine)
                known = standing(self._engine), None if identity is None else (identity.terminal_id, identity.epoch)
                if known != told:
                    self._post(ev.EnrolmentChanged(*known[0]))
                    told = known
            except Exception as error:  # a busy or failing database: the next look tells
                log.error("standing: %s", type(error).__name__)
            self._stopping.wait(self._LOOK_S)


def _trouble(reason: str) -> JoinTrouble:
    """A refusal of any status is one: the code is no good."""
    if reason.startswith("refused_"):
        return JoinTrouble.REFUSED
    return JoinTrouble(reason)
