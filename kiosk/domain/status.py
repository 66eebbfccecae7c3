"""The state of a device as everybody sees it: flow, screen, diagnostics and the office."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum


class DeviceKind(StrEnum):
    IDCARD = "idcard"
    SOCIALCARD = "socialcard"
    SCANNER = "scanner"
    PRINTER = "printer"
    """Receipt printer for slips."""
    A4 = "a4"
    """Office printer for certificates and statements."""
    CAMERA = "camera"
    FACE = "face"


class DeviceState(StrEnum):
    READY = "ready"
    BUSY = "busy"
    DEGRADED = "degraded"
    """Works, but needs a hand soon: paper nearly out, many line errors."""
    OFFLINE = "offline"
    """Known not to work: `reason` says why."""
    UNKNOWN = "unknown"
    """No answer yet, or an answer that proves nothing. Never treated as READY."""


@dataclass(frozen=True, slots=True)
class DeviceStatus:
    """reason: a stable code such as `no_port`, `mute`, `paper_out`; texts.toml has the sentence for staff."""

    kind: DeviceKind
    state: DeviceState
    reason: str = ""
    since: dt.datetime | None = None

    @property
    def usable(self) -> bool:
        return self.state in (DeviceState.READY, DeviceState.BUSY, DeviceState.DEGRADED)
