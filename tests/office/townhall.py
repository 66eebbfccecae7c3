"""The terminal's side of the wire, for the office's tests: real keys, real envelopes."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from kiosk.domain.case import Item
from kiosk.domain.consent import ConsentScope
from kiosk.domain.decision import Outcome
from kiosk.domain.document import CardKind
from kiosk.domain.liveness import Liveness
from kiosk.sync.wire import http
from kiosk.sync.wire.base import Wire
from kiosk.sync.wire.envelope import digest, seal
from kiosk.sync.wire.face import AttemptBody
from kiosk.sync.wire.keys import key_id, sealing_public, signing_public
from kiosk.sync.wire.models import (
    AuditHead,
    CaseBody,
    ConsentBody,
    DeviceBody,
    EnvelopeHeader,
    HeartbeatAnswer,
    HeartbeatBody,
    PersonBody,
    RosterPull,
)
from kiosk.sync.wire.pull import open_pull, verify_unchanged
from kiosk.sync.wire.signing import Context, heartbeat_message, request_message, sign, verify

NOW = dt.datetime(2026, 11, 23, 2, 0, tzinfo=dt.UTC)
NUMBER, NAME = "999901195001010020", "张测试"
JPEG = b"\xff\xd8\xff\xe0 no picture, but enough for the way it goes \xff\xd9"


def body(number: str = NUMBER, name: str = NAME, **changes: object) -> CaseBody:
    fields: dict[str, object] = {
        "item": Item.CERTIFICATION, "case_number": "HG01-20261123-000001", "outcome": Outcome.MANUAL_REVIEW,
        "person": PersonBody(document=CardKind.RESIDENT, number=number, name=name, category="unknown", in_roster=True),
        "consent": ConsentBody(scopes=(ConsentScope.MATCH, ConsentScope.SEND_PHOTO), text_version="2026-11", given_at=NOW),
        "attempts": (
            AttemptBody(distance=0.47, frames=5, templates=2, liveness=Liveness.PASSED, engine="dlib/test", photos=(JPEG,)),
        ),
        "captured_at": NOW, "due": None, "due_confirmed": False, "repeat": 0, "simulated": False,
    }
    return CaseBody.model_validate(fields | changes)


def heartbeat(*devices: DeviceBody, **changes: object) -> HeartbeatBody:
    """A good one of just now, unless told otherwise."""
    now = dt.datetime.now(dt.UTC)
    fields: dict[str, object] = {
        "kiosk": "HG01", "epoch": 1, "sent_at": now, "challenge": "", "app_version": "0.1.0", "terminal_seen": now,
        "devices": devices, "unsent": 0, "held": 0, "dead": 0, "oldest_unsent_s": None, "roster_version": 3, "free_mb": 9000,
    }
    return HeartbeatBody.model_validate(fields | changes)


@dataclass
class Terminal:
    """The other end of the wire: its own keys, its own running number."""

    id: str = "HG01"
    epoch: int = 1
    seq: int = 0
    signing: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    sealing: X25519PrivateKey = field(default_factory=X25519PrivateKey.generate)
    office_signing: str = ""
    """The office's public keys, hex, as an enrolment gives them."""
    office_sealing: str = ""

    def header(self, **changes: object) -> EnvelopeHeader:
        self.seq += 1
        fields: dict[str, object] = {
            "kid": key_id(sealing_public(self.office_sealing)), "id": str(uuid.uuid4()), "kiosk": self.id,
            "epoch": self.epoch, "seq": self.seq, "day": NOW.date(), "created": NOW, "boot": "b", "mono_ms": 1,
            "audit": AuditHead(n=0, link="0" * 64), "consent": "2026-11",
        }
        return EnvelopeHeader.model_validate(fields | changes)

    def envelope(self, content: Wire | bytes, **changes: object) -> tuple[str, bytes]:
        """Id and bytes."""
        header = self.header(**changes)
        data = content if isinstance(content, bytes) else content.to_json()
        return header.id, seal(header, data, sealing_public(self.office_sealing))

    def signature(self, data: bytes) -> str:
        return sign(Context.TXN, digest(data), self.signing)

    def request_headers(self, target: str, at: float | None = None) -> dict[str, str]:
        sent, nonce = str(int(time.time() if at is None else at)), uuid.uuid4().hex
        signature = sign(Context.REQUEST, request_message("GET", target, sent, nonce), self.signing)
        return {http.KIOSK: self.id, http.TIME: sent, http.NONCE: nonce, http.SIGNATURE: signature}

    def heartbeat_headers(self, data: bytes, target: str = http.HEARTBEAT_PATH) -> dict[str, str]:
        nonce = uuid.uuid4().hex
        signature = sign(Context.HEARTBEAT, heartbeat_message(target, nonce, data), self.signing)
        return {http.KIOSK: self.id, http.NONCE: nonce, http.SIGNATURE: signature}

    def open_pull(self, data: bytes, signature: str) -> RosterPull:
        return open_pull(data, signature, self.id, self.sealing, [signing_public(self.office_signing)])


    def proves(self, context: Context, data: bytes, signature: str) -> bool:
        """Whether the office has signed these bytes."""
        return verify(context, data, signature, signing_public(self.office_signing))


@dataclass
class Line:
    """Terminal and office connected by Django's test client."""

    terminal: Terminal
    client: Any

    def put(self, data: bytes, case_id: str, signature: str | None = None) -> Any:
        signature = self.terminal.signature(data) if signature is None else signature
        headers = {http.SIGNATURE: signature} if signature else {}
        return self.client.put(http.case_path(case_id), data, content_type=http.ENVELOPE_TYPE, headers=headers)

    def hand_in(self, **changes: object) -> str:
        """One case all the way onto the officers' list; returns its id."""
        from kiosk.office import intake

        case_id, data = self.terminal.envelope(body(**changes))
        assert self.put(data, case_id).status_code == 201
        assert intake.open_due() == 1
        return case_id

    def put_heartbeat(self, data: bytes, headers: dict[str, str]) -> Any:
        return self.client.put(http.HEARTBEAT_PATH, data, content_type=http.JSON_TYPE, headers=headers)

    def beat(self, content: HeartbeatBody) -> HeartbeatAnswer:
        """One heartbeat with a good signature; the office's proven word on it."""
        data = content.to_json()
        headers = self.terminal.heartbeat_headers(data)
        answer = self.put_heartbeat(data, headers)
        assert answer.status_code == 200, answer.content
        assert self.terminal.proves(Context.HEARTBEAT_ANSWER, answer.content, answer.headers[http.HEARTBEAT_SIGNATURE])
        told = HeartbeatAnswer.model_validate_json(answer.content)
        assert told.nonce == headers[http.NONCE]
        return told

    def pull(self, after: int = 0) -> RosterPull | None:
        target = http.roster_target(after)
        headers = self.terminal.request_headers(target)
        answer = self.client.get(target, headers=headers)
        if answer.status_code == 304:
            office = signing_public(self.terminal.office_signing)
            assert verify_unchanged(headers[http.NONCE], answer.headers[http.PULL_SIGNATURE], [office])
            return None
        assert answer.status_code == 200, answer.content
        return self.terminal.open_pull(answer.content, answer.headers[http.PULL_SIGNATURE])
