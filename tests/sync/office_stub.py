"""A little office on loopback that signs like the real one, or misbehaves to order; and a case to send it."""

from __future__ import annotations

import datetime as dt
import http.server
import secrets
import socket
import threading
import urllib.parse
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import reconcile_stub
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from drafts import report

from kiosk.domain.case import CaseDraft, Item
from kiosk.domain.consent import Consent, ConsentScope
from kiosk.domain.decision import FaceEvidence, Outcome
from kiosk.domain.document import CardKind, IdCard
from kiosk.domain.period import DueDate
from kiosk.sync.wire import http as names
from kiosk.sync.wire.enrolment import (
    EnrolmentCode,
    ProvenEnrolRequest,
    answer_proof,
    proof_key,
    request_proof,
    token_digest,
)
from kiosk.sync.wire.envelope import digest, open_envelope, parse_header
from kiosk.sync.wire.keys import key_id, public_hex, sealing_public, signing_public
from kiosk.sync.wire.models import (
    AckLevel,
    CaseBody,
    EnrolAnswer,
    HeartbeatAnswer,
    HeartbeatBody,
    OfficeKeys,
    Receipt,
    Refusal,
    RosterPull,
)
from kiosk.sync.wire.outcomes import OutcomesPull
from kiosk.sync.wire.parts import PartReceipt, part_digest
from kiosk.sync.wire.pull import seal_pull, sign_unchanged
from kiosk.sync.wire.reconcile import ReconcileBody
from kiosk.sync.wire.signing import Context, heartbeat_message, request_message, sign, verify

NUMBER, NAME = "999901195001010026", "张测试甲"
NOW = dt.datetime(2026, 11, 23, 1, 0, tzinfo=dt.UTC)
STALL_S = 20.0
REFUSALS = {"conflict": 409, "invalid": 422, "device": 403}


def make_draft(repeat: int = 0, photos: tuple[bytes, ...] = (b"\xff\xd8photo",), number: str = NUMBER) -> CaseDraft:
    return CaseDraft(
        item=Item.CERTIFICATION, card=IdCard(CardKind.RESIDENT, number, NAME, birth=dt.date(1950, 1, 1)), outcome=Outcome.PASSED,
        consent=Consent(frozenset({ConsentScope.MATCH, ConsentScope.SEND_PHOTO}), "2026-11", NOW),
        attempts=(FaceEvidence(0.3, 5, 3, report(), "engine", photos),),
        captured_at=NOW, in_roster=True, category="居保", due=DueDate(dt.date(2027, 10, 31), False), repeat=repeat,
    )


