"""The office's tables."""

from __future__ import annotations

from kiosk.office.models.audit import AuditEntry
from kiosk.office.models.base import Counter, WrittenOnce
from kiosk.office.models.cases import AttemptClipFrame, Case, FaceAttempt, Photo
from kiosk.office.models.envelopes import Envelope, OpeningFailure
from kiosk.office.models.face_enrolments import EnrolmentClipFrame, FaceCapture, FaceEnrolment
from kiosk.office.models.fleet import DeviceReport, EnrolmentToken, Heartbeat, Terminal, TerminalKey
from kiosk.office.models.roster import Person, PersonTemplate, Portrait

__all__ = [
    "AttemptClipFrame", "AuditEntry", "Case", "Counter", "DeviceReport", "EnrolmentClipFrame", "EnrolmentToken", "Envelope",
    "FaceAttempt", "FaceCapture", "FaceEnrolment", "Heartbeat", "OpeningFailure", "Person", "PersonTemplate", "Photo",
    "Portrait", "Terminal", "TerminalKey", "WrittenOnce",
]
