"""The office's tables."""

from __future__ import annotations

from kiosk.office.models.audit import AuditEntry
from kiosk.office.models.base import Counter, WrittenOnce
from kiosk.office.models.cases import Case, Envelope, FaceAttempt, OpeningFailure, Photo
from kiosk.office.models.fleet import DeviceReport, EnrolmentToken, Heartbeat, Terminal, TerminalKey
from kiosk.office.models.roster import Person, PersonTemplate, Portrait

__all__ = [
    "AuditEntry", "Case", "Counter", "DeviceReport", "EnrolmentToken", "Envelope", "FaceAttempt", "Heartbeat",
    "OpeningFailure", "Person", "PersonTemplate", "Photo", "Portrait", "Terminal", "TerminalKey", "WrittenOnce",
]
