"""Device states on their way into the database, on a thread of their own: a slow disk stops no device and no screen."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection
from functools import partial

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnection

from kiosk.domain.status import DeviceKind, DeviceStatus
from kiosk.store.device_states import DeviceStates

log = logging.getLogger(__name__)

_RETRY_S = 5.0
_BEGIN, _TOUCH = "begin", "touch"


class StateWriter:
    """`report` and `touch` may be called from any thread and return at once.

    Of each device only the newest status waits to be written. A store that fails is asked again every few seconds,
    so that the others do not read an old word for ever; the log gets the class of the first failure.
    """

    def __init__(self, states: DeviceStates, kinds: Collection[DeviceKind], retry_s: float = _RETRY_S) -> None:
        """kinds: the devices this machine has."""
        self._states = states
        self._retry_s = retry_s
        self._changed = threading.Condition()
        self._jobs: dict[str, Callable[[], None]] = {_BEGIN: partial(states.begin, kinds)}  # the oldest goes first
        self._stopping = False
        self._failing = False
        self._thread = threading.Thread(target=self._work, name="device-states", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def report(self, status: DeviceStatus) -> None:
        self._add(status.kind, partial(self._states.put, status))

    def touch(self) -> None:
        """The terminal runs. For a timer of the UI thread, so that a screen that hangs does not count as running."""
        self._add(_TOUCH, self._states.touch)

    def stop(self, timeout_s: float = 2.0) -> bool:
        """Writes what waits, unless the store fails, and ends. False: it hangs in the store and is left behind."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _add(self, name: str, job: Callable[[], None]) -> None:
        with self._changed:
            self._jobs[name] = job
            self._changed.notify()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._jobs or self._stopping)
                if not self._jobs:
                    return
                name, job = next(iter(self._jobs.items()))
            done = self._try(job)
            with self._changed:
                if done and self._jobs[name] is job:  # otherwise something newer waits in its place
                    del self._jobs[name]
                if not done and (self._stopping or self._changed.wait_for(lambda: self._stopping, self._retry_s)):
                    return

    def _try(self, job: Callable[[], None]) -> bool:
        """Whether the job needs no further try: it is written, or it is a bug that no try can cure."""
        try:
            job()
        except (DBAPIError, NoConnection) as error:
            if not self._failing:
                log.error("device states: %s", type(error).__name__)
            self._failing = True
            return False
        except Exception as error:
            log.error("device states: %s", type(error).__name__)
        self._failing = False
        return True
