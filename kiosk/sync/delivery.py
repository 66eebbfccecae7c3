"""Delivery of cases: one pass over the outbox. Only what the office has signed changes a case's state."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from pydantic import ValidationError

from kiosk.store.outbox import DueCase, Outbox
from kiosk.sync.gate import Gate
from kiosk.sync.identity import Identity
from kiosk.sync.link import Answer, LinkDown, NoAnswer, OfficeLink
from kiosk.sync.refusal import signed_refusal
from kiosk.sync.wire import http
from kiosk.sync.wire.models import Receipt, RefusalCode
from kiosk.sync.wire.signing import Context

RETRY_AFTER_S = 30.0
DEVICE_REFUSED_S = 600.0
"""How long a terminal the office does not know waits before it asks again."""
PORTAL_ALARM = 3
"""So many unsigned successes in a row mean a captive portal or gateway."""
GATEWAY_ALARM = 10
"""So many unsigned 4xx in a row mean a proxy or gateway rule."""


@dataclass(frozen=True, slots=True)
class Acked:
    level: str
    receipt: bytes = field(repr=False)
    signature: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Refused:
    """The office will never take this case; staff has to look."""

    code: str
    refusal: bytes = field(repr=False)
    signature: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class DeviceRefused:
    """The office does not know this terminal (any more). No case is to blame."""


@dataclass(frozen=True, slots=True)
class OfficeBusy:
    seconds: float


@dataclass(frozen=True, slots=True)
class Unproven:
    """Not the office's word, whatever it looks like: the case stays pending."""

    code: str


Verdict = Acked | Refused | DeviceRefused | OfficeBusy | Unproven


def judge(case: DueCase, answer: Answer, identity: Identity) -> Verdict:
    """What an answer to the PUT of a case means."""
    status = answer.status
    if 200 <= status < 300:
        return _receipt(case, answer, identity) or Unproven(f"unsigned_{status}")
    refusal = signed_refusal(answer, identity, case.case_id, case.digest.hex())
    if refusal is not None:
        if refusal.code == RefusalCode.DEVICE:
            return DeviceRefused()
        if status in (409, 413, 422):
            return Refused(refusal.code, answer.body, answer.header(http.REFUSAL_SIGNATURE))
    if status in (429, 503):
        return OfficeBusy(_retry_after(answer.header("Retry-After")))
    return Unproven(f"http_{status}")


class Delivery:
    """Used by one thread. `alarm` and `last_contact` say what staff should know."""

    def __init__(
        self, outbox: Outbox, link: OfficeLink, identity: Identity, gate: Gate, now: Callable[[], dt.datetime],
    ) -> None:
        self._outbox, self._link, self._identity, self._gate, self._now = outbox, link, identity, gate, now
        self._unsigned_successes = 0
        self._unsigned_refusals = 0
        self._device_refused = False
        self.last_contact: dt.datetime | None = None
        """When the office last signed something."""

    @property
    def alarm(self) -> str | None:
        if self._device_refused:
            return "device_refused"
        if self._unsigned_successes >= PORTAL_ALARM:
            return "portal"
        return "gateway" if self._unsigned_refusals >= GATEWAY_ALARM else None

    def run_pass(self, stop: threading.Event) -> None:
        """Tries every row that is due, oldest first, each at most as often as its back-off allows."""
        while not stop.is_set() and self._gate.is_open:
            case = self._outbox.claim(self._now())
            if case is None:
                return
            self._deliver(case)

    def _deliver(self, case: DueCase) -> None:
        headers = {"Content-Type": http.ENVELOPE_TYPE, http.SIGNATURE: case.signature}
        result = self._link.exchange("PUT", http.case_path(case.case_id), headers, case.sealed, http.ANSWER_BYTES_MAX)
        match result:
            case LinkDown(reason):
                self._outbox.release(case.case_id, reason, self._now())
                self._gate.failed()
            case NoAnswer(reason):
                self._gate.worked()
                self._outbox.unproven(case.case_id, reason)
            case Answer():
                self._gate.worked()
                self._act(case, judge(case, result, self._identity))

    def _act(self, case: DueCase, verdict: Verdict) -> None:
        now = self._now()
        match verdict:
            case Acked(level, receipt, signature):
                self._outbox.acked(case.case_id, level, receipt, signature, now)
                self._contact(now)
            case Refused(code, refusal, signature):
                self._outbox.dead(case.case_id, code, refusal, signature, now)
                self._contact(now)
            case DeviceRefused() if case.epoch != self._identity.epoch:
                # An enrolment the office has ended: this case waits for staff, those of the present one go on.
                self._outbox.unproven(case.case_id, "old_enrolment_refused")
                self._contact(now)
            case DeviceRefused():
                self._outbox.release(case.case_id, "device_refused", now)
                self._contact(now)
                self._device_refused = True
                self._gate.hold(DEVICE_REFUSED_S)
            case OfficeBusy(seconds):
                self._outbox.release(case.case_id, "busy", now)
                self._gate.hold(seconds)
            case Unproven(code):
                self._outbox.unproven(case.case_id, code)
                self._unsigned_successes += code.startswith(("unsigned_", "http_3"))
                self._unsigned_refusals += code.startswith("http_4")

    def _contact(self, now: dt.datetime) -> None:
        self.last_contact = now
        self._device_refused = False
        self._unsigned_successes = self._unsigned_refusals = 0


def _receipt(case: DueCase, answer: Answer, identity: Identity) -> Acked | None:
    signature = answer.header(http.RECEIPT_SIGNATURE)
    if not identity.office_signed(Context.RECEIPT, answer.body, signature):
        return None
    try:
        receipt = Receipt.model_validate_json(answer.body)
    except ValidationError:
        return None
    if (receipt.id, receipt.sha256) != (case.case_id, case.digest.hex()):
        return None
    return Acked(receipt.level.value, answer.body, signature)


def _retry_after(text: str) -> float:
    return float(text) if text.isascii() and text.isdigit() and len(text) < 7 else RETRY_AFTER_S
