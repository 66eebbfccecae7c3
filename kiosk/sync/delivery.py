"""Delivery of cases: one pass over the outbox. Only what the office has signed changes a case's state.

The pieces of a large case go first, one request each, and each is believed delivered only with its own receipt. So a cut
upload repeats at most one of them, and one request never takes longer than the line needs for one piece.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pydantic import ValidationError

from kiosk.store.outbox import DueCase, Outbox, Piece
from kiosk.sync.gate import Gate
from kiosk.sync.identity import Identity
from kiosk.sync.link import Answer, LinkDown, NoAnswer, OfficeLink
from kiosk.sync.refusal import signed_refusal
from kiosk.sync.wire import http
from kiosk.sync.wire.envelope import EnvelopeError, digest, parse_header
from kiosk.sync.wire.models import Receipt, RefusalCode
from kiosk.sync.wire.parts import PartReceipt, part_digest
from kiosk.sync.wire.signing import Context, sign

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
class PieceTaken:
    """The office has this piece of the case."""


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
    return _not_taken(answer, identity, case.case_id, case.digest.hex())


def judge_piece(case: DueCase, piece: Piece, answer: Answer, identity: Identity) -> Verdict | PieceTaken:
    """What an answer to the PUT of a piece means. A piece the office refuses is the end of its case."""
    if 200 <= answer.status < 300:
        taken = _has_piece(case, piece, answer, identity)
        return PieceTaken() if taken else Unproven(f"unsigned_{answer.status}")
    return _not_taken(answer, identity, case.case_id, part_digest(piece.body))


def _not_taken(answer: Answer, identity: Identity, case_id: str, sha256: str) -> Verdict:
    status = answer.status
    refusal = signed_refusal(answer, identity, case_id, sha256)
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
            if self._is_whole(case) and self._deliver_pieces(case, stop):
                self._deliver(case)

    def _deliver_pieces(self, case: DueCase, stop: threading.Event) -> bool:
        """Whether the office has them all."""
        while (piece := self._outbox.next_piece(case.case_id)) is not None:
            if stop.is_set():
                self._outbox.release(case.case_id, "stopped", self._now())
                return False
            if part_digest(piece.body) != piece.sha256:
                self._outbox.damaged(case.case_id)
                return False
            headers = {
                "Content-Type": http.ENVELOPE_TYPE, http.KIOSK: self._identity.terminal_id, http.CASE: case.case_id,
                http.SIGNATURE: sign(Context.PART, bytes.fromhex(part_digest(piece.body)), self._identity.signing_key),
            }
            answer = self._exchange(case, http.part_path(piece.sha256), headers, piece.body)
            if answer is None:
                return False
            verdict = judge_piece(case, piece, answer, self._identity)
            if not isinstance(verdict, PieceTaken):
                self._act(case, verdict)
                return False
            self._outbox.piece_delivered(piece.sha256, self._now())
            self._contact(self._now())
        return True

    def _is_whole(self, case: DueCase) -> bool:
        """A long value that lies over a bad page comes back with zeros in it and no error: the office would refuse it for
        ever. It stays, and staff are told by the examination of the file that follows."""
        if digest(case.sealed) == case.digest:
            return True
        self._outbox.damaged(case.case_id)
        return False

    def _deliver(self, case: DueCase) -> None:
        headers = {"Content-Type": http.ENVELOPE_TYPE, http.SIGNATURE: case.signature}
        if not _of_present(case, self._identity):
            headers[http.VOUCH] = vouch(case, self._identity)
        answer = self._exchange(case, http.case_path(case.case_id), headers, case.sealed)
        if answer is None:
            return
        verdict = judge(case, answer, self._identity)
        missing = _missing(answer)
        if isinstance(verdict, Acked) and missing and self._outbox.pieces_lost(case.case_id, missing):
            verdict = Unproven("pieces_missing")  # an office restored from a backup; the receipt comes again after them
        self._act(case, verdict)

    def _exchange(self, case: DueCase, target: str, headers: Mapping[str, str], content: bytes) -> Answer | None:
        """None: nobody answered to the end, and that is noted already."""
        result = self._link.exchange("PUT", target, headers, content, http.ANSWER_BYTES_MAX)
        match result:
            case LinkDown(reason):
                self._outbox.release(case.case_id, reason, self._now())
                self._gate.failed()
                return None
            case NoAnswer(reason):
                self._gate.worked()
                self._outbox.unproven(case.case_id, reason)
                return None
            case Answer():
                self._gate.worked()
                return result

    def _act(self, case: DueCase, verdict: Verdict) -> None:
        now = self._now()
        match verdict:
            case Acked(level, receipt, signature):
                self._outbox.acked(case.case_id, level, receipt, signature, now)
                self._contact(now)
            case Refused(code, refusal, signature):
                self._outbox.dead(case.case_id, code, refusal, signature, now)
                self._contact(now)
            case DeviceRefused() if not _of_present(case, self._identity):
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


def vouch(case: DueCase, identity: Identity) -> str:
    """That the present enrolment stands up for a case sealed under an earlier one: the same machine holds it."""
    return f"{identity.terminal_id} {identity.epoch} {sign(Context.VOUCH, case.digest, identity.signing_key)}"


def _of_present(case: DueCase, identity: Identity) -> bool:
    """Whether it was sealed under this very enrolment; another terminal's first enrolment is not ours."""
    if case.epoch != identity.epoch:
        return False
    try:
        return parse_header(case.sealed).kiosk == identity.terminal_id
    except EnvelopeError:  # damaged: the office says so, and nobody else waits for it
        return True


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


def _has_piece(case: DueCase, piece: Piece, answer: Answer, identity: Identity) -> bool:
    if not identity.office_signed(Context.PART_RECEIPT, answer.body, answer.header(http.PART_SIGNATURE)):
        return False
    try:
        receipt = PartReceipt.model_validate_json(answer.body)
    except ValidationError:
        return False
    return (receipt.case, receipt.sha256) == (case.case_id, piece.sha256)


def _missing(answer: Answer) -> frozenset[str]:
    """Digests of pieces the office says it does not have."""
    return frozenset(answer.header(http.MISSING).split(",")) - {""}


def _retry_after(text: str) -> float:
    return float(text) if text.isascii() and text.isdigit() and len(text) < 7 else RETRY_AFTER_S
