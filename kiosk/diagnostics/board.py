"""The present state of every device in one place: written by device threads, read by whoever must know."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable

from kiosk.domain.status import DeviceKind, DeviceState, DeviceStatus

log = logging.getLogger(__name__)


class StatusBoard:
    """Thread-safe. Logs a device when it changes, never when it merely repeats itself."""

    def __init__(self, kinds: Iterable[DeviceKind] = DeviceKind) -> None:
        """kinds: the devices this machine has."""
        self._lock = threading.Lock()
        self._states = {kind: DeviceStatus(kind, DeviceState.UNKNOWN) for kind in kinds}

    def report(self, status: DeviceStatus) -> None:
        with self._lock:
            before = self._states[status.kind]
            self._states[status.kind] = status
        changed = (before.state, before.reason) != (status.state, status.reason)
        if changed and DeviceState.BUSY not in (before.state, status.state):
            level = logging.WARNING if status.state in (DeviceState.DEGRADED, DeviceState.OFFLINE) else logging.INFO
            log.log(level, "device %s is %s %s", status.kind.value, status.state.value, status.reason)

    def of(self, kind: DeviceKind) -> DeviceStatus:
        with self._lock:
            return self._states[kind]

    def snapshot(self) -> tuple[DeviceStatus, ...]:
        with self._lock:
            return tuple(self._states.values())
