"""The office's tables."""

from __future__ import annotations

from kiosk.office.models.audit import AuditEntry
from kiosk.office.models.backups import Backup, SafeEnvelope
from kiosk.office.models.base import Counter, WrittenOnce
from kiosk.office.models.cases import AttemptClipFrame, Case, FaceAttempt, Photo
from kiosk.office.models.envelopes import Envelope, EnvelopePromotion, OpeningFailure
from kiosk.office.models.face_enrolments import EnrolmentClipFrame, FaceCapture, FaceEnrolment
from kiosk.office.models.fleet import DeviceReport, EnrolmentToken, Heartbeat, Terminal, TerminalBoot, TerminalKey
from kiosk.office.models.heads import TerminalHead
from kiosk.office.models.parts import EnvelopePart
from kiosk.office.models.roster import Person, PersonTemplate, Portrait, Withdrawal

__all__ = [
    "AttemptClipFrame", "AuditEntry", "Backup", "Case", "Counter", "DeviceReport", "EnrolmentClipFrame", "EnrolmentToken",
    "Envelope", "EnvelopePart", "EnvelopePromotion", "FaceAttempt", "FaceCapture", "FaceEnrolment", "Heartbeat",
    "OpeningFailure", "Person", "PersonTemplate", "Photo", "Portrait", "SafeEnvelope", "Terminal", "TerminalBoot",
    "TerminalHead", "TerminalKey", "Withdrawal", "WrittenOnce",
]
