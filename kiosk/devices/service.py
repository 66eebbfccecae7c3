"""The supervised life of one device: opened, worked with, always closed, opened again; stopped at once."""

from __future__ import annotations

import datetime as dt
import logging
import random
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TypeVar

from kiosk.domain.status import DeviceKind, DeviceState, DeviceStatus

_log = logging.getLogger(__name__)
_Value = TypeVar("_Value")


class DeviceLost(OSError):
    """The device cannot be worked with just now; closing and opening it again is the cure.

    `reason` is a stable code for DeviceStatus, never data.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class DeviceService(ABC):
    """One device, one thread. Subclasses write `open`, `run` and `close`, which only that thread calls.

    The thread outlives everything these raise: DeviceLost is reported with its reason, anything else as
    `program_fault` with the exception's class in the log. Between two openings it waits, longer each time up to
    a cap, from the start again once the device has worked for a while.
    """

    def __init__(
        self, kind: DeviceKind, on_status: Callable[[DeviceStatus], None], retry_s: tuple[float, float] = (0.5, 5.0)
    ) -> None:
        """on_status: called from the device thread, on every change and only then. retry_s: first and longest wait."""
        self._status = DeviceStatus(kind, DeviceState.UNKNOWN)
        self._on_status = on_status
        self._retry_s = retry_s
        self.stopping = threading.Event()
        """Set once the service is to end; `run` returns soon after."""
        self._better: tuple[str, str] | None = None
        """The reason of the last loss and what `explain` made of it; forgotten once the device works."""
        self.attention = threading.Event()
        """Ends a `pause` early: set by `stop`, and by a subclass that is asked for something."""
        self._thread = threading.Thread(target=self._supervise, name=f"device-{kind.value}", daemon=True)

    @abstractmethod
    def open(self) -> None:
        """Takes hold of the device. Raises DeviceLost."""

    @abstractmethod
    def run(self) -> None:
        """Proves that it is the right device, reports READY, works until `stopping`. Raises DeviceLost."""

    @abstractmethod
    def close(self) -> None:
        """Lets go of whatever `open` got hold of, even if it failed half-way."""

    def explain(self, reason: str) -> str:
        """Asked on the device thread after each loss, once closed: the reason as it is, or one that says more.

        Must return early once `stopping` is set.
        """
        return reason

    @property
    def status(self) -> DeviceStatus:
        return self._status

    def start(self) -> None:
        """Starts the thread; once only (RuntimeError), a stopped service is not started again."""
        self._thread.start()

    def stop(self, timeout_s: float = 2.0) -> bool:
        """Asks the thread to end and waits at most `timeout_s`. False: it hangs in a driver and is left behind."""
        self.stopping.set()
        self.attention.set()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def report(self, state: DeviceState, reason: str = "") -> None:
        """Publishes the state if it differs from the last one. For the device thread."""
        if (state, reason) == (self._status.state, self._status.reason):
            return
        self._status = DeviceStatus(self._status.kind, state, reason, dt.datetime.now(dt.UTC))
        if self._status.usable:
            self._better = None
        self.notify(self._on_status, self._status)

    def notify(self, listener: Callable[[_Value], None], value: _Value) -> None:
        """Calls a listener; its bug is logged and must not cost us the device."""
        try:
            listener(value)
        except Exception as error:
            _log.error("%s: listener failed: %s", self._status.kind.value, type(error).__name__)

    def pause(self, seconds: float) -> None:
        """Waits, but no longer than until attention is wanted. For the device thread."""
        self.attention.wait(seconds)
        self.attention.clear()

    def _supervise(self) -> None:
        first, longest = self._retry_s
        wait = first
        while not self.stopping.is_set():
            opened = time.monotonic()
            self._live_once()
            if time.monotonic() - opened > longest:
                wait = first
            self.stopping.wait(wait * random.uniform(0.8, 1.2))
            wait = min(2 * wait, longest)
        self.report(DeviceState.UNKNOWN)

    def _live_once(self) -> None:
        reason = ""
        try:
            self.open()
            self.run()
        except DeviceLost as lost:
            if not self.stopping.is_set():  # a stopped read looks like silence
                reason = lost.reason
                self.report(DeviceState.OFFLINE, self._better[1] if self._better and self._better[0] == reason else reason)
        except Exception as error:
            self._log_fault(error)
        finally:
            try:
                self.close()
            except Exception as error:
                reason = ""
                self._log_fault(error)
        if reason:
            self._explain(reason)

    def _explain(self, reason: str) -> None:
        try:
            better = self.explain(reason)
        except Exception as error:
            self._log_fault(error)
            return
        if not self.stopping.is_set():
            self._better = reason, better
            self.report(DeviceState.OFFLINE, better)

    def _log_fault(self, error: Exception) -> None:
        """Class only: the text of an unforeseen exception may hold what a person laid on the device."""
        _log.error("%s: %s", self._status.kind.value, type(error).__name__)
        self.report(DeviceState.OFFLINE, "program_fault")