@dataclass
class OfficeStub:
    """`fates` are used up one per PUT; `fate_of` holds for one case for ever; everything else is answered well."""

    signing: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    sealing: X25519PrivateKey = field(default_factory=X25519PrivateKey.generate)
    fates: deque[str] = field(default_factory=deque)
    fate_of: dict[str, str] = field(default_factory=dict)
    stored: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    """Ids of all PUTs in order of arrival."""
    piece_fates: deque[str] = field(default_factory=deque)
    """As `fates`, of pieces."""
    pieces: dict[str, bytes] = field(default_factory=dict)
    pieces_asked: list[str] = field(default_factory=list)
    terminal: ProvenEnrolRequest | None = None
    epoch: int = 0
    token: str = field(default_factory=lambda: secrets.token_hex(20))
    enrol_fate: str = "good"
    pages: deque[RosterPull] = field(default_factory=deque)
    pull_fate: str = "good"
    pull_fates: dict[str, str] = field(default_factory=dict)
    """By path, before `pull_fate`."""
    pulled: list[str] = field(default_factory=list)
    """Targets of all signed GETs."""
    outcome_pages: deque[OutcomesPull] = field(default_factory=deque)
    manifest: tuple[int, bytes] | None = None
    """Version and bytes of the content manifest."""
    files: dict[str, bytes] = field(default_factory=dict)
    """Files of the content package by their path at the office."""
    heartbeats: list[HeartbeatBody] = field(default_factory=list)
    heartbeat_fate: str = "good"
    reconcile_fate: str = "good"
    reconciled: list[ReconcileBody] = field(default_factory=list)
    backup: str = ""
    """Id of the newest verified backup."""
    safe: set[str] = field(default_factory=set)
    """Cases that stand in it."""
    released: threading.Event = field(default_factory=threading.Event)
    server: http.server.ThreadingHTTPServer | None = None
    port: int = 0

    def open(self) -> None:
        stub = self

        class Handler(_Handler):
            office = stub

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def close(self) -> None:
        if self.server is not None:
            self.released.set()
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def code(self) -> EnrolmentCode:
        return EnrolmentCode(
            url=self.url, token=self.token, signing_key=public_hex(self.signing.public_key()),
            sealing_key=public_hex(self.sealing.public_key()),
        )

    def opened(self, case_id: str) -> CaseBody:
        data = self.stored[case_id]
        pieces = [self.pieces[sha256] for sha256 in parse_header(data).parts]
        return CaseBody.model_validate_json(open_envelope(data, self.sealing, pieces)[1])

    def receipt(self, case_id: str, data: bytes, level: AckLevel, key: Ed25519PrivateKey | None = None) -> tuple[bytes, str]:
        body = Receipt(
            id=case_id, sha256=digest(data).hex(), received=NOW, level=level, kid=key_id(self.signing.public_key()),
        ).to_json()
        return body, sign(Context.RECEIPT, body, key or self.signing)

    def part_receipt(self, case_id: str, sha256: str, key: Ed25519PrivateKey | None = None) -> tuple[bytes, str]:
        body = PartReceipt(case=case_id, sha256=sha256, kid="k").to_json()
        return body, sign(Context.PART_RECEIPT, body, key or self.signing)

    def refusal(self, case_id: str, data: bytes, code: str) -> tuple[bytes, str]:
        body = Refusal(id=case_id, sha256=digest(data).hex(), code=code, kid="k").to_json()
        return body, sign(Context.REFUSAL, body, self.signing)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    office: OfficeStub

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    # ------------------------------------------------------------------ cases

    def do_PUT(self) -> Any:
        office, data = self.office, self.body()
        if self.path == names.HEARTBEAT_PATH:
            return self.heartbeat(data)
        if self.path.startswith(names.part_path("")):
            return self.piece(data)
        case_id = self.path.rsplit("/", 1)[1]
        office.asked.append(case_id)
        assert office.terminal is not None
        assert verify(Context.TXN, digest(data), self.headers[names.SIGNATURE], signing_public(office.terminal.signing_key))
        assert parse_header(data).id == case_id
        fate = office.fate_of.get(case_id) or (office.fates.popleft() if office.fates else "good")
        if fate in REFUSALS:
            body, signature = office.refusal(case_id, data, fate)
            return self.answer(REFUSALS[fate], body, X_Refusal_Sig=signature)
        return getattr(self, fate)(case_id, data)

    def good(self, case_id: str, data: bytes) -> None:
        status = 200 if case_id in self.office.stored else 201
        assert self.office.stored.setdefault(case_id, data) == data
        body, signature = self.office.receipt(case_id, data, AckLevel.COMMITTED)
        missing = [sha256 for sha256 in parse_header(data).parts if sha256 not in self.office.pieces]
        self.answer(status, body, X_Receipt_Sig=signature, **({"X_Missing": ",".join(missing)} if missing else {}))

    def held(self, case_id: str, data: bytes) -> None:
        body, signature = self.office.receipt(case_id, data, AckLevel.HELD)
        self.answer(202, body, X_Receipt_Sig=signature)

    def portal(self, case_id: str, data: bytes) -> None:
        self.answer(200, b"<html>Please log in</html>", Content_Type="text/html")

    def unsigned_receipt(self, case_id: str, data: bytes) -> None:
        self.answer(201, self.office.receipt(case_id, data, AckLevel.COMMITTED)[0])

    def strangers_receipt(self, case_id: str, data: bytes) -> None:
        body, signature = self.office.receipt(case_id, data, AckLevel.COMMITTED, Ed25519PrivateKey.generate())
        self.answer(201, body, X_Receipt_Sig=signature)

    def receipt_of_another_case(self, case_id: str, data: bytes) -> None:
        body, signature = self.office.receipt("01890a5d-ac96-774b-bcce-b302099a8057", data, AckLevel.COMMITTED)
        self.answer(201, body, X_Receipt_Sig=signature)

    def receipt_of_other_bytes(self, case_id: str, data: bytes) -> None:
        body, signature = self.office.receipt(case_id, data + b"x", AckLevel.COMMITTED)
        self.answer(201, body, X_Receipt_Sig=signature)

    def refusal_of_another_case(self, case_id: str, data: bytes) -> None:
        body, signature = self.office.refusal("01890a5d-ac96-774b-bcce-b302099a8057", data, "conflict")
        self.answer(409, body, X_Refusal_Sig=signature)

    def refusal_as_receipt(self, case_id: str, data: bytes) -> None:
        body, signature = self.office.refusal(case_id, data, "conflict")
        self.answer(201, body, X_Receipt_Sig=signature)

    def signed_nonsense(self, case_id: str, data: bytes) -> None:
        self.answer(201, b"[]", X_Receipt_Sig=sign(Context.RECEIPT, b"[]", self.office.signing))

    def redirect(self, case_id: str, data: bytes) -> None:
        self.answer(307, b"", Location=f"{self.office.url}/v1/cases/{case_id}")

    def unsigned_403(self, case_id: str, data: bytes) -> None:
        self.answer(403, b"forbidden by the proxy")

    def unsigned_404(self, case_id: str, data: bytes) -> None:
        self.answer(404, b"<html>")

    def unsigned_413(self, case_id: str, data: bytes) -> None:
        self.answer(413, b"<html>")

    def unsigned_409(self, case_id: str, data: bytes) -> None:
        self.answer(409, b"{}", X_Refusal_Sig="00" * 64)

    def broken(self, case_id: str, data: bytes) -> None:
        self.answer(500, b"<html>")

    def busy(self, case_id: str, data: bytes) -> None:
        self.answer(503, b"", Retry_After="1")

    def busy_without_time(self, case_id: str, data: bytes) -> None:
        self.answer(503, b"", Retry_After="Wed, 21 Oct 2026 07:28:00 GMT")

    def endless(self, case_id: str, data: bytes) -> None:
        self.answer(200, b" " * (names.ANSWER_BYTES_MAX + 1))

    def stall(self, case_id: str, data: bytes) -> None:
        self.office.released.wait(STALL_S)
        self.close_connection = True

    def drip(self, case_id: str, data: bytes) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
        while not self.office.released.wait(0.05):
            try:
                self.wfile.write(b"x")
            except OSError:
                break
        self.close_connection = True

    def cut(self, case_id: str, data: bytes) -> None:
        self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True

    def cut_in_the_answer(self, case_id: str, data: bytes) -> None:
        self.office.stored[case_id] = data
        self.wfile.write(b"HTTP/1.1 201 Created\r\nContent-Length: 500\r\n\r\n{\"id\":")
        self.wfile.flush()
        self.cut(case_id, data)

    def lost_answer(self, case_id: str, data: bytes) -> None:
        """Committed, but the word never arrives."""
        self.office.stored[case_id] = data
        self.cut(case_id, data)

    # ---------------------------------------------------------- pieces

    def piece(self, data: bytes) -> Any:
        office, sha256, case_id = self.office, self.path.rsplit("/", 1)[1], self.headers[names.CASE]
        office.pieces_asked.append(sha256)
        assert office.terminal is not None and self.headers[names.KIOSK] == "HG07"
        assert len(data) <= names.PART_BYTES_MAX
        key = signing_public(office.terminal.signing_key)
        assert verify(Context.PART, digest(data), self.headers[names.SIGNATURE], key)
        fate = office.piece_fates.popleft() if office.piece_fates else "good"
        if fate == "good" and part_digest(data) != sha256:
            fate = "invalid"
        if fate in REFUSALS:
            body, signature = office.refusal(case_id, data, fate)
            return self.answer(REFUSALS[fate], body, X_Refusal_Sig=signature)
        other = "01890a5d-ac96-774b-bcce-b302099a8057"
        body, signature = office.part_receipt(case_id, sha256)
        if fate == "refusal_of_another_case":
            return self.refusal_of_another_case(case_id, data)
        if fate in ("good", "lost_answer"):
            office.pieces[sha256] = data
        if fate == "lost_answer":
            return self.cut(case_id, data)
        signed = {
            "good": (body, signature),
            "unsigned_receipt": (body, ""),
            "strangers_receipt": office.part_receipt(case_id, sha256, Ed25519PrivateKey.generate()),
            "receipt_of_another_case": office.part_receipt(other, sha256),
            "receipt_of_other_bytes": office.part_receipt(case_id, "ab" * 32),
            "receipt_of_the_case": (body, sign(Context.RECEIPT, body, office.signing)),
            "signed_nonsense": (b"[]", sign(Context.PART_RECEIPT, b"[]", office.signing)),
        }.get(fate)
        if signed is None:
            return getattr(self, fate)(case_id, data)
        return self.answer(201, signed[0], X_Part_Sig=signed[1])

    # ---------------------------------------------------------- heartbeat

    def heartbeat(self, data: bytes) -> Any:
        office, nonce = self.office, self.headers[names.NONCE]
        assert office.terminal is not None
        message = heartbeat_message(self.path, nonce, data)
        assert self.headers[names.KIOSK] == "HG07"
        assert verify(Context.HEARTBEAT, message, self.headers[names.SIGNATURE], signing_public(office.terminal.signing_key))
        body = HeartbeatBody.model_validate_json(data)
        office.heartbeats.append(body)
        fate = office.heartbeat_fate
        if fate == "device":
            refusal = Refusal(id=nonce, sha256=digest(data).hex(), code="device", kid="k").to_json()
            return self.answer(403, refusal, X_Refusal_Sig=sign(Context.REFUSAL, refusal, office.signing))
        told = {
            "challenging": HeartbeatAnswer(nonce=nonce, taken=body.challenge == "c" * 64, challenge="c" * 64),
            "never_taken": HeartbeatAnswer(nonce=nonce, taken=False, challenge="c" * 64),
            "of_another_request": HeartbeatAnswer(nonce="ab" * 16, taken=True, challenge=""),
        }.get(fate, HeartbeatAnswer(nonce=nonce, taken=True, challenge=""))
        answer = b"[]" if fate == "nonsense" else told.to_json()
        key = Ed25519PrivateKey.generate() if fate == "stranger" else office.signing
        context = Context.RECEIPT if fate == "as_receipt" else Context.HEARTBEAT_ANSWER
        signed = ("good", "challenging", "never_taken", "of_another_request", "nonsense", "stranger", "as_receipt")
        if fate in signed:
            return self.answer(200, answer, X_Heartbeat_Sig=sign(context, answer, key))
        return getattr(self, fate)("", data)

    # ---------------------------------------------------------- enrolment, roster

    def do_POST(self) -> None:
        office = self.office
        data = self.body()
        if self.path == names.RECONCILE_PATH:
            return reconcile_stub.answer(self, data)
        request = ProvenEnrolRequest.model_validate_json(data)
        known = request.token_sha256 == token_digest(office.token)
        proven = self.headers[names.ENROL_PROOF] == request_proof(proof_key(office.token), data)
        if office.enrol_fate == "portal":
            return self.portal("", b"")
        if office.enrol_fate == "locked":
            return self.answer(429, b"", Retry_After="600")
        if not known or not proven or office.enrol_fate == "forbidden":
            return self.answer(403)
        if office.enrol_fate == "cut":
            return self.cut("", b"")
        office.terminal, office.epoch = request, office.epoch + 1
        if office.enrol_fate == "lost":
            return self.cut("", b"")
        keys = OfficeKeys(sealing=public_hex(office.sealing.public_key()), signing=(public_hex(office.signing.public_key()),))
        echo = "ab" * 32 if office.enrol_fate == "for_another" else request.signing_key
        answer = EnrolAnswer(terminal_id="HG07", site="含谷镇", epoch=office.epoch, signing_key=echo, office=keys).to_json()
        key = Ed25519PrivateKey.generate() if office.enrol_fate == "stranger" else office.signing
        proof = answer_proof(proof_key("0" * 40 if office.enrol_fate == "stranger" else office.token), answer)
        return self.answer(200, answer, X_Enrol_Sig=sign(Context.ENROL, answer, key), X_Enrol_Proof=proof)

    def do_GET(self) -> None:
        office = self.office
        assert office.terminal is not None
        message = request_message("GET", self.path, self.headers[names.TIME], self.headers[names.NONCE])
        assert self.headers[names.KIOSK] == "HG07"
        assert verify(Context.REQUEST, message, self.headers[names.SIGNATURE], signing_public(office.terminal.signing_key))
        office.pulled.append(self.path)
        path = urllib.parse.urlsplit(self.path)
        fate = office.pull_fates.get(path.path, office.pull_fate)
        if fate == "portal":
            return self.portal("", b"")
        if fate == "device":
            refusal = Refusal(id=self.headers[names.NONCE], sha256="", code="device", kid="k").to_json()
            return self.answer(403, refusal, X_Refusal_Sig=sign(Context.REFUSAL, refusal, office.signing))
        if fate == "unsigned_304":
            return self.answer(304)
        if fate == "broken":
            return self.broken("", b"")
        if path.path in office.files:
            return self.answer(200, office.files[path.path])
        after = int(urllib.parse.parse_qs(path.query).get(names.AFTER, ["0"])[0])
        if path.path == names.CONTENT_PATH:
            return self.manifest(after)
        pages: deque[Any] = office.outcome_pages if path.path == names.OUTCOMES_PATH else office.pages
        if not pages or (after >= pages[-1].version and fate != "old_page"):
            return self.unchanged()
        page = pages.popleft()
        key = Ed25519PrivateKey.generate() if fate == "stranger" else office.signing
        data, signature = seal_pull(page, "HG07", sealing_public(office.terminal.sealing_key), key)
        return self.answer(200, data, X_Pull_Sig=signature)

    def manifest(self, after: int) -> None:
        manifest = self.office.manifest
        if manifest is None or manifest[0] == after:
            return self.unchanged()
        data = manifest[1]
        return self.answer(200, data, X_Content_Sig=sign(Context.CONTENT, data, self.office.signing))

    def unchanged(self) -> None:
        return self.answer(304, X_Pull_Sig=sign_unchanged(self.headers[names.NONCE], self.office.signing))
