"""Whose PIN it is: the staff of the configuration as the conversation's `StaffGate`."""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from kiosk.config.staff import StaffConfig
from kiosk.flow import events as ev

log = logging.getLogger(__name__)


class Record(Protocol):
    def __call__(self, act: str, **facts: str | int) -> object: ...


class Gate:
    """Looks at one PIN after the other on a thread of its own, because a PIN hash is slow by design.

    Wrong PINs are counted as long as the program runs, whoever typed them: nobody says who they are before.
    """

    def __init__(
        self, config: StaffConfig, post: Callable[[ev.Event], None], record: Record,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """record: takes sign-ins by staff id, and refusals by their count in a row, never a PIN."""
        self._config = config
        self._hashes = config.hashes()
        self._post = post
        self._record = record
        self._monotonic = monotonic
        self._wrong = 0
        self._locked_until = 0.0
        self._work = ThreadPoolExecutor(1, thread_name_prefix="staff")

    def check(self, pin: str, asked_at: dt.datetime) -> None:
        self._work.submit(self._answer, pin, asked_at)

    def stop(self) -> None:
        self._work.shutdown(wait=True, cancel_futures=True)

    def _answer(self, pin: str, asked_at: dt.datetime) -> None:
        try:
            self._post(self._look(pin, asked_at))
        except Exception as error:  # the conversation goes on by its own clock, and says that nobody answered
            log.error("staff: %s", type(error).__name__)

    def _look(self, pin: str, asked_at: dt.datetime) -> ev.Event:
        left = self._locked_until - self._monotonic()
        if left > 0:
            return ev.StaffUnknown(asked_at, left)
        fitting = [staff for staff, stored in self._hashes.items() if stored.fits(pin)]  # all of them, so that time tells nothing
        if fitting:
            self._wrong = 0
            self._record("staff_signed_in", staff=fitting[0])
            return ev.StaffKnown(asked_at, fitting[0])
        self._wrong += 1
        self._record("staff_refused", in_a_row=self._wrong)
        over = self._wrong - self._config.tries
        if over < 0:
            return ev.StaffUnknown(asked_at)
        lock_s = min(self._config.lock_s * 2.0**min(over, 20), self._config.lock_cap_s)
        self._locked_until = self._monotonic() + lock_s
        log.warning("staff: %d wrong PINs in a row, none is taken for %.0f s", self._wrong, lock_s)
        return ev.StaffUnknown(asked_at, lock_s)
